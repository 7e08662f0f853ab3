"""The verb ``phrases``: phrase-based translation as a model that can be served, for a machine on which no language model can be trained.

What it learns from lies in its folder, and it learns when it is loaded, in a minute for 30,000 pairs. For a language of few texts it
says more than a small language model (`docs/shipibo.md`); it knows no other task than translating.
"""

from __future__ import annotations

import os
import time

from seshat.examples import TRAINING, by_people, read_examples, to_line
from seshat.export.folders import Building
from seshat.hints import TASKS
from seshat.language import Language
from seshat.phrases.translator import VERSION
from seshat.preview import about_to_make
from seshat.prompts import CARD, Card
from seshat.records import digest
from seshat.rights import Rights
from seshat.step import Outcome
from seshat.store import Manifest, Store
from seshat.withdrawals import read_withdrawals

STAGE, NAME = "phrases", "phrases"
FOLDER = f"models/phrases/{NAME}"
PAIRS = "pairs.jsonl"
"""The file of such a model with the translations and entries that it learns from."""
TRAIN = f"{TRAINING}/train.jsonl"


def export_phrases(store: Store, language: Language, rights: Rights) -> Outcome:
    """Write ``models/phrases/phrases`` from the training data; what is there from the same data is not written again.

    Raises:
        StoreError: If there is no training data.
        ConfigError: If a source of it may not be learnt from.
    """
    started = time.perf_counter()
    examples = [one for one in by_people(read_examples(store.path(TRAIN))) if one.task in TASKS]
    train = store.vouch(TRAIN).sha256
    allowed = rights.to_train({one.collection for one in examples})
    withdrawn = read_withdrawals(store)
    withdrawn.refuse_examples(store)
    card = Card(
        name=NAME,
        language=language,
        base="phrases",
        data={os.path.basename(TRAIN): train},
        rights=allowed,
        without=tuple(one.source for one in withdrawn.sources),
    )
    fingerprint = digest(STAGE, VERSION, card.model_dump_json())
    done = store.done(FOLDER, fingerprint)
    if not done:
        about_to_make(STAGE, FOLDER, store)
        building = Building(store, FOLDER, STAGE)
        with open(os.path.join(building.path, PAIRS), "w", encoding="utf-8") as stream:
            stream.writelines(f"{to_line(one)}\n" for one in examples)
        with open(os.path.join(building.path, CARD), "w", encoding="utf-8") as stream:
            stream.write(card.model_dump_json(indent=1))
        building.finish(Manifest(stage=STAGE, fingerprint=fingerprint, inputs={"train.jsonl": train}))
    note = f"{FOLDER}; make serve ARGS=engine=phrases"
    seconds = time.perf_counter() - started
    return Outcome(stage=STAGE, rows_in=len(examples), kept=len(examples), seconds=seconds, done_before=bool(done), note=note)
