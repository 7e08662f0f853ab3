"""Take a package of 'seshat package' in, find or fetch its base, check both, and serve it.

Examples:
    seshat apply first.seshat.tar
    seshat apply first.seshat.tar --base /models/Qwen3-14B --only
"""

import argparse

from seshat.cluster.connect import connect
from seshat.command import main
from seshat.export.export import GGUF, MERGED, export
from seshat.export.known import ADAPTERS
from seshat.export.share import apply
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, on_files

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("package", metavar="FILE", help="NAME.seshat.tar")
ARGUMENTS.add_argument("--base", default="", metavar="FOLDER", help="the base model, if it is neither in the workspace nor on the hub")
ARGUMENTS.add_argument("--only", action="store_true", help="do not serve it")


def run(settings: Settings, *, package: str, base: str, only: bool) -> Outcome:
    name, exported = take(settings, package, base)
    if only:
        return Outcome(stage="apply", note=exported.note)
    from serve.app import run as serve  # loads Ray Serve
    from serve.models import workspace

    serving = settings.serving.model_copy(update={"model": f"{GGUF}/{name}", "engine": "llamacpp"})
    with connect(settings):
        serve(serving, workspace(serving, settings.root, settings.cluster.working_copies))
    return Outcome(stage="apply", note="stopped")


@on_files(*BASE, ADAPTERS, MERGED, GGUF)
def take(settings: Settings, package: str, base: str) -> tuple[str, Outcome]:
    """Put a package into the workspace, and make of it what can be served; its name."""
    store = Store(settings.root)
    name = apply(store, package, base)
    return name, export(settings.export, store, name)


if __name__ == "__main__":
    main(run, __doc__, section="serving", arguments=ARGUMENTS)
