"""Translate text that nobody has translated with the current model, to train on what is good; --drop takes the last round back.

Examples:
    seshat back-translate root=workspaces/shipibo back_translate.engine=phrases
    seshat back-translate --judge root=workspaces/shipibo
"""

import argparse

from seshat.cluster.data import run_step
from seshat.command import main
from seshat.config import to_yaml
from seshat.data.split import held_out_lines
from seshat.export.export import base_folder
from seshat.messages import say
from seshat.rights import read_rights
from seshat.rounds import back_translate
from seshat.rounds.engines import ADAPTERS, Speaker, model_speaker, phrases_speaker
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.translate import read_card
from seshat.working_copy import BASE, on_files

ARGUMENTS = argparse.ArgumentParser(add_help=False)
ARGUMENTS.add_argument("--drop", action="store_true", help="take the sentences of the last round back")
ARGUMENTS.add_argument("--judge", action="store_true", help="only say what came of the last round")


@on_files(*BASE, "models/adapters/{training.name}")
def run(settings: Settings, *, drop: bool = False, judge: bool = False) -> Outcome | None:
    store = Store(settings.root)
    if drop:
        say(f"{back_translate.drop(store)}\nnow run make format, which leaves them out, and make train")
        return None
    if judge:
        ledger = back_translate.judged(settings.back_translate, settings.evaluation, settings.language, store, speaker(settings, store))
        say("\n".join(map(str, ledger.rounds)) or "there has been no round")
        return None
    begun = back_translate.begin(
        settings.back_translate,
        settings.format,
        settings.evaluation,
        settings.language,
        store,
        speaker(settings, store),
        held_out=held_out_lines(settings.format, store),
        withheld=read_rights(store.path(settings.data.raw)).forbidding("train"),
        dictionary=settings.ocr.dictionary,
        settings_yaml=to_yaml(settings),
    )
    alone = settings.model_copy(update={"execution": "local"})  # a model is asked here, as in eval, where the GPU is
    outcome = run_step(begun.step, settings if settings.back_translate.engine == "phrases" else alone)
    return outcome.model_copy(update={"note": f"{back_translate.finish(begun, store)}; now make format, make train, and this again"})


def speaker(settings: Settings, store: Store) -> Speaker:
    """Who translates."""
    name = settings.training.name
    if settings.back_translate.engine == "phrases":
        return phrases_speaker(store)
    return model_speaker(store, name, base=lambda: base_folder(read_card(store.path(f"{ADAPTERS}/{name}")), store))


if __name__ == "__main__":
    main(run, __doc__, arguments=ARGUMENTS)
