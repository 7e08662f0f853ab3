"""Phrase-based translation of whole sentences: words through the phrase table, numbers and names as they are, punctuation in its place.

The order of the source is kept, and weights are the same for all languages.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import regex

from seshat.hints import Forms, senses
from seshat.language import clean_spaces, word_spans, words
from seshat.phrases.consensus import consensus
from seshat.phrases.ngram import NgramModel
from seshat.phrases.search import Found, Option, best
from seshat.phrases.table import LONGEST, Entry, PhraseTable
from seshat.phrases.words import align

LONGEST_SENTENCE = 80
"""Words of a training sentence; longer ones say too little for what they cost."""
LONGEST_SEARCH = 40
"""Words that are searched at once."""
PER_WORD = (0.0, 0.3, 0.6, 0.9)
"""The weights of a word that are tried."""
CANDIDATES = 25
"""Translations that are compared, for each of these."""
SPREAD = 0.25
"""The standard deviation of the logarithm of a translation's length around what is usual."""
RATIO_LENGTH = 20
"""Characters of a source that says something about lengths."""
ALTERNATIVES = 4
"""Translations of a known form that an unknown word may take."""
UNKNOWN = -3.0
"""The logarithm that stands for each probability of a word that is copied."""
_LETTER = regex.compile(r"\p{L}")
_DIGIT = regex.compile(r"\p{N}")
_SENTENCE = regex.compile(r"([.!?…][\"'»”)]*\s+\P{L}*)(\p{Ll})")


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the features of a translation; those of probabilities multiply natural logarithms."""

    forward: float = 0.1
    backward: float = 0.2
    words_forward: float = 0.1
    words_backward: float = 0.1
    language: float = 0.2
    """Of the language model."""
    word: float = 0.3
    """For every word of the translation."""
    copied: float = -1.0
    form: float = -1.5
    """For a word that is translated as another form."""

    def score(self, entry: Entry) -> float:
        """Of an entry, without the language model."""
        return (
            self.forward * entry.forward
            + self.backward * entry.backward
            + self.words_forward * entry.words_forward
            + self.words_backward * entry.words_backward
            + self.word * len(entry.target)
        )


DEFAULT = Weights()


class PhraseTranslator:
    """A phrase table and a language model."""

    def __init__(self, table: PhraseTable, model: NgramModel, *, capitals: frozenset[str], growth: float) -> None:
        """``capitals`` has the words of the target language, in small letters, that begin with a capital anywhere in a sentence.

        ``growth`` is how many characters a translation usually has for each of its source.
        """
        self.table, self.model = table, model
        self._capitals, self._growth = capitals, growth
        self._forms = Forms(phrase[0] for phrase in table if len(phrase) == 1)

    @classmethod
    def train(
        cls, pairs: Sequence[tuple[str, str]], *, entries: Iterable[tuple[str, str]] = (), texts: Iterable[str] = ()
    ) -> PhraseTranslator:
        """From pairs of (source, translation), dictionary ``entries`` the same way, and ``texts`` in the target language alone."""
        sentences = [(words(source), words(target)) for source, target in pairs]
        sentences += [(words(source), words(sense)) for source, target in entries for sense in senses(target)]
        sentences = [pair for pair in sentences if all(0 < len(side) <= LONGEST_SENTENCE for side in pair)]
        table = PhraseTable.extract(sentences, align(sentences))
        model = NgramModel([target for _, target in sentences] + [words(text) for text in texts])
        ratios = [len(target) / len(source) for source, target in pairs if len(source) >= RATIO_LENGTH]
        capitals = _capitals(target for _, target in pairs)
        return cls(table, model, capitals=capitals, growth=statistics.median(ratios) if ratios else 1.0)

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translation of each text on which the best ones agree: those of shorter and of longer ways to say it.

        What a word more is worth differs between languages, and a training text of another kind does not tell it; how many characters
        a translation takes does not differ that much.
        """
        return [self._agreed(text) for text in texts]

    def _agreed(self, text: str) -> str:
        candidates: dict[str, float] = {}
        for word in PER_WORD:
            found = self.best(text, CANDIDATES, replace(DEFAULT, word=word))
            shares = np.exp(np.array([score for score, _ in found]) - found[0][0])
            for (_, said), share in zip(found, shares / shares.sum(), strict=True):
                candidates[said] = candidates.get(said, 0.0) + float(share)
        wanted = self._growth * max(1, len(text))
        likely = [math.exp(-0.5 * (math.log(max(1, len(said)) / wanted) / SPREAD) ** 2) for said in candidates]
        return list(candidates)[consensus(list(candidates), np.array(list(candidates.values())) * likely)]

    def best(self, text: str, number: int = 1, weights: Weights = DEFAULT) -> list[tuple[float, str]]:
        """The best translations of a text with their scores, the best first; at least one, at most ``number``."""
        text = clean_spaces(text)
        spans = word_spans(text)
        if not spans:
            return [(0.0, text)]
        sentence = [text[begin:end] for begin, end in spans]
        parts = []
        for at in range(0, len(sentence), LONGEST_SEARCH):
            piece = sentence[at : at + LONGEST_SEARCH]
            parts.append(best(self._options(piece, weights, begins=at == 0), len(piece), self.model, weights.language, number=number))
        together = [_joined(found) for found in zip(*parts, strict=False)]
        return [(found.score, self._written(text, spans, found.options)) for found in together]

    def _options(self, sentence: Sequence[str], weights: Weights, *, begins: bool) -> list[Option]:
        """All ways to translate parts of a sentence; ``begins``: a capital at its first word says nothing."""
        small = [word.lower() for word in sentence]
        fixed = [bool(_DIGIT.search(word)) for word in sentence]
        options = []
        for begin in range(len(sentence)):
            for end in range(begin + 1, min(len(sentence), begin + LONGEST) + 1):
                if any(fixed[begin:end]):
                    break
                found = self.table.get(tuple(small[begin:end]), ())
                options += [Option(begin, end, entry.target, weights.score(entry)) for entry in found]
            if fixed[begin] or (small[begin],) not in self.table:
                is_name = fixed[begin] or (sentence[begin] != small[begin] and not (begins and begin == 0))
                options += self._unknown(begin, small[begin], weights, is_name=is_name)
        return options

    def _unknown(self, place: int, word: str, weights: Weights, *, is_name: bool) -> Iterator[Option]:
        """Copy a word that the table lacks or, unless it is a name or a number, translate it as a form of another."""
        copied = Entry((word,), UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
        yield Option(place, place + 1, (word,), weights.score(copied) + weights.copied)
        known = "" if is_name else self._forms.find(word)
        for entry in self.table[known,][:ALTERNATIVES] if known else ():
            yield Option(place, place + 1, entry.target, weights.score(entry) + weights.form)

    def _written(self, text: str, spans: Sequence[tuple[int, int]], options: Sequence[Option]) -> str:
        """The words of a translation with the punctuation and the capitals of its source."""
        names = {text[begin:end].lower(): text[begin:end] for begin, end in spans[1:] if text[begin].isupper()}
        edges = [0, *(end for _, end in spans)], [*(begin for begin, _ in spans), len(text)]
        between = [text[begin:end] for begin, end in zip(*edges, strict=True)]
        pieces = [between[0]]
        for option in options:
            said = " ".join(names.get(word) or self._cased(word) for word in option.target)
            inside = [mark for mark in (gap.strip() for gap in between[option.begin + 1 : option.end]) if mark in {",", ";", ":"}]
            behind = between[option.end]
            if said:
                pieces += [said, *inside[:1], behind]
            elif behind.strip():
                pieces[-1] = pieces[-1].rstrip()
                pieces.append(behind)
        written = clean_spaces("".join(pieces))
        first = _LETTER.search(text)
        if first and first.group().isupper():
            written = _LETTER.sub(lambda letter: letter.group().upper(), written, count=1)
        return _SENTENCE.sub(lambda match: match.group(1) + match.group(2).upper(), written)

    def _cased(self, word: str) -> str:
        return word[:1].upper() + word[1:] if word in self._capitals else word


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
