"""Make phrase-based translation of the training pairs a model that can be served, without a GPU: make serve ARGS=engine=phrases.

Examples:
    seshat phrases root=workspaces/shipibo
"""

from seshat.command import main
from seshat.export.phrases import export_phrases
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import on_files


@on_files("models/phrases")
def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    return export_phrases(store, settings.language, read_rights(store.path(settings.data.raw)))


if __name__ == "__main__":
    main(run, __doc__, previews=True)
