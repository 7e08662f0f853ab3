"""Take a package of 'seshat package' in, find or fetch its base, check both, and serve it."""

import argparse

from seshat.cluster.connect import connect
from seshat.command import main
from seshat.export.export import export
from seshat.export.share import apply
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("package", metavar="FILE", help="NAME.seshat.tar")
ARGUMENTS.add_argument("--base", default="", metavar="FOLDER", help="the base model, if it is neither in the workspace nor on the hub")
ARGUMENTS.add_argument("--only", action="store_true", help="do not serve it")


def run(settings: Settings, *, package: str, base: str, only: bool) -> Outcome:
    store = Store(settings.root)
    name = apply(store, package, base)
    exported = export(settings.export, store, name)
    if only:
        return Outcome(stage="apply", note=exported.note)
    from serve.app import run as serve  # loads Ray Serve

    with connect(settings):
        serve(settings.serving.model_copy(update={"model": f"models/gguf/{name}", "engine": "llamacpp"}), store)
    return Outcome(stage="apply", note="stopped")


if __name__ == "__main__":
    main(run, __doc__, section="serving", arguments=ARGUMENTS)
