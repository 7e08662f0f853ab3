"""Verbs for plain files: no workspace and no language to configure, one folder of results, bad files reported and the others written."""

from __future__ import annotations

import argparse
import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seshat.command import answer, described, prepare
from seshat.config import load
from seshat.errors import ConfigError
from seshat.messages import Parser

if TYPE_CHECKING:
    from seshat.settings import Settings

WORKSPACE = ".seshat"
"""The folder, in that of the results, where finished parts are kept, so that the same command goes on where it stopped."""
_SETTING = re.compile(r"[a-z_]+(\.[a-z_]+)*=")
MANY = 8
"""From so many parts on it is worth while to start Ray."""
_OWN = ("execution", "cluster")
"""Keys that are not the section's."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a command line asks for."""

    files: tuple[Path, ...]
    output: Path
    overrides: tuple[str, ...]
    debug: bool = False

    def names(self, key: str) -> bool:
        """True if a key was set."""
        return any(one.partition("=")[0] == key or one.startswith(f"{key}.") for one in self.overrides)


def run(verb: Callable[[Settings, Given], int], doc: str | None, *, section: str, argv: Sequence[str], defaults: Sequence[str] = ()) -> int:
    """Run a verb, which gives its exit code; 2 if what was asked for makes no sense, 130 if it was interrupted.

    ``defaults`` are keys of the section that are different for plain files.
    """

    def work(debug: bool) -> int:
        prepare(debug=debug)
        if not debug:
            logging.getLogger("seshat.data").setLevel(logging.ERROR)  # what is wrong with a file is said once, by the verb
        if not given.files:
            raise ConfigError("no files: name at least one file, or a folder of files")
        return verb(settings_of(section, given, defaults), given)

    given = arguments(parser(doc), argv)
    return answer(lambda: work(given.debug), debug=given.debug)


def parser(doc: str | None) -> Parser:
    """What a verb for plain files takes."""
    parser = Parser(**described(doc or ""))
    parser.add_argument("--engine", default="", help="the same as engine=E")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder of the results; made if it is not there")
    parser.add_argument("--debug", action="store_true", help="show details and tracebacks")
    parser.add_argument("items", nargs="*", metavar="key=value | FILE", help="settings that win over the defaults, and files or folders")
    return parser


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str]) -> Given:
    """Files, settings and where to write; a ``key=value`` that is the name of a file is a file."""
    asked = parser.parse_intermixed_args(argv)
    overrides = [item for item in asked.items if _SETTING.match(item) and not Path(item).exists()]
    if asked.engine:
        overrides.append(f"engine={asked.engine}")
    output = asked.output.resolve()
    if any(Path(item).is_dir() and Path(item).resolve() == output for item in asked.items):
        parser.error(f"the results would lie among the files in {asked.output}: give another --output")
    named_ones = [file for item in asked.items if item not in overrides for file in _files(Path(item))]
    files = [file for file in named_ones if output not in file.resolve().parents]  # what an earlier run has written
    return Given(tuple(dict.fromkeys(files)), asked.output, tuple(overrides), asked.debug)


def settings_of(section: str, given: Given, defaults: Sequence[str] = ()) -> Settings:
    """Settings with the section as it was asked for, and a workspace in the folder of the results."""
    asked = (*defaults, *given.overrides)
    placed = [one if one.partition("=")[0].partition(".")[0] in _OWN else f"{section}.{one}" for one in asked]
    nobody = ("language.code=und", "language.name=unknown")
    from seshat.settings import Settings

    return load(Settings, None, [f"root={given.output / WORKSPACE}", *nobody, *placed])


def on_ray(settings: Settings, given: Given, num_parts: int) -> bool:
    """Whether Ray should do it: as was asked for, else if there is so much to do that its start pays."""
    return settings.execution == "ray" and (given.names("execution") or num_parts >= MANY)


def named(paths: Sequence[Path]) -> dict[Path, str]:
    """What the results of each file are called: its stem, or its whole name if another file has the same stem.

    Raises:
        ConfigError: If two files have the same name.
    """
    stems = Counter(path.stem.casefold() for path in paths)
    names = {path: path.stem if stems[path.stem.casefold()] == 1 else path.name for path in paths}
    seen: dict[str, Path] = {}
    for path, name in names.items():
        other = seen.setdefault(name.casefold(), path)  # some file systems do not tell capitals apart
        if other != path:
            raise ConfigError(f"{other} and {path} would both become {name}.json: give each an --output of its own")
    return names


def write(output: Path, name: str, told: str, text: str) -> None:
    """Put the two results of a file in place, each whole or not at all."""
    from seshat.store import Store

    store = Store(str(output))
    store.write(f"{name}.json", f"{told}\n".encode())
    store.write(f"{name}.txt", text.encode())


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(
        one for one in path.rglob("*") if one.is_file() and not any(part.startswith(".") for part in one.parts[len(path.parts) :])
    )
