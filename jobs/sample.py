"""Write the embedded sample language, with all its raw material and gold answers, into the workspace."""

import os

from seshat.command import main
from seshat.sample.grammar import LANGUAGE
from seshat.sample.make import make_sample
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import on_files


def wanted(settings: Settings) -> bool:
    """True for the sample language in a workspace of its own: nobody's raw folder is written to."""
    return settings.data.sample and settings.language.code == LANGUAGE and not os.path.isabs(settings.data.raw)


@on_files("{data.raw}", "data/gold")
def run(settings: Settings) -> Outcome:
    store = Store(settings.root)
    return make_sample(store, store.path(settings.data.raw), seed=settings.data.sample_seed)


if __name__ == "__main__":
    main(run, __doc__, previews=True)
