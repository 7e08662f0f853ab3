"""Begin a project for a new language: seshat init NAME [--raw DIR] [--directory DIR] [--language CODE] [--bridge CODE]

It looks at the raw files, shows what it takes them for, with samples, and writes the project's configuration. What is not given is asked;
with --yes nothing is, and every guess is taken.

Examples:
    seshat init shipibo --raw DIR --language shp --bridge spa --yes
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from seshat.command import answer, described, prepare
from seshat.config import did_you_mean
from seshat.data.survey import Survey, survey
from seshat.errors import ConfigError
from seshat.language import Language
from seshat.messages import Parser, say
from seshat.project import BRIDGES, PROFILE, PROJECT, check_new, check_place, sorted_raw, write


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(prog="seshat init", **described(__doc__))
    parser.add_argument("name", metavar="NAME", help="of the project, and of the model that it trains: shipibo")
    parser.add_argument("--directory", metavar="DIR", help="of the project (NAME)")
    parser.add_argument("--raw", metavar="DIR", help="what there is: dictionaries, tables, translations, scans, recordings")
    parser.add_argument("--language", metavar="CODE", help="ISO 639-3, three letters: shp")
    parser.add_argument("--called", metavar="NAME", help="the language's name in the bridge language: shipibo-konibo (NAME)")
    parser.add_argument("--bridge", metavar="CODE", choices=sorted(BRIDGES), help=f"through which it is taught: {', '.join(BRIDGES)}")
    parser.add_argument("--alphabet", metavar="LETTERS", help="in order, with spaces: 'a b ch e'; otherwise it is counted in the texts")
    parser.add_argument("--model", default="Qwen/Qwen3-14B", help="the base model, or small, which is made here (%(default)s)")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--debug", action="store_true", help="show details and tracebacks")
    asked = parser.parse_args(argv)
    prepare(debug=asked.debug)
    return answer(lambda: begin(asked), debug=asked.debug)


def begin(asked: argparse.Namespace) -> int:
    """Ask, look, show, write."""
    raw = Path(_ask(asked, asked.raw, "Where is the material?", "", "--raw")).expanduser()
    directory = Path(asked.directory or asked.name).expanduser()
    check_place(directory, raw)
    check_new(directory)
    code = _ask(asked, asked.language, "Which language? Its ISO 639-3 code, three letters (https://iso639-3.sil.org)", "", "--language")
    bridge = _ask(asked, asked.bridge, f"Through which language is it taught ({', '.join(BRIDGES)})?", "spa", "--bridge")
    if bridge not in BRIDGES:
        raise ConfigError(f"--bridge: {bridge!r} is not known here{did_you_mean(bridge, BRIDGES)}")
    name = _ask(asked, asked.called, "What is it called in that language?", asked.name, "--called")
    language = Language(code=code, name=name, bridge=BRIDGES[bridge], alphabet=asked.alphabet or "")
    logging.getLogger("seshat.data").setLevel(logging.ERROR)  # what a file is refused for is shown below, with all files
    raw, moved = sorted_raw(raw, directory, language)
    found = survey(str(raw), language)
    say(shown(found, moved))
    if not any(look.usable for look in found.looks):
        raise ConfigError(f"--raw: none of the files of {raw} can be used as it is; the reasons stand above")
    if not asked.alphabet:
        language = language.model_copy(update={"alphabet": _ask(asked, None, "Its alphabet?", found.alphabet, "--alphabet")})
    files = write(directory, asked.name, language, raw, found, model=asked.model)
    say("\nwritten: " + ", ".join(map(str, files)))
    config = directory / PROJECT
    say(f"\nnext: seshat pipeline --config {config}\nor step by step; how far it is: seshat status --config {config}")
    say(f"Look at {PROFILE} first: a good alphabet finds what is misread or in another language.")
    return 0


def shown(found: Survey, moved: dict[str, str]) -> str:
    """What every file is taken for."""
    lines = [f"{name} -> {target}" for name, target in moved.items()]
    for look in found.looks:
        lines.append(f"{'  ' if look.usable else '! '}{look.origin:<44} {look.kind}")
        lines += [f"      {look.sample[:120]}"] if look.sample else []
        lines += [f"      taken as: {_rule(look.rule.model_dump(exclude_unset=True))}"] if look.rule else []
    return "\n".join([*lines, f"\nalphabet, as counted: {found.alphabet or 'no text yet'}"])


def _rule(rule: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in rule.items() if key != "pattern")


def _ask(asked: argparse.Namespace, given: str | None, question: str, guess: str, flag: str) -> str:
    """What was given, else what a person says, else the guess."""
    if given:
        return given
    if not asked.yes and sys.stdin.isatty():
        said = input(f"{question}{f' [{guess}]' if guess else ''} ").strip()
        if said or guess:
            return said or guess
    if not guess and flag != "--alphabet":
        raise ConfigError(f"{flag}: is missing, and nobody can be asked here")
    return guess


if __name__ == "__main__":
    sys.exit(main())
