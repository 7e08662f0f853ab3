"""From recordings with transcripts to utterances: where somebody wrote down what is said, no recogniser is asked."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from pydantic import Field

from seshat.config import Section
from seshat.data.ctc import Vocabulary, align_emissions
from seshat.data.doubts import Guards, loudest
from seshat.data.names import split_name
from seshat.data.readers import RefusedError, open_raw
from seshat.data.readers.audio import decode
from seshat.data.timing import Span, align_transcript
from seshat.data.transcripts import Sentence, Transcribed, read_transcripts
from seshat.engines.emissions import CtcModel, EmissionsEngine, model_version
from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.language import Language, clean_spaces, what_was_written
from seshat.records import Utterance

LETTERS = "letters"
"""The way that needs no model: what the letters sound like is learnt from the recording."""
WRITTEN = "times"
"""The transcript says when."""
_SLACK = 0.5
"""Seconds by which the times of a transcript may go on after the recording has ended."""


class Timing(Section):
    """How transcripts are aligned to their recordings."""

    model: str = ""
    """The folder of a CTC model of transformers that knows the language; empty: none is needed."""
    min_score: float = Field(0.5, ge=0, le=1)
    """A sentence that fits less well with what is heard is rejected: it is not said there, or not so."""

    def aligner(self, root: str = ".") -> Aligner:
        """The way to align; a relative folder is looked for in ``root``. An EngineError says what a folder lacks."""
        if not self.model:
            return Aligner(min_score=self.min_score)
        folder = os.path.join(root, self.model)
        return Aligner(min_score=self.min_score, way=model_version(folder), folder=folder)


class Aligner(Section):
    """A way to align, as what results depend on."""

    min_score: float = 0.5
    way: str = LETTERS
    """``letters``, or the version of a model."""
    folder: str = Field("", exclude=True)

    @cached_property
    def _engine(self) -> EmissionsEngine:
        return CtcModel(self.folder)

    def spans(self, samples: Samples, sentences: Sequence[str]) -> list[Span]:
        """When each sentence is said."""
        if not self.folder:
            return align_transcript(samples, sentences)
        engine = self._engine
        vocabulary = Vocabulary(letters=engine.letters, blank=engine.blank)
        return align_emissions(engine.emissions(samples), vocabulary, sentences, seconds=len(samples) / SAMPLE_RATE)

    def __getstate__(self) -> dict[str, object]:
        """Leave a loaded engine behind when the settings travel to a worker."""
        state = super().__getstate__()
        state["__dict__"] = {key: value for key, value in state["__dict__"].items() if key in type(self).model_fields}
        return state


@dataclass(frozen=True, slots=True)
class Timed:
    """A sentence of a transcript with its times."""

    sentence: Sentence
    span: Span
    way: str
    """``times`` if the transcript says them, else how they were found."""


def timed(samples: Samples, transcripts: Sequence[Sequence[Sentence]], aligner: Aligner) -> list[Timed]:
    """All sentences of the transcripts of a recording, in the order of time; those with times keep them.

    Of transcripts without times each is said in one piece, such as a story and then its retelling: in the order that fits best.
    """
    written = [Timed(one, Span(*one.times, 1.0), WRITTEN) for sentences in transcripts for one in sentences if one.times]
    without = [found for sentences in transcripts if (found := [one for one in sentences if not one.times])]
    if written and without:
        lost = sum(map(len, without))
        raise RefusedError(f"times: {lost} sentences of the transcript have no times, but others do; align them in the program it is from")
    if not without:
        return sorted(written, key=lambda one: one.span.start)
    ways = [_aligned(samples, list(itertools.chain(*order)), aligner) for order in itertools.permutations(without[:2])]
    return max(ways, key=lambda way: fmean(one.span.score for one in way))


def _aligned(samples: Samples, sentences: list[Sentence], aligner: Aligner) -> list[Timed]:
    spans = aligner.spans(samples, [one.text for one in sentences])
    return [Timed(sentence, span, aligner.way) for sentence, span in zip(sentences, spans, strict=True)]


def judged(found: Sequence[Timed], samples: Samples, aligner: Aligner, guards: Guards) -> list[tuple[Timed, str]]:
    """Each sentence with the doubt about it. Where most of those that were aligned do not fit, none is believed."""
    doubts = [doubt(one, samples, aligner, guards) for one in found]
    lost = sum(bool(why) and one.way != WRITTEN for one, why in zip(found, doubts, strict=True))
    if 2 * lost > len(found):
        of_all = f"alignment: {lost} of {len(found)} sentences do not fit; is it the transcript of this recording?"
        doubts = [why or of_all for why in doubts]
    return list(zip(found, doubts, strict=True))


def doubt(one: Timed, samples: Samples, aligner: Aligner, guards: Guards) -> str:
    """Why a sentence is not to be believed at its times, beginning with one word for the count; empty if it is."""
    start, end, text = one.span.start, one.span.end, one.sentence.text
    seconds = max(0.01, end - start)
    loudness = loudest(samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)])
    if not any(letter.isalnum() for letter in text):
        return "empty: not one letter was written"
    if end <= start or end > len(samples) / SAMPLE_RATE + _SLACK:
        return f"times: from {start:.2f} to {end:.2f} s in a recording of {len(samples) / SAMPLE_RATE:.2f} s"
    if loudness < guards.min_loudness:
        return f"silence: its loudest moment has {loudness:.0f} dB"
    if not guards.min_chars_per_second <= len(text) / seconds <= guards.max_chars_per_second:
        return f"rate: {len(text)} characters in {seconds:.1f} s"
    if one.span.score < aligner.min_score:
        return f"alignment: {one.span.score:.2f} is below {aligner.min_score:g}; is it what is said there?"
    return ""


def utterances(file: Transcribed, aligner: Aligner, guards: Guards, language: Language, max_minutes: float) -> Iterator[Utterance]:
    """What the transcripts of a recording say, with times; refused as a whole if they cannot be those of it."""
    transcripts = read_transcripts(file.transcripts, language)
    samples = decode(open_raw(file), max_seconds=60 * max_minutes)
    name, spoken = split_name(file.origin, language)
    for one, why in judged(timed(samples, transcripts, aligner), samples, aligner, guards):
        code = one.sentence.code or spoken or language.code
        text, written = _spelt(one.sentence.text, file.origin, code, language)
        yield Utterance(
            origin=f"{file.origin}#second={one.span.start:.2f}..{one.span.end:.2f}",
            collection=file.collection,
            rejected=why,
            name=name,
            text=text,
            language=code,
            start=round(one.span.start, 2),
            end=round(one.span.end, 2),
            confidence=round(one.span.score, 4),
            engine=f"transcript, by {one.way}",
            written=written,
        )


def _spelt(text: str, origin: str, code: str, language: Language) -> tuple[str, str]:
    """A sentence as it is spelt here, and as the transcript spells it if that is another way."""
    if code == language.bridge.code:
        return clean_spaces(unicodedata.normalize("NFC", text)), ""
    spelt = language.spell(text, origin)
    return spelt, what_was_written(text, spelt)
