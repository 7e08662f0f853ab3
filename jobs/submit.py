"""Run a verb on a cluster: seshat submit [--address URL] VERB [key=value ...]

It uploads this folder (without what .gitignore names), starts the verb on the head, and prints what it prints; the exit code is the
verb's. root must be an address or a path that all nodes share. Ctrl-C asks whether to stop the job.

Examples:
    seshat submit align root=s3://bucket/shipibo language=configs/languages/shp.yaml
    seshat submit --no-wait pipeline root=/shared/shipibo
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from seshat.cluster.submit import ADDRESS, ASK, LEAVE, STOP, check_upload, client_of, default_address, follow, submit
from seshat.command import answer, described, prepare
from seshat.config import did_you_mean
from seshat.errors import ConfigError
from seshat.messages import Parser, say
from seshat.verbs import VERBS

HERE = ("init", "completion", "schema", "submit", "jobs", "serve", "demo", "check-gpu")
"""Verbs that make no sense as jobs."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(prog="seshat submit", **described(__doc__))
    parser.add_argument("--address", default=default_address(), metavar="URL", help=f"of the dashboard ({ADDRESS})")
    parser.add_argument("--working-dir", default=".", metavar="DIR", help="what is uploaded (this folder)")
    parser.add_argument("--no-wait", action="store_true", help="do not follow the job; seshat jobs says how far it is")
    parser.add_argument("--debug", action="store_true", help="show details and tracebacks")
    parser.add_argument("verb", metavar="VERB")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what the verb takes: --config FILE, key=value")
    asked = parser.parse_args(argv)
    prepare(debug=asked.debug)

    def work() -> int:
        if asked.verb not in VERBS or asked.verb in HERE:
            raise ConfigError(f"submit: no verb {asked.verb!r} that can run as a job{did_you_mean(asked.verb, set(VERBS) - set(HERE))}")
        _check_root(asked.arguments)
        folder = Path(asked.working_dir).resolve()
        size = check_upload(folder)
        client = client_of(asked.address)
        job = submit(client, f"jobs.{VERBS[asked.verb][0]}", asked.arguments, folder, asked.verb)
        say(f"{asked.verb}: submitted as {job} ({size / 1e6:.1f} MB of code)")
        return 0 if asked.no_wait else follow(client, job, interrupted=lambda: _ask(job), out=_print)

    return answer(work, debug=asked.debug)


def _check_root(arguments: Sequence[str]) -> None:
    """The job refuses a relative root itself; here it costs no upload."""
    for one in arguments:
        name, _, value = one.partition("=")
        if name == "root" and not (os.path.isabs(value) or "://" in value):
            raise ConfigError(
                f"root: {value!r} is relative, and the job runs elsewhere: root=/a/path/that/all/nodes/share, or s3://bucket/name"
            )


def _ask(job: str) -> str:
    """What Ctrl-C means."""
    if not sys.stdin.isatty():
        say(f"\n{job} runs on; 'ray job stop {job}' ends it.", file=sys.stderr)
        return LEAVE
    said = input(f"\n{job} runs on the cluster. Stop it? [y: stop, n: leave it running, Enter: go on watching] ").strip().lower()
    return STOP if said.startswith(("y", "s")) else LEAVE if said.startswith("n") else ASK


def _print(text: str) -> None:
    print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
