"""Write one file that brings a model to somebody else: adapter, card, licences, checksums. They run: seshat apply FILE.

Examples:
    seshat package root=workspaces/shipibo name=first
"""

import os

from seshat.command import main
from seshat.export.share import pack
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, on_files


@on_files(*BASE, "models/adapters/{training.name}", "models/packages")
def run(settings: Settings) -> Outcome:
    path = pack(Store(settings.root), settings.training.name)
    return Outcome(stage="package", note=f"{path} ({os.path.getsize(path) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main(run, __doc__, section="training")
