"""YAML files and ``key=value`` arguments, turned into frozen typed settings before anything heavy is imported.

A file may ``inherit:`` one parent (named beside it): mappings merge, key by key, everything else replaces. A section may be
the path of another YAML file (looked up beside the file that names it, then from the working directory), and a list that is
declared with a ``TableFile`` the path of a TSV file. ``key.sub=value`` on the command line wins. Unknown and duplicate keys
are errors; all errors are shown at once, each with its file and key.
"""

from __future__ import annotations

import difflib
import io
import json
import os
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from seshat.errors import ConfigError

COMMAND_LINE = "command line"
Key = tuple[str, ...]


class Section(BaseModel):
    """A part of the configuration: frozen, complete, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


S = TypeVar("S", bound=Section)


class Typed(str):
    """A value that was typed on the command line: as a path, it is relative to where the user stands."""


def _place(value: object) -> object:
    if isinstance(value, Typed) and value and "://" not in value:
        return os.path.abspath(os.path.expanduser(value))
    return value


PathSetting = Annotated[str, BeforeValidator(_place)]
"""A path. In a YAML file it is relative to the workspace's ``root``; typed on the command line, to the working directory."""


@dataclass(frozen=True)
class TableFile:
    """Annotates a list of sections that may also be the name of a TSV file: a row for each, ``#`` before a remark."""

    columns: tuple[str, ...]
    """The keys of a section, in the order of the columns."""
    required: int
    """How many of them every row has."""


def load(kind: type[S], path: str | Path | None, overrides: Sequence[str] = ()) -> S:
    """The settings of a YAML file with ``key=value`` overrides on top; every mistake in one ConfigError."""
    draft = _Draft(kind)
    if path is not None:
        draft.lay(Path(path), kind)
    for override in overrides:
        draft.override(override)
    return typing.cast(S, draft.finish(str(path or COMMAND_LINE)))


def load_text(kind: type[S], text: str, name: str) -> S:
    """The settings of a YAML text, such as a file of an object store; mistakes are shown under ``name``."""
    data = _parse(text, name)
    if not isinstance(data, Mapping):
        raise ConfigError(f"{name}: must hold keys with values, not a {type(data).__name__}")
    draft = _Draft(kind)
    draft.merge(data, kind, Path(name))
    return typing.cast(S, draft.finish(name))


def to_yaml(settings: Section) -> str:
    """The effective configuration as YAML, to be saved with every result."""
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(settings.model_dump(mode="json"), stream)
    return stream.getvalue()


