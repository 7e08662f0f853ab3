"""How often a system does what no translator does: invents words, copies, goes round in circles, takes the wrong language, does not end.

Each is a share with its interval, and stands beside that of the references: people's translations hold words that nobody has seen in
training, too, and quote the other language. What is far above the references is the model's fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import regex

from seshat.config import Section
from seshat.evaluation.known import Known, count_words
from seshat.evaluation.shares import Share
from seshat.examples import IN_ONE_LANGUAGE, OF_WORDS
from seshat.identify import Identifier
from seshat.language import words

LOOP_WORDS = 4
"""The most words of a loop; each stands three times in a row."""
_LOOP_IN_WORD = regex.compile(r"(\p{L}{2,6}?)\1{3,}")
NUM_INVENTED = 20
"""Invented words that are shown."""


class Rates(Section):
    """The shares of one system's answers; None where the task or the data does not allow to say."""

    invented: Share | None
    """Of its words with a letter: neither known, nor forms of known ones (``seshat.evaluation.known``), nor in the source."""
    copied: Share
    """Of its answers: the source again, whatever case and punctuation, where the reference is not."""
    repeated: Share
    """Of its answers: a loop (``loops``), where neither reference nor source has one."""
    wrong_language: Share | None
    """Of its answers: surely in another of the languages (``seshat.identify``). Only languages in the training data are known."""
    ended: Share | None
    """Of its answers: ended by themselves, instead of being cut at their limit."""


class Invented(Section):
    """A word that a model made up, as far as one can know."""

    word: str
    count: int
    answer: str
    """The first answer with it."""
    source: str


def rate(
    task: str,
    target: str,
    sources: Sequence[str],
    answers: Sequence[str],
    references: Sequence[str],
    *,
    known: Known | None = None,
    identifier: Identifier | None = None,
    ended: Share | None = None,
) -> Rates:
    """The rates of some answers, which should be in the language ``target``; those of the references tell what is usual.

    ``known`` has the words of that language; ``ended`` is passed on.
    """
    both = list(zip(sources, answers, references, strict=True))
    found = identifier.languages(answers) if identifier and task in IN_ONE_LANGUAGE else []
    in_words = known if task in OF_WORDS else None
    return Rates(
        invented=_invented_share(in_words, both) if in_words else None,
        copied=Share.counted(is_copy(answer, source, reference) for source, answer, reference in both),
        repeated=Share.counted(loops(answer) and not loops(reference) and not loops(source) for source, answer, reference in both),
        wrong_language=Share.counted(code not in ("", target) for code in found) if found else None,
        ended=ended,
    )


def _invented_share(known: Known, both: Iterable[tuple[str, str, str]]) -> Share:
    return Share.clustered((len(known.unknown(answer, source)), count_words(answer)) for source, answer, _ in both)


def invented(known: Known, sources: Sequence[str], answers: Sequence[str], *, most: int = NUM_INVENTED) -> tuple[Invented, ...]:
    """The words that answers invent, the most frequent first, each with where it first stands."""
    counts: Counter[str] = Counter()
    first: dict[str, tuple[str, str]] = {}
    for source, answer in zip(sources, answers, strict=True):
        for word in known.unknown(answer, source):
            counts[word] += 1
            first.setdefault(word, (answer, source))
    chosen = sorted(counts, key=lambda word: (-counts[word], word))[:most]
    return tuple(Invented(word=word, count=counts[word], answer=first[word][0], source=first[word][1]) for word in chosen)


def is_copy(answer: str, source: str, reference: str) -> bool:
    """Whether an answer is the source again, whatever case and punctuation, though the reference is not."""
    said = words(answer)
    return bool(said) and said == words(source) != words(reference)


def loops(text: str) -> bool:
    """Whether a text says the same one to four words three times in a row, or the same two to six letters of a word four times.

    Punctuation does not matter, unless it is all that there is.
    """
    return bool(_LOOP_IN_WORD.search(text)) or any(
        said[start : start + size] == said[start + size : start + 2 * size] == said[start + 2 * size : start + 3 * size]
        for said in (words(text), text.split())
        for size in range(1, LOOP_WORDS + 1)
        for start in range(len(said) - 3 * size + 1)
    )
