"""What was submitted to a cluster, and how far it has come: seshat jobs [--address URL] [--json]

Examples:
    seshat jobs --json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from seshat.cluster.submit import ADDRESS, client_of, default_address, jobs
from seshat.command import answer, described, prepare
from seshat.messages import Parser, say


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(prog="seshat jobs", **described(__doc__))
    parser.add_argument("--address", default=default_address(), metavar="URL", help=f"of the dashboard ({ADDRESS})")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--debug", action="store_true", help="show details and tracebacks")
    asked = parser.parse_args(argv)
    prepare(debug=asked.debug)

    def work() -> int:
        found = jobs(client_of(asked.address))
        if asked.json:
            print(json.dumps([asdict(job) for job in found], ensure_ascii=False, indent=1))
        else:
            say("\n".join(map(str, found)) or "no job was submitted")
        return 0

    return answer(work, debug=asked.debug)


if __name__ == "__main__":
    sys.exit(main())
