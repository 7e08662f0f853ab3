"""Messages in the language of the reader. English is written in the code, and put into another language where it is shown.

So records, logs of clusters and ``--json`` are the same everywhere and can be searched for, and an error keeps its words on its way from a
worker. ``LANGUAGE.json`` beside this file has the catalogue: the message as it stands in the code, with ``{0}``, ``{1}``, ... for what
is put into it, and what is said instead. What a message was made of is found again by its words, and is translated, too, if it is a
message itself: the reason in an error, for example.

A language is added by adding its file; ``tests/test_messages.py`` says what is missing in it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

from seshat.errors import ConfigError

LANG = "SESHAT_LANG"
"""The environment variable that wins over those of the system; processes that are started inherit it."""
ENGLISH = "en"
FOLDER = Path(__file__).parent
LANGUAGES = (ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.json")))
PLACE = re.compile(r"\{(\d+)\}")
_CELLS = re.compile(r"(\s{2,})")
"""What is between the columns of a table."""


def language() -> str:
    """The reader's language: ``SESHAT_LANG``, ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``, the first that is set; English if there is no
    catalogue for it."""
    named = next((value for name in (LANG, "LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    code = re.split(r"[_.@-]", named.lower())[0]
    return code if code in LANGUAGES else ENGLISH


def chosen(words: Sequence[str]) -> list[str]:
    """The words of a command line without ``--lang CODE``, which holds from now on, for what this process starts as well.

    Raises:
        ConfigError: If there is no catalogue for it.
    """
    rest = list(words)
    for place, word in enumerate(words):
        if word == "--":
            break
        if word == "--lang" or word.startswith("--lang="):
            code = word[len("--lang=") :] or next(iter(words[place + 1 :]), "")
            if code not in LANGUAGES:
                raise ConfigError(f"--lang: no messages in {code!r}; there are {', '.join(LANGUAGES)}")
            os.environ[LANG] = code
            del rest[place : place + (1 if "=" in word else 2)]
            break
    return rest


def say(text: object = "", *, file: IO[str] | None = None, end: str = "\n") -> None:
    """``print`` in the reader's language."""
    print(spoken(text), file=file, end=end, flush=True)


def spoken(text: object) -> str:
    """A message, a table or several lines of them in the reader's language; what no catalogue has stays as it is."""
    catalogue = _catalogue(language())
    return catalogue.spoken(str(text)) if catalogue else str(text)


class Parser(argparse.ArgumentParser):
    """A parser of arguments that speaks the reader's language."""

    def format_help(self) -> str:
        """See ``argparse``."""
        self.description = self.description and spoken(self.description.strip())
        self.epilog = self.epilog and spoken(self.epilog)
        for group in self._action_groups:
            group.title = group.title and spoken(group.title)
        for action in self._actions:
            action.help = action.help and spoken(action.help)
        return self.format_usage_of(super().format_help())

    def format_usage_of(self, text: str) -> str:
        """A text with its first word, which is argparse's own."""
        return text.replace("usage:", spoken("usage:"), 1)

    def error(self, message: str) -> NoReturn:
        """See ``argparse``."""
        self.exit(2, f"{self.format_usage_of(self.format_usage())}{self.prog}: {spoken(message)}\n")


class _Known(NamedTuple):
    """A message of the catalogue."""

    words: tuple[str, ...]
    """What stands between the places."""
    said: str


class _Catalogue:
    """Finds a message again by its words."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._whole = {text: said for text, said in messages.items() if not PLACE.search(text)}
        known = [_Known(tuple(PLACE.split(text)[::2]), said) for text, said in messages.items() if PLACE.search(text)]
        self._known = sorted(known, key=lambda one: -sum(map(len, one.words)))  # what says most is tried first

    def spoken(self, text: str) -> str:
        """See ``spoken``."""
        bare = text.strip()
        if bare and (said := self._message(bare)) is not None:
            return text.replace(bare, said, 1)
        if "\n" in text:
            return "\n".join(map(self.spoken, text.split("\n")))
        if _CELLS.search(text):
            return "".join(self._cells(_CELLS.split(text)))
        for mark in (": ", "; ", ", "):
            head, between, tail = text.partition(mark)
            if between:
                return self.spoken(head) + (self._message(between + tail) or between + self.spoken(tail))
        return text

    def _message(self, text: str) -> str | None:
        if text in self._whole:
            return self._whole[text]
        for one in self._known:
            if all(words in text for words in one.words) and (found := _pattern(one.words).fullmatch(text)):
                return _filled(one.said, [self.spoken(value) for value in found.groups()])
        return None

    def _cells(self, cells: Sequence[str]) -> Iterator[str]:
        """The cells of a line of a table, and what is between them, less where a cell has become longer."""
        for place in range(0, len(cells), 2):
            cell, gap = cells[place], cells[place + 1] if place + 1 < len(cells) else ""
            said = self.spoken(cell) if cell else ""
            yield said + " " * max(len(gap) + len(cell) - len(said), min(1, len(gap)))


def _filled(said: str, values: Sequence[str]) -> str:
    return PLACE.sub(lambda place: values[int(place[1])], said)


@cache
def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile("(.*?)".join(map(re.escape, words[:-1])) + "(.*)" + re.escape(words[-1]), re.DOTALL)


@cache
def _catalogue(code: str) -> _Catalogue | None:
    if code == ENGLISH:
        return None
    return _Catalogue(json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8")))
