"""What clients send, read once into a type that cannot be wrong: JSON or a form.

Nothing of what was sent appears in an error: texts may be private, and a log is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from seshat.serving import Serving

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BYTES_PER_CHARACTER = 12
"""A character outside the basic plane takes 12 bytes in JSON (two escapes) and in a form."""
OVERHEAD = 4096
"""Bytes for all that is not text."""
Asked = TypeVar("Asked", bound="Question")


class RefusedError(Exception):
    """A request that cannot be answered: the status of the reply and one sentence for the person who sent it.

    ``room`` is for the gate (``serve.gate``): how many requests the queue holds that is full; 0 where it must not refuse others for it.
    """

    def __init__(self, status: int, message: str, retry_after: int = 0, room: int = 0) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after, self.room = status, message, retry_after, room


class Question(BaseModel):
    """The body of a request; fields that are not known are ignored."""

    model_config = ConfigDict(extra="ignore", str_max_length=1_000_000)


def body_of(kind: type[Question], *types: str) -> dict[str, Any]:
    """What OpenAPI says about the body of a request that ``read`` reads."""
    schema = kind.model_json_schema()
    schema = _without_references(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {content: {"schema": schema} for content in types or (JSON,)}}}


def _without_references(schema: Any, parts: Mapping[str, Any]) -> Any:
    """A schema with its parts in place, for they are not where a reference in OpenAPI would look for them."""
    if isinstance(schema, list):
        return [_without_references(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _without_references(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _without_references(one, parts) for name, one in schema.items()}


async def read(kind: type[Asked], request: Request, serving: Serving, *, repeated: str = "", form: bool = True) -> Asked:
    """The request in a body of JSON or of a form, within the limits; ``repeated`` is the field that a form may hold more than once.

    Raises:
        RefusedError: What is wrong with it.
    """
    fields = await _fields(request, BYTES_PER_CHARACTER * serving.max_text_chars * serving.max_batch + OVERHEAD, repeated, form)
    try:
        if _has_half_characters(fields):
            raise RefusedError(400, "The body holds half a character (a lone surrogate).")
        return kind.model_validate(fields)
    except ValidationError as error:
        raise RefusedError(400, explain(error)) from None
    except RecursionError:
        raise RefusedError(400, "The body is nested too deeply.") from None


def explain(error: ValidationError) -> str:
    """What is wrong with which field, without what was in it."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    named = {str(detail["loc"][0] if detail["loc"] else "body"): detail["msg"].removeprefix("Value error, ") for detail in details}
    return "; ".join(f"{name}: {message[0].lower()}{message[1:]}" for name, message in named.items()) + "."


def check_texts(name: str, texts: list[str], serving: Serving) -> None:
    """Refuse too many texts, or one that is too long."""
    if len(texts) > serving.max_batch:
        raise RefusedError(413, f"{name}: at most {serving.max_batch} texts in one request, and this has {len(texts)}.")
    check_lengths(name, texts, serving.max_text_chars)


def check_lengths(name: str, texts: list[str], most: int) -> None:
    """Refuse a text that is too long."""
    longest = max(map(len, texts), default=0)
    if longest > most:
        raise RefusedError(413, f"{name}: at most {most} characters in a text, and one has {longest}.")


async def _fields(request: Request, limit: int, repeated: str, form: bool) -> Mapping[str, Any]:
    body = await read_body(request, limit)
    kind = request.headers.get("content-type", JSON if form else "").partition(";")[0].strip().lower()
    if kind == JSON:
        return _json(body)
    if kind == FORM and form:
        return _form(body, repeated)
    raise RefusedError(415, f"Send {JSON}{f' or {FORM}' if form else ''}.")


async def read_body(request: Request, limit: int) -> bytes:
    """The body, given up as soon as it is too long."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise RefusedError(413, f"The request is longer than {limit} bytes.")
    return bytes(body)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The body is not JSON in UTF-8.") from None
    if not isinstance(fields, dict):
        raise RefusedError(400, "The body must be a JSON object.")
    return fields


def _form(body: bytes, repeated: str) -> Mapping[str, Any]:
    try:
        text = body.decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise RefusedError(400, f"The body is not a form in UTF-8. If it is JSON, send content-type: {JSON}.") from None
    if text.lstrip().startswith("{"):
        raise RefusedError(400, f"The body looks like JSON: send it with content-type: {JSON}.")
    return {name: values if len(values) > 1 and name == repeated else values[0] for name, values in fields.items()}


def _has_half_characters(value: object) -> bool:
    """True if a text anywhere in JSON cannot be written as UTF-8."""
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return any(_has_half_characters(one) for item in value.items() for one in item)
    return isinstance(value, list) and any(map(_has_half_characters, value))
