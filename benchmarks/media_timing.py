"""How well transcripts are aligned to recordings without a model: python -m benchmarks.media_timing [FOLDER]

Two sets, and beside each the baseline of borders in proportion to letters. The first is speech of known text, synthesised by espeak-ng
in several voices, speeds and pauses, clean and with white noise 20 dB below speech; harder ones have sentences of changing voices and
speeds, pauses inside sentences and none between them, or more noise. The second is FOLDER: recordings of one sentence each with a table
``transcripts.csv`` (``file,quy,es``), joined into one recording in six orders, as they are and with silences between them.

A border is the moment between two sentences: the middle of the pause, which may be of no length.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from seshat.data.readers.audio import decode
from seshat.data.timing import align_transcript
from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.sample import speech
from seshat.sample.grammar import Grammar

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "languages" / "quy" / "raw" / "audio"
LIMITS = (0.1, 0.3, 0.5)
NUM_SENTENCES = 40
NUM_ORDERS = 6
SILENCES = (0.0, 0.4)
"""Seconds that are put between recordings."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the sentences of a recording are spoken."""

    voices: tuple[str, ...]
    speeds: tuple[int, int]
    """Words a minute, from and to."""
    pauses: tuple[float, float]
    """Seconds between sentences, from and to."""
    inside: bool = False
    """Half of the sentences have a pause of up to 1.2 s inside."""
    noise: float = 0.0
    """Decibels below speech; 0: none."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of which it is known what is said when."""

    samples: Samples
    sentences: list[str]
    borders: list[float]


