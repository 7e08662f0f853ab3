"""What a model cannot do, in sentences that a reader without numbers understands."""

from __future__ import annotations

from collections.abc import Iterator

from seshat.evaluation.advice import Evidence, Habit, listed, of_100
from seshat.evaluation.forgetting import Forgetting
from seshat.language import Language

TO_SHOW = 6


def limits(evidence: Evidence, forgotten: Forgetting | None, test_set: str) -> tuple[str, ...]:
    """The sentences, from what was measured to what was not."""
    language = evidence.language
    return (
        *(_habit(one, language) for one in evidence.habits if one.task == "translation"),
        *_words(evidence),
        *_forms(evidence),
        *([forgotten.sentence(language.bridge.name)] if forgotten else []),
        f"All of this was measured on {test_set}. What the model does with other kinds of text is not known.",
        "Whether a translation says what the source says, whether it is idiomatic and whether it offends, no program sees: speakers do "
        "(`seshat review`).",
    )


def _habit(one: Habit, language: Language) -> str:
    """How often the model does what translators do not, in one direction."""
    target = one.direction.partition("-")[2]
    name = language.bridge.name if target == language.bridge.code else language.name
    said = []
    if one.ours.invented and one.references.invented:
        said.append(
            f"of 100 words that it writes, {of_100(one.ours.invented)} are in no text or dictionary that it was trained with, nor are "
            f"forms of words that are (in people's translations: {of_100(one.references.invented)})"
        )
    shares = {
        "are in the wrong language": one.ours.wrong_language,
        "are the source again": one.ours.copied,
        "go round in circles": one.ours.repeated,
    }
    found = [f"{of_100(share)} {what}" for what, share in shares.items() if share and share.hits]
    none = "no translation is a copy, goes round in circles or is in the wrong language"
    said.append(f"of 100 translations, {listed(found)}" if found else none)
    if one.ours.ended and one.ours.ended.hits < one.ours.ended.total:
        said.append(f"{of_100(one.ours.ended)} of 100 end by themselves")
    return f"Into {name}: {'; '.join(said)}."


def _words(evidence: Evidence) -> Iterator[str]:
    found = evidence.gaps
    if found and found.words:
        yield (
            f"It has hardly any way to know {found.num_words:,} words of the sentences in {evidence.language.bridge.name}, "
            f"{found.share:.1%} of all their words: {listed(gap.word for gap in found.words[:TO_SHOW])} and others."
        )


def _forms(evidence: Evidence) -> Iterator[str]:
    if evidence.lacking:
        pieces = listed(f"{one.piece} ({listed(one.examples[:2])})" for one in evidence.lacking[:TO_SHOW])
        yield f"It seldom uses forms of {evidence.language.name} that people use often: {pieces}."
