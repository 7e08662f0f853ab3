"""Add tokens for the language to the base model (training.extend.tokens of them), and compare bits per character on held-out text.

Run again after training, it compares the trained adapter, too.

Examples:
    seshat tokenizer-extend root=workspaces/shipibo extend.tokens=500
"""

import time

from seshat.command import main
from seshat.errors import ConfigError
from seshat.evaluation.vocabulary import Model, compare, note, table
from seshat.messages import say
from seshat.preview import is_on
from seshat.rights import read_rights
from seshat.settings import Settings
from seshat.step import Outcome
from seshat.store import Store
from seshat.working_copy import BASE, on_files


def wanted(settings: Settings) -> bool:
    """Only if somebody asked for it."""
    return settings.training.extend.tokens > 0


@on_files(*BASE, "models/adapters/{training.name}")
def run(settings: Settings) -> Outcome:
    from seshat.training.run import base_folder, ensure_trained_base, finished_adapter  # loads torch

    if not wanted(settings):
        raise ConfigError("training.extend.tokens is 0, so there is nothing to add: say how many, for example extend.tokens=500")
    start, store = time.monotonic(), Store(settings.root)
    rights = read_rights(store.path(settings.data.raw))
    base, folder, before = ensure_trained_base(settings.training, settings.language, settings.prompts, store, rights)
    if is_on():
        return Outcome(stage="tokenizer-extend", done_before=before, note=folder)
    systems = {"base": Model(base_folder(settings.training, store)), "extended": Model(folder)}
    if adapter := finished_adapter(settings.training, base, store):
        systems["extended, trained"] = Model(folder, adapter)
    rows, known = compare(systems, settings.language, store, settings.evaluation.perplexity_sample)
    say(table(rows))
    text = f"{base.notes['tokens']} tokens in {folder}; {note(rows)}"
    return Outcome(stage="tokenizer-extend", seconds=time.monotonic() - start, done_before=before and known, note=text)


if __name__ == "__main__":
    main(run, __doc__, section="training", previews=True)
