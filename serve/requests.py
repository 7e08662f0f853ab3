"""What clients send, read once into a type that cannot be wrong: JSON or a form, in LibreTranslate's shape.

Nothing of what was sent appears in an error: texts may be private, and a log is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from seshat.serving import Serving

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BYTES_PER_CHARACTER = 12
"""A character outside the basic plane takes 12 bytes in JSON (two escapes) and in a form."""


class RefusedError(Exception):
    """A request that cannot be answered: the status of the reply and one sentence for the person who sent it."""

    def __init__(self, status: int, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after


class TranslateRequest(BaseModel):
    """What to translate, as LibreTranslate's clients say it; fields that are not known here are ignored."""

    model_config = ConfigDict(extra="ignore", str_max_length=1_000_000)

    q: str | list[str] = Field(description="One text, or several; the answer has the same shape.", examples=["La casa es grande."])
    source: str = Field(description="ISO 639-3 or 639-1 code of the language of `q`, see `/languages`.", examples=["es"])
    target: str = Field(description="ISO 639-3 or 639-1 code of the language to translate into.")
    format: Literal["text"] = Field("text", description="Only plain text.")
    api_key: str = Field("", description="Accepted and not looked at.")

    @field_validator("q", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        texts: list[object] = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("must be a text or a list of texts")
        if any("\ud800" <= character <= "\udfff" for text in texts for character in str(text)):
            raise ValueError("holds half a character (a lone surrogate)")
        return value

    @property
    def texts(self) -> list[str]:
        """All texts, also if there is one."""
        return [self.q] if isinstance(self.q, str) else self.q


async def read_request(request: Request, serving: Serving) -> TranslateRequest:
    """The request in a body of JSON or of a form, within the limits."""
    body = await _body(request, BYTES_PER_CHARACTER * serving.max_text_chars * serving.max_batch + 4096)
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind == JSON:
        fields = _json(body)
    elif kind == FORM:
        fields = _form(body)
    else:
        raise RefusedError(415, f"Send {JSON} or {FORM}.")
    try:
        asked = TranslateRequest.model_validate(fields)
    except ValidationError as error:
        raise RefusedError(400, explain(error)) from None
    _check_size(asked, serving)
    return asked


def explain(error: ValidationError) -> str:
    """What is wrong with which field, without what was in it."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    named = {str(detail["loc"][0] if detail["loc"] else "body"): detail["msg"].removeprefix("Value error, ") for detail in details}
    return "; ".join(f"{name}: {message[0].lower()}{message[1:]}" for name, message in named.items()) + "."


async def _body(request: Request, limit: int) -> bytes:
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
        raise RefusedError(400, 'The body must be a JSON object such as {"q": "...", "source": "es", "target": "..."}.')
    return fields


def _form(body: bytes) -> Mapping[str, Any]:
    try:
        text = body.decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise RefusedError(400, f"The body is not a form in UTF-8. If it is JSON, send content-type: {JSON}.") from None
    if "q" not in fields and text.lstrip().startswith("{"):
        raise RefusedError(400, f"The body looks like JSON: send it with content-type: {JSON}.")
    return {name: values[0] if len(values) == 1 or name != "q" else values for name, values in fields.items()}


def _check_size(asked: TranslateRequest, serving: Serving) -> None:
    if len(asked.texts) > serving.max_batch:
        raise RefusedError(413, f"q: at most {serving.max_batch} texts in one request, and this has {len(asked.texts)}.")
    longest = max((len(text) for text in asked.texts), default=0)
    if longest > serving.max_text_chars:
        raise RefusedError(413, f"q: at most {serving.max_text_chars} characters in a text, and one has {longest}.")
