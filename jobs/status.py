"""How far a workspace is: each step of the way, whether it is done, and the next command. Nothing is changed.

Examples:
    seshat status root=workspaces/shipibo
    seshat status --config shipibo/seshat.yaml --json
"""

import argparse
from dataclasses import asdict
from json import dumps

from seshat.command import main, typed
from seshat.messages import say
from seshat.settings import Settings
from seshat.status import next_command, states

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--json", action="store_true", help="for programs")


def run(settings: Settings, *, json: bool = False) -> None:
    from jobs import pipeline

    found = states(settings, pipeline.steps(settings))
    if json:
        print(dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
        return
    say("\n".join(map(str, found)))
    command = next_command(found, typed())
    say(f"\nnext: {command}" if command else "\nall of it is done")


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
