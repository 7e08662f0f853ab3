"""Every message has words in every language, and is found again by what it says, whatever is put into it."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from seshat.errors import ConfigError
from seshat.messages import ENGLISH, FOLDER, LANGUAGES, PLACE, Parser, chosen, language, spoken
from seshat.progress import LogHandler
from seshat.step import Outcome
from tests.sayings import sayings

OTHERS = [code for code in LANGUAGES if code != ENGLISH]


@pytest.fixture
def spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESHAT_LANG", "es")


def catalogue(code: str) -> dict[str, str]:
    return dict(json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("code", OTHERS)
def test_no_message_is_missing_and_none_is_of_yesterday(code: str) -> None:
    known, wanted = catalogue(code), sayings()
    missing = [f"{where}: {text!r}" for text, where in wanted.items() if not known.get(text)]
    assert not missing, f"write them into seshat/messages/{code}.json (python -m tests.sayings {code} lists them): " + "\n".join(missing)
    assert not (gone := known.keys() - wanted.keys()), f"nobody says this any more: {sorted(gone)}"


@pytest.mark.parametrize("code", OTHERS)
def test_what_is_put_into_a_message_is_put_into_its_translation(code: str) -> None:
    wrong = [text for text, said in catalogue(code).items() if Counter(PLACE.findall(text)).keys() != Counter(PLACE.findall(said)).keys()]
    assert not wrong


@pytest.mark.parametrize("code", OTHERS)
def test_commands_files_and_keys_stay_as_they_are(code: str) -> None:
    for text, said in catalogue(code).items():
        words = [word.strip(".,:;()") for word in text.split()]
        named = [word for word in words if "=" in word or word.startswith(("--", "'make", "data/", "models/", "reports/")) or "_" in word]
        assert [word for word in named if word.strip("'") not in said] == [], text


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_found_again(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filled with values that no message holds, each gives its own translation and not that of another."""
    monkeypatch.setenv("SESHAT_LANG", code)
    wrong = []
    for text, said in catalogue(code).items():
        values = {place: f"<{place}>" for place in PLACE.findall(text)}
        filled = PLACE.sub(lambda found, values=values: values[found[1]], text)  # type: ignore[misc]
        expected = PLACE.sub(lambda found, values=values: values[found[1]], said)  # type: ignore[misc]
        if spoken(filled) != expected:
            wrong.append(filled)
    assert not wrong


@pytest.mark.parametrize(
    ("set_to", "found"),
    [
        ({"LANG": "es_PE.UTF-8"}, "es"),
        ({"LANG": "es_PE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "es", "LANG": "de_DE"}, "es"),
        ({"LANG": "qu_PE"}, "en"),
        ({"LANG": "en_US", "SESHAT_LANG": "es"}, "es"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_system_unless_one_is_asked_for(
    set_to: dict[str, str], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SESHAT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    assert language() == found


def test_lang_is_taken_from_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESHAT_LANG", "en")
    assert chosen(["align", "root=."]) == ["align", "root=."]
    assert language() == "en"
    assert chosen(["--lang", "es", "align"]) == ["align"]
    assert language() == "es"
    assert chosen(["align", "--lang=en", "root=."]) == ["align", "root=."]
    assert language() == "en"
    for words in (["--lang", "xx"], ["--lang"], ["--lang="]):
        with pytest.raises(ConfigError, match="there are en, es"):
            chosen(words)


@pytest.mark.usefixtures("spanish")
def test_an_error_keeps_what_it_names_and_a_message_in_it_is_translated_too() -> None:
    said = spoken("align.bnad: unknown key; did you mean 'band'?")
    assert {"align.bnad", "'band'"} <= set(re.findall(r"[\w.']+[\w']", said)), said
    assert not re.search("unknown|mean", said)


@pytest.mark.usefixtures("spanish")
def test_a_table_keeps_its_columns() -> None:
    outcome = Outcome(stage="align", rows_in=1200, kept=1100, seconds=3.0)
    said = spoken(outcome)
    assert re.match(r"align {10,}\S+ s {3,}1,200 registros +1,100 conservados", said), said


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("text", ["Wayllakunaqa  sumaq\n  kachkan", "a: b; c, d: e", "", "\n\n", "rows: 7"])
def test_what_nobody_knows_stays(text: str) -> None:
    assert spoken(text) == text


@pytest.mark.usefixtures("spanish")
def test_log_lines_are_translated(capsys: pytest.CaptureFixture[str]) -> None:
    handler = LogHandler(sys.stderr)
    handler.emit(logging.LogRecord("x", logging.INFO, "f", 1, "serve: stopping", (), None))
    assert "stopping" not in capsys.readouterr().err


@pytest.mark.usefixtures("spanish")
def test_help_is_translated(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="seshat", description="Align parallel documents into sentence pairs, and clean them.")
    parser.add_argument("--debug", help="show details and tracebacks")
    text = parser.format_help()
    assert text.startswith("uso: ")
    assert not re.search("Align|details|options", text)
    with pytest.raises(SystemExit):
        parser.parse_args(["--no"])
    assert "unrecognized" not in capsys.readouterr().err


def test_the_command_speaks_spanish(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[1]
    environment = {name: value for name, value in os.environ.items() if name not in ("SESHAT_LANG", "LC_ALL", "LC_MESSAGES")}
    asked = [sys.executable, "-c", "from seshat.cli import main; main()", "algin"]
    for more, environ in ((["--lang", "es"], {"LANG": "C"}), ([], {"LANG": "es_PE.UTF-8"})):
        done = subprocess.run([*asked, *more], capture_output=True, text=True, cwd=root, env=environment | environ, check=False)
        assert done.returncode == 2
        assert re.search("'algin'.*'align'", done.stderr)
        assert "no verb" not in done.stderr
