"""What is missing on this machine, and the command that mends it; with --cluster, on every node of the cluster, too.

Exit code 1 if something FAILs.

Examples:
    seshat doctor
    seshat submit doctor --cluster root=/shared/shipibo
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from json import dumps

from seshat.command import main
from seshat.doctor import examine
from seshat.engines.download import folder_of
from seshat.errors import SeshatError
from seshat.finding import FAIL, WARN, Finding
from seshat.messages import say, spoken
from seshat.settings import Settings
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--cluster", action="store_true", help="look at every node of the cluster, and at its locks")
ARGUMENTS.add_argument("--json", action="store_true", help="for programs")


def run(settings: Settings, *, cluster: bool = False, json: bool = False) -> None:
    found = [*examine(settings)]
    if cluster:
        from seshat.cluster.checkup import examine_cluster
        from seshat.cluster.connect import connect

        with connect(settings):
            found += examine_cluster(_files(settings))
    print(_as_json(found) if json else spoken("\n".join(map(str, found))))
    failed, warned = (sum(one.verdict == verdict for one in found) for verdict in (FAIL, WARN))
    say(f"{len(found) - failed - warned} pass, {warned} warn, {failed} fail", file=sys.stderr)
    if failed:
        raise SeshatError("doctor: something is missing; the commands behind the arrows mend it")


def _as_json(found: Sequence[Finding]) -> str:
    return dumps([asdict(one) for one in found], ensure_ascii=False, indent=1)


def _files(settings: Settings) -> list[str]:
    """What every node has to see."""
    store = Store(settings.root)
    if not store.local:
        return []
    base = folder_of(settings.training.model)
    return [store.root, *([store.path(base)] if store.manifest(base) else [])]


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
