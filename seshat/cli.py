"""The ``seshat`` command: it lists the verbs of ``jobs/`` and starts one; ``seshat align`` is ``python -m jobs.align``."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence

from seshat.config import did_you_mean
from seshat.errors import ConfigError
from seshat.messages import chosen, say
from seshat.quick_help import parser_of
from seshat.verbs import VERBS


def main(argv: Sequence[str] | None = None) -> None:
    """Start a verb with the rest of the command line."""
    try:
        arguments = chosen(sys.argv[1:] if argv is None else argv)
    except ConfigError as error:
        say(error, file=sys.stderr)
        sys.exit(error.exit_code)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        say(usage())
        return
    verb, *rest = arguments
    if verb not in VERBS:
        say(f"seshat: no verb {verb!r}{did_you_mean(verb, VERBS)}", file=sys.stderr)
        sys.exit(2)
    module = f"jobs.{VERBS[verb][0]}"
    sys.argv = [f"seshat {verb}", *rest]
    if rest in (["--help"], ["-h"]) and (parser := parser_of(VERBS[verb][0])):
        parser.print_help()
        return
    runpy.run_module(module, run_name="__main__")


def usage() -> str:
    """All verbs with one line each."""
    lines = "\n".join(f"  {verb:<20} {line}" for verb, (_, line) in VERBS.items())
    return f"usage: seshat VERB [--config FILE] [key=value ...]\n\n{lines}\n\n'seshat VERB --help' says more; '--lang es' en español."
