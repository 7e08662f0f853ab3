"""Teach a Whisper the language from recordings with trusted transcripts, and say how well it hears recordings it was not taught.

Examples:
    seshat speech-train root=workspaces/shipibo speech.model=/models/whisper-small
    seshat speech-train --pairs recordings/table.tsv speech.name=first
"""

import argparse
import os

from seshat.cluster.connect import connect
from seshat.command import main
from seshat.data.spoken import from_table, from_workspace
from seshat.rights import Rights, Source, read_rights, read_source
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.withdrawals import read_withdrawals
from seshat.working_copy import on_files

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--pairs", default="", metavar="TABLE", help="a table of recordings and texts, in place of what the workspace has")


@on_files("models/speech/{speech.name}", "{speech.model}")
def run(settings: Settings, *, pairs: str = "") -> Outcome:
    from seshat.cluster.speech_train import speech_train  # loads torch

    store, raw = Store(settings.root), Store(settings.root).path(settings.data.raw)
    withdrawn = read_withdrawals(store)
    if pairs:
        folder = os.path.dirname(os.path.abspath(pairs))
        material = from_table(pairs, settings.language)
        rights = Rights(sources={os.path.basename(folder): read_source(folder) or Source()})
    else:
        material = from_workspace(store, raw, settings.language, settings.ingest, withdrawn)
        rights = read_rights(raw)
    outcome, card = speech_train(
        settings.speech,
        settings.language,
        material,
        store,
        rights=rights,
        without=[one.source for one in withdrawn.sources],
        execution=settings.execution,
        session=lambda: connect(settings),
        patience=settings.cluster.patience,
    )
    print(card)
    return outcome


if __name__ == "__main__":
    main(run, __doc__, section="speech", arguments=ARGUMENTS, previews=True)
