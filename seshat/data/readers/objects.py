"""JSON and JSON Lines: a list of objects, or an object that holds lists of objects; lists of objects inside become nested rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Row, Table
from seshat.data.readers.encoding import decode

_IDENTITY = ("id", "ID", "_id", "lx_id")


def read_json(data: bytes, options: Options) -> Content:
    """One table for each list of objects; the place of a row is its own ``id``, or its number from 1."""
    text, encoding = decode(data, options.encoding)
    try:
        tables = tuple(_table(name, objects) for name, objects in _lists(_loads(text)))
    except json.JSONDecodeError as error:
        raise RefusedError(f"syntax: line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from None
    except RecursionError:
        raise RefusedError("syntax: the JSON is nested too deep to be a dictionary or a table") from None
    if not tables:
        raise RefusedError('columns: the JSON holds no list of objects; write [{"word": ..., "translation": ...}, ...]')
    return Content(tables=tables, remarks=() if encoding.startswith("utf-8") else (f"read as {encoding}",))


def read_json_lines(data: bytes, options: Options) -> Content:
    """One object a line; a line that is none becomes a row with the problem."""
    text, encoding = decode(data, options.encoding)
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"line={number}"
        try:
            value = _loads(line)
            rows.append(_row(place, value) if isinstance(value, dict) else _no_object(place, value))
        except (json.JSONDecodeError, RecursionError, RefusedError) as error:
            rows.append(Row(place, {}, problem=f"syntax: not a JSON object ({error})"))
    return Content(
        tables=(Table.of(rows),),
        remarks=() if encoding.startswith("utf-8") else (f"read as {encoding}",),
    )


def _loads(text: str) -> Any:
    """The value of a JSON text, in which numbers stay as they are written."""
    return json.loads(text, parse_constant=_refuse_constant, parse_int=str, parse_float=str)


def _lists(value: Any, name: str = "") -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _lists(inner, f"{name}.{key}" if name else str(key))


def _table(name: str, objects: list[Any]) -> Table:
    rows = []
    for number, item in enumerate(objects, 1):
        place = f"{name}={number}" if name else f"entry={number}"
        if isinstance(item, dict):
            identity = next((item[key] for key in _IDENTITY if isinstance(item.get(key), str | int)), None)
            rows.append(_row(place if identity is None else f"{name or 'entry'}={identity}", item))
        else:
            rows.append(_no_object(place, item))
    return Table.of(rows)


def _no_object(place: str, item: object) -> Row:
    return Row(place, {}, problem=f"syntax: a {type(item).__name__} where an object should be")


def _row(place: str, item: dict[str, Any], prefix: str = "") -> Row:
    values: dict[str, str] = {}
    nested: dict[str, tuple[Row, ...]] = {}
    for key, value in item.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            inner = _row(place, value, f"{name}.")
            values.update(inner.values)
            nested.update(inner.nested)
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            nested[name] = tuple(_row(f"{place}&{key}={i}", one) for i, one in enumerate(value, 1) if isinstance(one, dict))
        else:
            text = _text(value)
            if text:
                values[name] = text
    return Row(place, values, nested)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(text for text in map(_text, value) if text)
    return value if isinstance(value, str) else json.dumps(value)


def _refuse_constant(name: str) -> None:
    raise RefusedError(f"syntax: {name} is not JSON; leave the value out or write null")


READERS = (
    Reader(extensions=(".json",), read=read_json),
    Reader(extensions=(".jsonl", ".ndjson"), read=read_json_lines),
)