def flat(text: str, name: str) -> dict[str, str]:
    """The values of a YAML text by their dotted keys, as ``key=value`` would set them; mistakes are shown under ``name``."""
    found: dict[str, str] = {}

    def lay(key: str, value: object) -> None:
        if isinstance(value, Mapping) and value:
            for part, below in value.items():
                lay(f"{key}.{part}" if key else str(part), below)
        elif key:
            found[key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    lay("", _parse(text, name))
    return found


def top_keys(path: Path) -> set[str]:
    """The first-level keys of a YAML file and of those it inherits from."""
    draft = _Draft(Section)
    draft.lay(path, None)
    return set(draft.data)


def environment(name: str, default: str = "") -> str:
    """A variable of the environment; no other module reads one."""
    return os.environ.get(name, default)


class _Draft:
    """Plain data on its way to settings, with the file that each key came from."""

    def __init__(self, kind: type[Section]) -> None:
        self.kind = kind
        self.data: dict[str, Any] = {}
        self.came_from: dict[Key, str] = {}
        self.open: list[Path] = []

    def lay(self, file: Path, kind: type[BaseModel] | None, at: Key = (), *, heir: Path | None = None) -> None:
        """Lay a file over what is there."""
        if file.resolve() in self.open:
            raise ConfigError(f"{heir}: inherit: {file} inherits from this file in its turn; take one of the two lines away")
        self.open.append(file.resolve())
        self.merge(_read(file, heir), kind, file, at)
        self.open.pop()

    def merge(self, data: Mapping[str, Any], kind: type[BaseModel] | None, file: Path, at: Key = ()) -> None:
        """Lay a mapping over what is there; mappings merge, everything else replaces."""
        data = dict(data)
        parent = data.pop("inherit", None)
        if parent is not None:
            if not isinstance(parent, str):
                raise ConfigError(f"{file}: inherit: must be the name of one YAML file beside this one")
            self.lay(file.parent / parent, kind, at, heir=file)
        for name, value in data.items():
            self._set((*at, str(name)), value, kind, file)

    def override(self, argument: str) -> None:
        """Set one ``key.sub=value``; the value is YAML, so numbers and lists are what they look like."""
        name, equals, text = argument.partition("=")
        if not equals or not name:
            raise ConfigError(f"{COMMAND_LINE}: {argument!r} is not key=value; write for example root=workspaces/mine")
        key = tuple(name.strip().split("."))
        value = _parse(text, f"{COMMAND_LINE}: {name}")
        kind: type[BaseModel] | None = self.kind
        for part in key[:-1]:
            kind = _section(kind, part)
        self._set(key, _typed(value), kind, Path(COMMAND_LINE))

    def _set(self, key: Key, value: Any, parent: type[BaseModel] | None, file: Path) -> None:
        section, table = _section(parent, key[-1]), _table(parent, key[-1])
        if table is not None and isinstance(value, str):
            found = _find(value, file, key)
            self._clear(key)
            numbered = list(_rows(found, table))
            self._parent(key)[key[-1]] = [row for _, row in numbered]
            self.came_from |= {(*key, str(index)): f"{found}:{line}" for index, (line, _) in enumerate(numbered)}
            self.came_from[key] = str(found)
            return
        if section is not None and isinstance(value, str):
            found = _find(value, file, key)
            self._clear(key)
            self._parent((*key, ""))
            self.lay(found, section, key, heir=file)
            self.came_from[key] = str(found)
            return
        if isinstance(value, Mapping):
            self._parent((*key, ""))
            self.merge(value, section, file, key)
        else:
            self._parent(key)[key[-1]] = value
        self.came_from[key] = str(file)

    def _parent(self, key: Key) -> dict[str, Any]:
        """The mapping that holds a key, made where missing."""
        here = self.data
        for part in key[:-1]:
            if not isinstance(here.get(part), dict):
                here[part] = {}
            here = here[part]
        return here

    def _clear(self, key: Key) -> None:
        self._parent(key).pop(key[-1], None)
        self.came_from = {known: file for known, file in self.came_from.items() if known[: len(key)] != key}

    def finish(self, file: str) -> Section:
        """Validate all at once."""
        try:
            return self.kind.model_validate(self.data)
        except ValidationError as error:
            lines = [self._explain(detail, file) for detail in error.errors(include_url=False)]
            raise ConfigError("\n".join(dict.fromkeys(lines))) from None

    def _explain(self, detail: ErrorDetails, file: str) -> str:
        key = tuple(str(part) for part in detail["loc"] if part != "[key]")
        prefixes = (key[:length] for length in range(len(key), 0, -1))
        source = next((self.came_from[prefix] for prefix in prefixes if prefix in self.came_from), file)
        return f"{source}: {'.'.join(key)}: {self._cure(detail, key)}"

    def _cure(self, detail: ErrorDetails, key: Key) -> str:
        if detail["type"] == "extra_forbidden":
            kind: type[BaseModel] | None = self.kind
            for part in key[:-1]:
                kind = _section(kind, part)
            return "unknown key" + did_you_mean(key[-1], kind.model_fields if kind else ())
        if detail["type"] == "missing":
            return "is missing; this key must be set"
        message = detail["msg"].removeprefix("Value error, ")
        return f"{message[0].lower()}{message[1:]} (found {detail['input']!r})"


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """``; did you mean 'x'?``, or the list of what is known if nothing is near."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known here: {', '.join(choices)}" if choices else ""


def _section(kind: type[BaseModel] | None, name: str) -> type[BaseModel] | None:
    """The settings class behind a field, if it is a section."""
    if kind is None or name not in kind.model_fields:
        return None
    return next(sections_of(kind.model_fields[name].annotation), None)


def _table(kind: type[BaseModel] | None, name: str) -> TableFile | None:
    """What a field says about the file that its list may come from."""
    if kind is None or name not in kind.model_fields:
        return None
    return next((one for one in kind.model_fields[name].metadata if isinstance(one, TableFile)), None)


def _rows(path: Path, table: TableFile) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a TSV file, each with the number of its line; blank lines and remarks are passed over."""
    for number, line in enumerate(_text(path).removeprefix("\ufeff").split("\n"), 1):
        cells = line.split("\t")
        if not line.strip() or line.startswith("#"):
            continue
        if not table.required <= len(cells) <= len(table.columns):
            raise ConfigError(
                f"{path}:{number}: has {len(cells)} columns instead of {table.required} to {len(table.columns)}; "
                f"write {' TAB '.join(table.columns)} (a TAB before an empty one too)"
            )
        yield number, dict(zip(table.columns, cells))


def sections_of(annotation: object) -> Iterator[type[BaseModel]]:
    """The sections that an annotation of a field allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType, Annotated):
        for argument in typing.get_args(annotation):
            yield from sections_of(argument)


def _typed(value: object) -> object:
    """A value of the command line with all its texts marked, in lists and mappings too."""
    if isinstance(value, Mapping):
        return {key: _typed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_typed(part) for part in value]
    return Typed(value) if isinstance(value, str) else value


def _find(name: str, file: Path, key: Key) -> Path:
    beside, here = file.parent / name, Path(name)
    for path in (beside, here):
        if path.is_file():
            return path
    raise ConfigError(f"{file}: {'.'.join(key)}: no file {name!r}, neither beside {file} nor in {Path.cwd()}")


def _read(path: Path, named_by: Path | None = None) -> Mapping[str, Any]:
    data = _parse(_text(path, f"{named_by}: inherit: " if named_by else ""), str(path))
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise ConfigError(f"{path}: must hold keys with values, not a {type(data).__name__}")
    return data


def _text(path: Path, where: str = "") -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}{path}: cannot be read ({error}); give an existing file in UTF-8") from None


def _parse(text: str, where: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    try:
        return yaml.load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        problem = (getattr(error, "problem", None) or str(error)).strip().split("\n")[0]
        raise ConfigError(
            f"{where}{line}: not valid YAML: {problem}; mend that line or the one before it, or see configs/ for files that are right"
        ) from None
