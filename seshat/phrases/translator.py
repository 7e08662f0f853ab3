"""Phrase-based translation of whole sentences: words through the phrase table, numbers and names as they are, punctuation in its place.

The words of the source are put into the order of the target language first (``seshat.phrases.order``); because that is learnt from few
and uncertain links, translations in the order of the source are candidates, too. Weights are the same for all languages.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import regex

from seshat.hints import Forms, senses
from seshat.language import word_spans, words
from seshat.neighbours import Neighbours
from seshat.phrases.consensus import agreement, consensus
from seshat.phrases.loans import Loans
from seshat.phrases.ngram import NgramModel
from seshat.phrases.order import Order
from seshat.phrases.search import Found, Option, Search
from seshat.phrases.surface import Surface
from seshat.phrases.table import LONGEST, Entry, PhraseTable
from seshat.phrases.words import align

VERSION = 2
"""Raised when the same pairs give other translations."""
LONGEST_SENTENCE = 80
"""Words of a training sentence; longer ones say too little for what they cost."""
LONGEST_SEARCH = 40
"""Words that are searched at once."""
PER_WORD = (0.0, 0.3, 0.6, 0.9)
"""What a word of the translation is worth: all of these are tried."""
USUAL_WORD = 0.3
"""The one of them for a single best translation."""
CANDIDATES = 25
"""Translations that are compared, for each of these."""
SPREAD = 0.25
"""The standard deviation of the logarithm of a translation's length around what is usual."""
RATIO_LENGTH = 20
"""Characters of a source that says something about lengths."""
ALTERNATIVES = 4
"""Translations of a known form that an unknown word may take."""
BLEU = 0.1
"""How much precision of words counts when candidates are compared; see ``consensus``."""
ALIKE, LONG = 0.4, 70
"""A training sentence that is as much like a text of so many characters is so for a reason, not by chance."""
UNLIKE = 0.3
"""If its translation has no more than this chrF++ in common with ours, its phrases were not found, and it is the better one."""
UNKNOWN = -3.0
"""The logarithm that stands for each probability of a word that is copied."""
ARRANGED = 0.7
"""How much translations in the order of the target count; the others are in the order of the source."""
_DIGIT = regex.compile(r"\p{N}")


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the features of a translation; those of probabilities multiply natural logarithms."""

    forward: float = 0.1
    backward: float = 0.2
    words_forward: float = 0.1
    words_backward: float = 0.1
    language: float = 0.2
    """Of the language model."""
    copied: float = -1.0
    form: float = -1.5
    """For a word that is translated as another form."""

    def score(self, entry: Entry) -> float:
        """Of an entry, without the language model and what a word is worth."""
        return (
            self.forward * entry.forward
            + self.backward * entry.backward
            + self.words_forward * entry.words_forward
            + self.words_backward * entry.words_backward
        )


DEFAULT = Weights()


class PhraseTranslator:
    """A phrase table for each order of the source, and a language model."""

    def __init__(
        self,
        table: PhraseTable,
        order: Order,
        arranged: PhraseTable,
        model: NgramModel,
        loans: Loans,
        memory: Sequence[tuple[str, str]],
        *,
        capitals: frozenset[str],
        growth: float,
    ) -> None:
        """``table`` is for sources as they are, ``arranged`` for those that ``order`` has put into the order of the target.

        ``capitals`` has the words of the target language, in small letters, that begin with a capital anywhere in a sentence;
        ``growth`` is how many characters a translation usually has for each of its source; ``memory`` has whole sentences and their
        translations.
        """
        self.table, self.order, self.arranged, self.model = table, order, arranged, model
        self._loans, self._capitals, self._growth = loans, capitals, growth
        self._memory = memory
        self._forms = Forms(phrase[0] for phrase in table if len(phrase) == 1)

    @classmethod
    def train(
        cls, pairs: Sequence[tuple[str, str]], *, entries: Iterable[tuple[str, str]] = (), texts: Iterable[str] = ()
    ) -> PhraseTranslator:
        """From pairs of (source, translation), dictionary ``entries`` the same way, and ``texts`` in the target language alone."""
        read = [(Surface.read(source), words(target)) for source, target in pairs]
        read += [(Surface.read(source), words(sense)) for source, target in entries for sense in senses(target)]
        read = [(source, target) for source, target in read if 0 < len(source.words) <= LONGEST_SENTENCE >= len(target) > 0]
        memory = [pair for pair in pairs if all(words(side) for side in pair)]
        sentences = [(source.small, target) for source, target in read]
        links = align(sentences)
        order = Order(sentences, links, [source.parts for source, _ in read])
        arranged = [(source.arranged(order.arrange).small, target) for source, target in read]
        model = NgramModel([target for _, target in sentences] + [words(text) for text in texts])
        ratios = [len(target) / len(source) for source, target in memory if len(source) >= RATIO_LENGTH]
        return cls(
            PhraseTable.extract(sentences, links),
            order,
            PhraseTable.extract(arranged, align(arranged)),
            model,
            Loans(sentences, [source.capitals for source, _ in read]),
            memory,
            capitals=_capitals(target for _, target in pairs),
            growth=statistics.median(ratios) if ratios else 1.0,
        )

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translation of each text on which the best ones agree: in both orders, and shorter and longer ways to say it.

        What a word more is worth differs between languages, and a training text of another kind does not tell it; how many characters
        a translation takes does not differ that much. Where a long text is much like a sentence of the training text and
        translated quite differently, that sentence's translation.
        """
        if not self._memory:
            return [self._agreed(text) for text in texts]
        places, similarities = self._near.nearest(texts)
        memory = zip(texts, places[:, 0].tolist(), similarities[:, 0].tolist(), strict=True)
        return [self._better(text, self._memory[place], alike) for text, place, alike in memory]

    @cached_property
    def _near(self) -> Neighbours:
        return Neighbours([source for source, _ in self._memory])

    def _better(self, text: str, remembered: tuple[str, str], alike: float) -> str:
        """Our translation of a text, or that of a training sentence which is so much alike."""
        ours, (source, translation) = self._agreed(text), remembered
        is_near = alike >= ALIKE and len(text) >= LONG and len(text) <= 2 * len(source) <= 4 * len(text)
        return translation if is_near and agreement([translation, ours])[0, 1] <= UNLIKE else ours

    def _agreed(self, text: str) -> str:
        source = Surface.read(text)
        if not source.words:
            return source.between[0]
        candidates = self._candidates(source)
        wanted = self._growth * max(1, len(text))
        likely = [math.exp(-0.5 * (math.log(max(1, len(said)) / wanted) / SPREAD) ** 2) for said in candidates]
        return list(candidates)[consensus(list(candidates), np.array(list(candidates.values())) * likely, bleu=BLEU)]

    def _candidates(self, source: Surface) -> dict[str, float]:
        """Translations of a text that has words, with the probability that each is the best one; lengths apart."""
        found: dict[str, float] = {}
        capitals = self._capitals | self._bare_names(source)
        for surface, table, share in self._views(source):
            searches = self._searches(surface, table)
            for word in PER_WORD:
                best = _best(surface, searches, CANDIDATES, word, capitals)
                shares = np.exp(np.array([score for score, _ in best]) - best[0][0])
                for (_, said), its in zip(best, share * shares / shares.sum(), strict=True):
                    found[said] = found.get(said, 0.0) + float(its)
        return found

    def _views(self, source: Surface) -> list[tuple[Surface, PhraseTable, float]]:
        """A text in both orders, with what translates it and how much that counts."""
        return [(source, self.table, 1 - ARRANGED), (source.arranged(self.order.arrange), self.arranged, ARRANGED)]

    def best(self, text: str, number: int = 1) -> list[tuple[float, str]]:
        """The best translations of a text in the order of the target with their scores, the best first; between one and ``number``."""
        source = Surface.read(text)
        if not source.words:
            return [(0.0, source.between[0])]
        arranged = source.arranged(self.order.arrange)
        capitals = self._capitals | self._bare_names(source)
        return _best(arranged, self._searches(arranged, self.arranged), number, USUAL_WORD, capitals)

    def _bare_names(self, source: Surface) -> set[str]:
        """The names of a text without their endings, in small letters."""
        return {stem for name in source.capitals if (stem := self._loans.find(name, is_name=True))}

    def _searches(self, source: Surface, table: PhraseTable) -> list[Search]:
        """One for each part of a text; most have one."""
        parts = [range(at, min(len(source.words), at + LONGEST_SEARCH)) for at in range(0, len(source.words), LONGEST_SEARCH)]
        return [Search(self._options(source, places, table), len(places), self.model) for places in parts]

    def _options(self, source: Surface, places: range, table: PhraseTable) -> list[Option]:
        """All ways to translate parts of the words at some places; options count from the first of these."""
        small = source.small[places.start : places.stop]
        fixed = [bool(_DIGIT.search(word)) for word in small]
        options = []
        for begin in range(len(small)):
            for end in range(begin + 1, min(len(small), begin + LONGEST) + 1):
                if any(fixed[begin:end]):
                    break
                found = table.get(small[begin:end], ())
                options += [Option(begin, end, entry.target, DEFAULT.score(entry)) for entry in found]
            if fixed[begin] or (small[begin],) not in table:
                is_name = fixed[begin] or source.is_capital(places[begin])
                options += self._unknown(begin, small[begin], table, is_name=is_name)
        return options

    def _unknown(self, place: int, word: str, table: PhraseTable, *, is_name: bool) -> Iterator[Option]:
        """Copy a word that the table lacks, whole or without its ending; or translate it as a form of another, unless it is a name.

        Numbers stay whole.
        """
        stem = "" if _DIGIT.search(word) else self._loans.find(word, is_name=is_name)
        for said, extra in ((word, DEFAULT.copied), (stem, 0.0)) if stem else ((word, DEFAULT.copied),):
            unknown = Entry((said,), UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
            yield Option(place, place + 1, (said,), DEFAULT.score(unknown) + extra)
        known = "" if is_name else self._forms.find(word)
        for entry in table.get((known,), ())[:ALTERNATIVES] if known != word else ():
            yield Option(place, place + 1, entry.target, DEFAULT.score(entry) + DEFAULT.form)


def _best(source: Surface, searches: Sequence[Search], number: int, word: float, capitals: Set[str]) -> list[tuple[float, str]]:
    parts = [search.best(DEFAULT.language, word, number=number) for search in searches]
    together = [_joined(found) for found in zip(*parts, strict=False)]
    return [(found.score, source.written(found.options, capitals)) for found in together]


def _joined(parts: Sequence[Found]) -> Found:
    """Translations of the parts of a long sentence as one."""
    moved = [
        replace(option, begin=option.begin + LONGEST_SEARCH * number, end=option.end + LONGEST_SEARCH * number)
        for number, part in enumerate(parts)
        for option in part.options
    ]
    return Found(math.fsum(part.score for part in parts), tuple(moved))


def _capitals(texts: Iterable[str]) -> frozenset[str]:
    """Words that are written with a capital more often than not, the first of each text apart, at least twice."""
    large, small = Counter[str](), Counter[str]()
    for text in texts:
        for begin, end in word_spans(text)[1:]:
            word = text[begin:end]
            (large if word[0].isupper() and not word.isupper() else small)[word.lower()] += 1
    return frozenset(word for word, count in large.items() if count > 1 and count > small[word])
