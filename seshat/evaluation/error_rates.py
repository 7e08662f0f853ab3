"""Word and character error rates of what was heard: edits for each word, or character, that was said.

Both sides are compared as the words of the language: its own spelling of apostrophes, small letters, no punctuation; an apostrophe or
a hyphen inside a word belongs to it. Characters are those of these words with one space between them. A rate may be above 100: whoever
hears more than was said makes more edits than there are words.

What one recording says hangs together (a voice, a room, a subject), so intervals come from drawing whole recordings (Koehn, 2004; of
speech: Bisani and Ney, 2004, "Bootstrap estimates for confidence intervals in ASR performance evaluation").
"""

# G recordings, R resamples

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seshat.config import Section
from seshat.evaluation.metrics import Counts, Scores, draws, interval
from seshat.evaluation.significance import LEVEL, Verdict, p_value, two_sided
from seshat.language import Language, words

Measure = Literal["wer", "cer"]
MEASURES: tuple[Measure, ...] = ("wer", "cer")
NAMES: Mapping[Measure, str] = {"wer": "WER", "cer": "CER"}
FEWEST = 10
"""With fewer recordings a bootstrap says too little: intervals come out too narrow, and nothing is called better or worse."""
NORMALISED = "small letters, no punctuation, apostrophes as the language writes them"


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was said in a stretch of a recording, and what was understood."""

    recording: str
    """Its name; what has the same name is drawn together."""
    said: str
    heard: str


class Rate(Section):
    """An error rate with what is needed to read it."""

    measure: Measure
    rate: float
    """Edits for each hundred words, or characters, that were said."""
    low: float
    high: float
    """The 95 % interval over the recordings."""
    num_recordings: int
    num_utterances: int

    def __str__(self) -> str:
        return f"{NAMES[self.measure]} {self.rate:.1f} [{self.low:.1f}, {self.high:.1f}]"


class Change(Section):
    """The error rate of one model against that of another, on the same recordings."""

    measure: Measure
    difference: float
    """After minus before: a negative one is good."""
    low: float
    high: float
    p: float
    """How likely so large a difference would be if there were none, either way round."""
    verdict: Verdict
    """``better`` or ``worse`` only with p < .05, on ``FEWEST`` recordings or more."""

    def __str__(self) -> str:
        return f"{NAMES[self.measure]} {self.difference:+.1f} [{self.low:+.1f}, {self.high:+.1f}], {p_value(self.p)}, {self.verdict}"


def normalised(text: str, language: Language) -> list[str]:
    """The words that are compared."""
    return words(language.normalize(text))


def num_edits(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words, or characters, to insert, leave out or exchange (Levenshtein, 1966)."""
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(said, heard))


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Edits and lengths by recording; all numbers derive from them."""

    measure: Measure
    recordings: tuple[str, ...]
    values: Counts
    """[G, 2]: edits, and words or characters that were said."""
    num_utterances: int

    def corpus(self) -> float:
        """The rate over all recordings together."""
        return float(_rates(self.values.sum(axis=0, keepdims=True))[0])

    def bootstrap(self, resamples: int, seed: int) -> Scores:
        """The rates of as many recordings again, drawn with replacement; equal numbers of recordings get equal draws."""
        return np.concatenate([_rates(self.values[drawn].sum(axis=1)) for drawn in draws(len(self.values), resamples, seed)])

    def rate(self, *, resamples: int, seed: int) -> Rate:
        """The rate of all recordings with its interval."""
        low, high = interval(self.bootstrap(resamples, seed))
        return Rate(
            measure=self.measure,
            rate=self.corpus(),
            low=low,
            high=high,
            num_recordings=len(self.values),
            num_utterances=self.num_utterances,
        )


def errors(measure: Measure, hearings: Sequence[Hearing], language: Language) -> Errors:
    """The edits of each recording; at least one hearing is needed."""
    if not hearings:
        raise ValueError("there is nothing to compare: an error rate needs at least one utterance")
    sums: dict[str, list[int]] = {}
    for one in hearings:
        said, heard = normalised(one.said, language), normalised(one.heard, language)
        edits, length = (
            (num_edits(said, heard), len(said)) if measure == "wer" else (num_edits(" ".join(said), " ".join(heard)), len(" ".join(said)))
        )
        counts = sums.setdefault(one.recording, [0, 0])
        counts[0] += edits
        counts[1] += length
    return Errors(measure, tuple(sums), np.array(list(sums.values()), dtype=np.int64), len(hearings))


def change(before: Errors, after: Errors, *, resamples: int, seed: int) -> Change:
    """What became of an error rate; both are of the same measure and of the same recordings in the same order."""
    if before.measure != after.measure or before.recordings != after.recordings:
        raise ValueError("two models are compared by one measure on the same recordings")
    differences = after.bootstrap(resamples, seed) - before.bootstrap(resamples, seed)
    low, high = interval(differences)
    difference, p = after.corpus() - before.corpus(), two_sided(differences)
    told_apart = p < LEVEL and len(before.values) >= FEWEST and difference != 0
    verdict: Verdict = "not told apart" if not told_apart else "better" if difference < 0 else "worse"
    return Change(measure=before.measure, difference=difference, low=low, high=high, p=p, verdict=verdict)


def caution(num_recordings: int) -> str:
    """What to say beside intervals from few recordings; empty where there are enough."""
    if num_recordings >= FEWEST:
        return ""
    return (
        f"only {num_recordings} recordings were held out: intervals from fewer than {FEWEST} are too narrow, and nothing is called better "
        "or worse; hold out more, or listen to what was heard (held_out.jsonl)"
    )


def _rates(sums: Counts) -> Scores:
    edits, length = sums.T.astype(np.float64)
    rates: Scores = 100 * np.divide(edits, length, out=(edits > 0).astype(np.float64), where=length > 0)
    return rates