PLAIN = (
    Manner(("es",), (140, 160), (0.2, 0.8)),
    Manner(("es+f2",), (165, 195), (0.1, 0.5)),
    Manner(("es+m3",), (115, 145), (0.3, 1.5)),
    Manner(("es+f4",), (190, 230), (0.05, 0.3)),
    Manner(("es-419",), (145, 175), (0.05, 0.2)),
    Manner(("gn",), (140, 160), (0.1, 0.6)),
)
MANY = ("es", "es+f2", "es+m3", "es+f4", "es-419")
HARD = {
    "changing voices and speeds, pauses inside": Manner(MANY, (120, 220), (0.1, 0.8), inside=True),
    "the same without pauses between": Manner(MANY, (120, 220), (0.0, 0.05), inside=True),
    "the same with noise of 10 dB": Manner(MANY, (120, 220), (0.1, 0.8), inside=True, noise=10),
    "one voice, pauses inside, noise of 5 dB": Manner(("es+f2",), (150, 170), (0.1, 0.8), inside=True, noise=5),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--hour", action="store_true", help="an hour of synthesised speech as well; five minutes")
    asked = parser.parse_args(arguments)
    folder = asked.folder
    print(f"{'share of borders within':<48}" + "".join(f"{limit:>7} s" for limit in LIMITS) + "   in proportion to letters")
    if speech.available():
        for noise in (0.0, 20.0):
            name = f"synthesised, noise of {noise:g} dB" if noise else "synthesised, clean"
            row(name, [spoken(manner, seed, noise) for seed, manner in enumerate(PLAIN)])
        for name, manner in HARD.items():
            row(name, [spoken(manner, seed, manner.noise) for seed in range(10, 13)])
        if asked.hour:
            row("an hour in one recording", [one_recording([spoken(manner, seed, 0) for seed, manner in enumerate(PLAIN * 6)])])
            print(f"{'':<48}at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB, with all samples")
    else:
        print("skipped: synthesised speech needs espeak-ng, which is not installed")
    if (folder / "transcripts.csv").is_file():
        for silence in SILENCES:
            name = f"Quechua, with {silence:g} s of silence between" if silence else "Quechua, nothing between"
            row(name, [joined(folder, order, silence) for order in range(NUM_ORDERS)])
    else:
        print(f"skipped: there is no {folder}/transcripts.csv")


def row(name: str, recordings: list[Recording]) -> None:
    """One line: ours, the baseline, and what it cost."""
    began = time.process_time()
    ours = np.concatenate([errors(recording) for recording in recordings])
    seconds = time.process_time() - began
    baseline = np.concatenate([np.abs(by_letters(recording) - recording.borders) for recording in recordings])
    figures = ["".join(f"{np.mean(found <= limit + 1e-9):>9.1%}" for limit in LIMITS) for found in (ours, baseline)]
    minutes = sum(len(recording.samples) for recording in recordings) / SAMPLE_RATE / 60
    print(f"{name:<48}{figures[0]}   {figures[1]}   {len(ours)} borders, {seconds / minutes:.1f} CPU-s a minute")


def errors(recording: Recording) -> np.ndarray:
    """How far each border is from where it should be, in seconds."""
    spans = align_transcript(recording.samples, recording.sentences)
    found = [(before.end + after.start) / 2 for before, after in pairwise(spans)]
    return np.abs(np.array(found) - recording.borders)


def by_letters(recording: Recording) -> np.ndarray:
    """Borders in proportion to letters."""
    letters = np.cumsum([sum(map(str.isalpha, sentence)) for sentence in recording.sentences])
    return letters[:-1] / letters[-1] * len(recording.samples) / SAMPLE_RATE


def spoken(manner: Manner, seed: int, noise: float) -> Recording:
    """Sentences of the sample language as they are spoken in a manner."""
    rng = random.Random(seed)
    sentences = [one.text for one in Grammar(seed + 1).sentences(NUM_SENTENCES, stream=3)]
    pieces = [np.zeros(int(rng.uniform(0.1, 1.5) * SAMPLE_RATE), np.float32)]
    borders = []
    for sentence in sentences:
        voice, speed, level = rng.choice(manner.voices), rng.randint(*manner.speeds), rng.uniform(0.4, 1.0)
        for number, part in enumerate(_parts(sentence, manner, rng)):
            if number:
                pieces.append(np.zeros(int(rng.uniform(0.3, 1.2) * SAMPLE_RATE), np.float32))
            pieces.append(np.float32(level) * _trimmed(speech.synthesise(part, speed=speed, voice=voice)))
        pause = int(rng.uniform(*manner.pauses) * SAMPLE_RATE)
        borders.append((sum(map(len, pieces)) + pause / 2) / SAMPLE_RATE)
        pieces.append(np.zeros(pause, np.float32))
    samples = np.concatenate(pieces)
    power = float((samples[samples != 0] ** 2).mean()) / 10 ** (noise / 10) if noise else 1e-7
    hiss = np.random.default_rng(seed).standard_normal(len(samples)) * np.sqrt(power)
    return Recording((samples + hiss).astype(np.float32), sentences, borders[:-1])


def one_recording(recordings: list[Recording]) -> Recording:
    """All of them one after the other; the border between two is where they meet."""
    starts = np.cumsum([0, *(len(recording.samples) / SAMPLE_RATE for recording in recordings)])
    borders = [[*recording.borders, float(end - start)] for recording, start, end in zip(recordings, starts[:-1], starts[1:], strict=True)]
    return Recording(
        np.concatenate([recording.samples for recording in recordings]),
        [sentence for recording in recordings for sentence in recording.sentences],
        [start + border for start, of_one in zip(starts[:-1], borders, strict=True) for border in of_one][:-1],
    )


def _parts(sentence: str, manner: Manner, rng: random.Random) -> Iterator[str]:
    words = sentence.split()
    cut = rng.randint(2, len(words) - 2) if manner.inside and len(words) >= 4 and rng.random() < 0.6 else len(words)
    yield from (" ".join(part) for part in (words[:cut], words[cut:]) if part)


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > 0.004)
    return samples[loud[0] : loud[-1] + 1]


def joined(folder: Path, order: int, silence: float) -> Recording:
    """The recordings of a folder as one, in an order of their own (0: as they are), with silence of a quiet room between them."""
    with (folder / "transcripts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if order:
        random.Random(order).shuffle(rows)
    quiet = np.random.default_rng(order).standard_normal(int(silence * SAMPLE_RATE)).astype(np.float32) * np.float32(0.002)
    pieces: list[Samples] = []
    borders = []
    for line in rows:
        if pieces:
            borders.append((sum(map(len, pieces)) + len(quiet) / 2) / SAMPLE_RATE)
            pieces.append(quiet)
        pieces.append(decode((folder / line["file"]).read_bytes(), max_seconds=600))
    return Recording(np.concatenate(pieces), [line["quy"] for line in rows], borders)


if __name__ == "__main__":
    main()
