"""Make the sample's speech checkpoint: a tiny Whisper that knows the spoken sentences of the sample and nothing else.

    python -m benchmarks.make_speech_fixture [FOLDER]

It learns from clips that espeak-ng synthesises, and is tested on others: the same voices at other speeds and pitches.
The folder gets 8-bit weights that faster-whisper reads, and a README with the figures of this run.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from seshat.data.doubts import Guards
from seshat.engines.speech import Listening
from seshat.engines.speech_faster import FasterWhisper
from seshat.sample.grammar import Grammar
from seshat.sample.speech import VOICES, spoken_by, synthesise
from seshat.training.speech import Clip, Plan, SpeechTokens, save_ctranslate2, train

FOLDER = Path(__file__).parents[1] / "seshat" / "sample" / "speech_model"
SEED = 1
TIMES = 5
"""How often each voice says each sentence, always at another speed and pitch."""
README = """# A speech checkpoint for tests and for the quickstart

**This is a fixture, not a speech recogniser.** It is a Whisper of 2 + 2 layers, 128 wide, that knows the {num_sentences} spoken
sentences of the sample language (`seshat.sample.speech.spoken_sentences`) in four voices of espeak-ng ({voices}),
and nothing else: to any other speech it answers with one of its sentences or with nonsense. It is here so that `transcribe`
does its real work, through faster-whisper, without a download. Its error rate says nothing about speech recognition.

Made from nothing, without other weights or data, by

    python -m benchmarks.make_speech_fixture

in {seconds:.0f} s of processor time ({wall:.0f} s by the clock on a busy machine; seed {seed}; {num_clips} clips).
Other library versions give other weights of the same kind. Vocabulary: byte-level, {num_tokens} tokens, learnt on
sentences of the grammar.

Through faster-whisper, with voice detection, at speeds and pitches drawn anew:

| | clips | word errors | rejected by the guards |
|---|---|---|---|
| its sentences | {known.num_clips} | {known.word_errors:.3f} | {known.rejected:.0%} |
| other sentences of the language | {unknown.num_clips} | {unknown.word_errors:.3f} | {unknown.rejected:.0%} |

Format: CTranslate2, 8-bit weights. Licence: that of Seshat.
"""


@dataclass(frozen=True)
class Result:
    """How well clips were understood."""

    num_clips: int
    word_errors: float
    """Over the words that were said, whether the guards believed what was heard or not."""
    rejected: float
    """The share of utterances that the guards did not believe."""


def main() -> None:
    """Synthesise, train, save, test, and write it all down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args().folder
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("seshat").setLevel(logging.INFO)
    torch.set_num_threads(1)  # two wait for each other on a busy machine, and give other weights
    start, wall = time.process_time(), time.monotonic()
    grammar, rng = Grammar(SEED), random.Random(SEED)
    known = [sentence.text for sentence in spoken_by(grammar)]
    other = [sentence.text for sentence in grammar.sentences(2_000)]
    clips = list(synthesised(known, VOICES * TIMES, rng))
    tokens = SpeechTokens(other)
    save_ctranslate2(train(clips, tokens, Plan()), tokens, folder)
    seconds, wall = time.process_time() - start, time.monotonic() - wall
    readme = README.format(
        num_sentences=len(known),
        seconds=seconds,
        wall=wall,
        seed=SEED,
        num_clips=len(clips),
        num_tokens=len(tokens.names),
        voices=", ".join(VOICES),
        known=tested(folder, synthesised(known, VOICES, rng)),
        unknown=tested(folder, synthesised(other[: len(known)], VOICES, rng)),
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")
    print(readme)


def synthesised(sentences: Sequence[str], voices: Sequence[str], rng: random.Random) -> Iterator[Clip]:
    """Every sentence in every voice, at a drawn speed and pitch."""
    for text in sentences:
        for voice in voices:
            yield Clip(text, synthesise(text, speed=rng.randint(115, 175), pitch=rng.randint(25, 75), voice=voice))


def tested(folder: Path, clips: Iterable[Clip]) -> Result:
    """Transcribe clips as the stage does."""
    engine, guards = FasterWhisper(str(folder), Listening()), Guards()
    num_clips = num_words = num_errors = num_pieces = num_rejected = 0
    for clip in clips:
        pieces = engine.transcribe(clip.samples)
        said, understood = clip.text.split(), " ".join(piece.text for piece in pieces).split()
        num_clips += 1
        num_words += len(said)
        num_errors += word_distance(said, understood)
        num_pieces += len(pieces)
        num_rejected += sum(bool(guards.doubt(piece, clip.samples)) for piece in pieces)
    return Result(num_clips, num_errors / num_words, num_rejected / max(1, num_pieces))


def word_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """The fewest words to insert, leave out or exchange (Levenshtein, 1966)."""
    row = list(range(len(hypothesis) + 1))
    for number, word in enumerate(reference, 1):
        above, row = row, [number]
        for column, other in enumerate(hypothesis, 1):
            row.append(min(row[-1] + 1, above[column] + 1, above[column - 1] + (word != other)))
    return row[-1]


if __name__ == "__main__":
    main()
