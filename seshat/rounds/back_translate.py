"""The verb ``back-translate``: sentences that nobody has translated, translated by the model, teach it the other direction.

Back-translation (Sennrich, Haddow and Birch, 2016): the source is written by a model, the target by a person, so what is learnt to
write is always human. It helps if the direction that writes the sources is good, and ruins a model if it is not; in rounds each model
writes for the next one (Hoang et al., 2018, "Iterative Back-Translation"). So a round needs an engine that is better than what needs no
model, its sentences are filtered, examples of them are marked (``seshat.prompts.BACK_TRANSLATED``), there are not more of them than of
people's, and after a round that made the validation part worse there is no other.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from dataclasses import dataclass

from seshat.data.split import Split
from seshat.errors import DataError, StoreError
from seshat.evaluation.cases import read_split
from seshat.evaluation.scoring import draws_of
from seshat.evaluation.settings import Evaluation
from seshat.language import Language
from seshat.rounds import gate
from seshat.rounds.candidates import candidates, guarded_texts, write
from seshat.rounds.engines import TRAIN, Speaker
from seshat.rounds.ledger import Ledger, Outturn, Round, read_ledger, write_ledger
from seshat.rounds.settings import BackTranslate
from seshat.rounds.stage import Translate
from seshat.step import Step
from seshat.store import PROCESSED, Manifest, Store
from seshat.working_copy import discard

log = logging.getLogger(__name__)
STAGE = "back-translate"
DROP = "seshat back-translate --drop"


@dataclass(frozen=True, slots=True)
class Begun:
    """A round that may begin."""

    step: Step
    round: Round
    """What is known of it beforehand."""


def judged(settings: BackTranslate, evaluation: Evaluation, language: Language, store: Store, speaker: Speaker) -> Ledger:
    """The rounds so far; the last one with what came of it, if this engine learnt from other data than the one that wrote it."""
    ledger = read_ledger(store)
    last = ledger.last
    if last is None or last.outturn or last.dropped or speaker.identity == last.identity or speaker.data == last.data:
        return ledger
    if store.size(last.measured) < 0:
        log.warning(
            "back-translate: %s is gone (something was withdrawn), so what came of round %d is not known", last.measured, last.number
        )
        return ledger
    after = gate.measure(speaker, language, store, most=settings.val, gloss_minimum=evaluation.gloss_minimum)
    comparisons = gate.compared(after, gate.read(store, last.measured), draws_of(evaluation))
    outturn = Outturn(name=speaker.name, identity=speaker.identity, scores=gate.scores(after), comparisons=comparisons)
    ledger = ledger.put(last.model_copy(update={"outturn": outturn}))
    write_ledger(store, ledger)
    return ledger


def begin(
    settings: BackTranslate,
    split: Split,
    evaluation: Evaluation,
    language: Language,
    store: Store,
    speaker: Speaker,
    *,
    held_out: Iterable[str] = (),
    withheld: Container[str] = (),
    dictionary: tuple[str, ...] = (),
    settings_yaml: str = "",
) -> Begun:
    """Judge the last round and the engine, and choose the sentences; nothing is translated yet but the validation part.

    ``held_out`` are the sentences of external test sets, ``withheld`` collections that must not be trained on, ``dictionary`` patterns
    of scanned dictionaries.

    Raises:
        DataError: If the last round made val worse, if the engine is not good enough, or if there is no sentence to translate.
    """
    store.require("align", needed_by=STAGE)
    last = judged(settings, evaluation, language, store, speaker).last
    if last and last.fell:
        _stop(_fallen(last), settings)
    measured = gate.measure(speaker, language, store, most=settings.val, gloss_minimum=evaluation.gloss_minimum)
    writes = _writes(settings, language)
    for direction in writes:
        if why := gate.refusal(measured, direction, settings.least, draws_of(evaluation)):
            _stop(f"back-translate: {speaker.name} is not good enough to write sentences to learn from. {why}", settings)
    training = read_split(store, "train")
    guarded = guarded_texts([*read_split(store, "val"), *read_split(store, "test")], held_out)
    found = candidates(settings, split, language, store, training, guarded, withheld=withheld, dictionary=dictionary)
    if not any(not one.rejected for one in found):
        raise DataError(
            f"back-translate: none of {len(found):,} sentences without a translation can be used: put text in the language into "
            "data/raw/translations (story.CODE.txt), run make ingest, make align and make format, then this again"
        )
    round_ = Round(
        number=(last.number + bool(last.outturn)) if last else 1,
        engine=speaker.name,
        identity=speaker.identity,
        data=speaker.data,
        directions=tuple("-".join(reversed(direction.split("-"))) for direction in writes),
        kept=0,
        rejected={},
        scores=gate.scores(measured),
        measured=gate.file_of(speaker, store, settings.val),
    )
    stage = _stage(settings, language, store, speaker, round_.number, guarded)
    step = Step(STAGE, (stage,), write(found, store, settings.batch), settings=settings_yaml, max_rejected=1.0)
    return Begun(step, round_)


def finish(begun: Begun, store: Store) -> Round:
    """Note a round whose step is done."""
    manifest: Manifest = store.require(STAGE, needed_by="back-translate")
    done = begun.round.model_copy(update={"kept": manifest.kept, "rejected": manifest.rejected})
    write_ledger(store, read_ledger(store).put(done))
    return done


def drop(store: Store) -> Round:
    """Take the sentences of the last round back: ``make format`` does not see them any more."""
    last = read_ledger(store).last
    if last is None:
        raise StoreError("back-translate: there has been no round, so there is nothing to drop")
    discard(store.path(f"{PROCESSED}/{STAGE}/manifest.json"))
    dropped = last.model_copy(update={"dropped": True})
    write_ledger(store, read_ledger(store).put(dropped))
    return dropped


def _stage(settings: BackTranslate, language: Language, store: Store, speaker: Speaker, number: int, guarded: frozenset[str]) -> Translate:
    return Translate(
        language=language,
        round=number,
        speaker=speaker,
        train=store.path(TRAIN),
        train_sha256=store.vouch(TRAIN).sha256,
        guarded=guarded,
        **settings.model_dump(include={"lengths", "copied", "lexicon", "round_trip"}),
    )


def _writes(settings: BackTranslate, language: Language) -> list[str]:
    """The directions in which the engine translates."""
    there, back = f"{language.code}-{language.bridge.code}", f"{language.bridge.code}-{language.code}"
    return {"taught": [there], "bridge": [back], "both": [there, back]}[settings.text]


def _fallen(last: Round) -> str:
    cure = (
        "its sentences are dropped, and no other round is to be had from this text: bring more or better data (seshat next)"
        if last.dropped
        else f"drop its sentences ({DROP}), then run make format and make train; better data is the way on (seshat next), not another round"
    )
    return f"back-translate: round {last.number} made val worse in {', '.join(last.fell)}.\n{last}\n{cure}"


def _stop(why: str, settings: BackTranslate) -> None:
    if not settings.force:
        raise DataError(f"{why}. (back_translate.force=true goes on all the same.)")
    log.warning("%s; going on, as back_translate.force says", why)
