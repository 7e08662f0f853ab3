"""What in the kept pairs a person should look at: numbers and punctuation that differ, stretches in the other language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from seshat.config import Section
from seshat.data.agreement import numbers_of
from seshat.identify import Identifier
from seshat.language import Language
from seshat.records import SentencePair
from seshat.switching import Span, code_switching

NUM_SAMPLES = 12
LEAST_WORDS = 3
"""A shorter stretch in another language may be a name or a loan."""
DIFFERENT = 0.5
"""Below this, the marks of two sides do not agree."""


class SamplePair(Section):
    """A pair to read."""

    text: str
    translation: str
    origin: str
    score: float

    @classmethod
    def of(cls, pair: SentencePair) -> SamplePair:
        """What is shown of a pair."""
        return cls(text=pair.text, translation=pair.translation, origin=pair.origin, score=pair.score)


class Agreement(Section):
    """How far what any two languages share agrees in the pairs; nothing is rejected for it."""

    with_numbers: int
    """Pairs with a number in digits on either side."""
    numbers_differ: int
    punctuation_differs: int
    """Pairs with an agreement of the marks below DIFFERENT."""
    samples: tuple[SamplePair, ...]
    """Pairs whose numbers agree least."""


class Switches(Section):
    """Texts that should be in one language and have a stretch in the other (code-switching)."""

    code: str
    num_texts: int
    """With a stretch of at least LEAST_WORDS words."""
    samples: tuple[str, ...]
    """The longest stretches first, each in its text, between brackets, with its origin."""


def agreement(pairs: Iterable[SentencePair]) -> Agreement:
    """Count the pairs whose numbers or marks differ."""
    known = list(pairs)
    differ = sorted((pair for pair in known if pair.numbers < 1), key=lambda pair: (pair.numbers, pair.digest))
    return Agreement(
        with_numbers=sum(bool(numbers_of(pair.text) or numbers_of(pair.translation)) for pair in known),
        numbers_differ=len(differ),
        punctuation_differs=sum(pair.punctuation < DIFFERENT for pair in known),
        samples=tuple(map(SamplePair.of, differ[:NUM_SAMPLES])),
    )


def switches(pairs: Sequence[SentencePair], language: Language) -> Iterator[Switches]:
    """Where texts change to the other language, by an identifier that learns from these pairs; nothing if there are none."""
    sides = {language.code: [pair.text for pair in pairs], language.bridge.code: [pair.translation for pair in pairs]}
    if not pairs:
        return
    identifier = Identifier.train(sides)
    for code, texts in sides.items():
        found = [(span, place) for place, spans in enumerate(code_switching(texts, identifier, code)) for span in spans]
        found = sorted(
            ((span, place) for span, place in found if span.num_words >= LEAST_WORDS), key=lambda one: (-one[0].num_words, one[1])
        )
        yield Switches(
            code=code,
            num_texts=len({place for _, place in found}),
            samples=tuple(f"{_marked(texts[place], span)} ({pairs[place].origin})" for span, place in found[:NUM_SAMPLES]),
        )


def _marked(text: str, span: Span) -> str:
    return f"{text[: span.start]}[{text[span.start : span.stop]}]{text[span.stop :]}"
