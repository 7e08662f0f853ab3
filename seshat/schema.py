"""The configuration as a JSON Schema (draft 2020-12), which editors check YAML files with while they are written.

It says what ``seshat.config`` reads: a file may inherit, a section may be the name of another file, and some lists the name of a table.
What a key means is what stands below it in the code.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from seshat.config import TableFile, sections_of
from seshat.settings import Settings

FILE = "configs/schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_INHERIT = {"type": "string", "description": "One YAML file beside this one, over which this one is laid."}
_NAMED = {"type": "string", "description": "The name of a file that holds it."}


def schema(kind: type[BaseModel] = Settings) -> dict[str, Any]:
    """Of a whole file. No key is required, because a file may hold a part and inherit the rest."""
    whole = kind.model_json_schema()
    kinds = {one.__name__: one for one in _all(kind)}
    for name, described in [(kind.__name__, whole), *whole["$defs"].items()]:
        if name in kinds:
            described.pop("required", None)
            described["properties"] = _properties(kinds[name], described["properties"])
    return {"$schema": DRAFT, **whole, "title": "Seshat"}


def text() -> str:
    """As it lies in ``configs``."""
    return json.dumps(schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _all(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A section and all below it."""
    yield kind
    for field in kind.model_fields.values():
        for section in sections_of(field.annotation):
            yield from _all(section)


def _properties(kind: type[BaseModel], found: dict[str, Any]) -> dict[str, Any]:
    said = _said(kind)
    properties: dict[str, Any] = {"inherit": _INHERIT}
    for name, described in found.items():
        field = kind.model_fields[name]
        described = described | ({"description": said[name]} if name in said else {})
        if any(sections_of(field.annotation)) or any(isinstance(one, TableFile) for one in field.metadata):
            outside = {key: described.pop(key) for key in ("description", "default") if key in described}
            described = {"anyOf": [described, _NAMED], **outside}
        properties[name] = described
    return properties


def _said(kind: type[BaseModel]) -> dict[str, str]:
    """The text below each field, or its own description."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    said = {name: field.description for name, field in kind.model_fields.items() if field.description}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                said[name] = " ".join(words.split())
    return said
