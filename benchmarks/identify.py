"""How well languages are told apart by what a user's own texts teach: python -m benchmarks.identify [FOLDER]

FOLDER holds one folder for each language, named by its code, with ``raw/`` as people keep it and, if there is one, a
development set (``dev.shp`` beside ``dev.spa``) that teaches nothing here; without one, every tenth pair is held out.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seshat.config import load
from seshat.data.ingest import Ingest, step
from seshat.identify import SURE, Identifier
from seshat.language import Language, words
from seshat.mislabelled import examine_pairs, wrong_sides
from seshat.records import Document, SentencePair
from seshat.stage import guarded
from seshat.store import Store
from seshat.switching import code_switching

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT.parent / "shared" / "data" / "languages"
NUM_SWAPS = 50
SIZES = (10, 200)
"""Rows of a synthetic file."""
NUM_INSERTED = 4
"""Words of the bridge language that are put into a sentence."""
NUM_TIMED = 50_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of every language."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    languages = sorted(path.parent for path in folder.glob("*/raw"))
    if not languages:
        print(f"skipped: there are no languages in {folder}")
    for one in languages:
        measure(one)


def measure(folder: Path) -> None:
    """Print how well one language is told from its bridge language."""
    language = profile(folder.name)
    pairs, held_out = divided(list(read_pairs(folder / "raw", language)), folder, language)
    print(f"\n{language.code}: {len(pairs):,} pairs to learn from, {len(held_out):,} held out")
    start = time.process_time()
    audit = examine_pairs(pairs, language)
    suspects = "".join(f"\n    {one}" for one in audit.suspects) or " none"
    print(f"  examined in {time.process_time() - start:.1f} s; suspected files:{suspects}")
    identifier = audit.identifier
    accuracy(identifier, held_out, language)
    translated = [pair for pair in held_out if words(pair.text) != words(pair.translation)]  # a copy is another filter's matter
    alarms = [reason for reason in wrong_sides(translated, identifier) if reason]
    print(f"  pairs called wrong: {len(alarms)} of {len(translated):,} held out ({len(alarms) / len(translated):.2%})")
    swapped_files(pairs, language)
    synthetic_swaps(pairs, language)
    switches(identifier, held_out, language)
    speed(identifier, pairs)


def profile(code: str) -> Language:
    """The language as configs/languages describes it, or nothing but its code."""
    path = PROJECT / "configs" / "languages" / f"{code}.yaml"
    return load(Language, path) if path.is_file() else Language(code=code, name=code)


def read_pairs(raw: Path, language: Language) -> Iterator[SentencePair]:
    """The pairs of a raw folder, and the paragraphs of documents that have as many on both sides."""
    work = step(Ingest(), language, str(raw))
    documents: dict[str, dict[str, Document]] = {}
    for part in work.parts:
        for record in guarded(work.stages[0], part.records(Store(str(raw)))):
            if isinstance(record, SentencePair) and not record.rejected:
                yield record
            elif isinstance(record, Document) and not record.rejected:
                documents.setdefault(record.name, {})[record.language] = record
    for name, sides in documents.items():
        if len(sides) == 2:
            text, translation = sides[language.code], sides[language.bridge.code]
            lines = dict(zip(translation.places, translation.paragraphs, strict=True))
            for place, paragraph in zip(text.places, text.paragraphs, strict=True):
                if place in lines:
                    yield made(paragraph, lines[place], f"{name}#{place}", language)


def made(text: str, translation: str, origin: str, language: Language) -> SentencePair:
    """A pair that is no table's."""
    codes = {"language": language.code, "bridge": language.bridge.code}
    return SentencePair(text=text, translation=translation, origin=origin, collection="", **codes)


def divided(pairs: list[SentencePair], folder: Path, language: Language) -> tuple[list[SentencePair], list[SentencePair]]:
    """What is learnt from and what is held out."""
    sides = [folder / f"dev.{code}" for code in (language.code, language.bridge.code)]
    if not all(side.is_file() for side in sides):
        return [pair for index, pair in enumerate(pairs) if index % 10], pairs[::10]
    lines = zip(*(side.read_text(encoding="utf-8").splitlines() for side in sides), strict=True)
    return pairs, [made(language.normalize(text), translation, "dev", language) for text, translation in lines]


def accuracy(identifier: Identifier, held_out: Sequence[SentencePair], language: Language) -> None:
    """Single sentences of both languages."""
    texts = [pair.text for pair in held_out] + [pair.translation for pair in held_out]
    truth = np.repeat([identifier.codes.index(language.code), identifier.codes.index(language.bridge.code)], len(held_out))
    found = identifier.probabilities(texts)
    right, sure = found.argmax(axis=1) == truth, found.max(axis=1) >= SURE
    print(f"  sentences: {right.mean():.2%} right; sure of {sure.mean():.1%}, of which {(sure & ~right).sum() / sure.sum():.2%} wrong")


def swapped_files(pairs: Sequence[SentencePair], language: Language) -> None:
    """Every file in turn with its sides exchanged."""
    files = list(dict.fromkeys(source(pair) for pair in pairs))
    found, blamed = 0, 0
    for file in files:
        audit = examine_pairs([exchanged(pair) if source(pair) == file else pair for pair in pairs], language)
        found += file in audit.swapped
        blamed += len(set(audit.swapped) - {file})
    print(f"  exchanged files found: {found} of {len(files)}, one at a time; others blamed: {blamed}")


def synthetic_swaps(pairs: Sequence[SentencePair], language: Language) -> None:
    """Many small files, some of which are exchanged."""
    rng = random.Random(1)
    shuffled, files = rng.sample(list(pairs), len(pairs)), []
    while shuffled:
        size = rng.randint(*SIZES)
        files.append(shuffled[:size])
        del shuffled[:size]
    chosen = set(rng.sample(range(len(files)), min(NUM_SWAPS, len(files) // 3)))
    renamed = [
        replace(exchanged(pair) if number in chosen else pair, origin=f"{number}#row") for number, file in enumerate(files) for pair in file
    ]
    swapped = {int(one) for one in examine_pairs(renamed, language).swapped}
    print(f"  synthetic files: {len(swapped & chosen)} of {len(chosen)} exchanged ones found; {len(swapped - chosen)} others blamed")


def switches(identifier: Identifier, held_out: Sequence[SentencePair], language: Language) -> None:
    """Sentences with some words of the next translation in their middle, and without."""
    rng = random.Random(1)
    texts, mixed = [pair.text for pair in held_out], []
    for pair, other in zip(held_out, [*held_out[1:], held_out[0]], strict=True):
        home, guest = pair.text.split(), other.translation.split()
        begin = rng.randint(0, max(0, len(guest) - NUM_INSERTED))
        mixed.append(" ".join([*home[: len(home) // 2], *guest[begin : begin + NUM_INSERTED], *home[len(home) // 2 :]]))
    plain, found = (code_switching(some, identifier, language.code) for some in (texts, mixed))
    rates = [sum(map(bool, some)) / len(some) for some in (plain, found)]
    print(f"  code-switching: in {rates[0]:.1%} of the sentences as they are, in {rates[1]:.1%} with {NUM_INSERTED} words put in")


def speed(identifier: Identifier, pairs: Sequence[SentencePair]) -> None:
    """One core, sentences that are all different."""
    sides = [text for pair in pairs for text in (pair.text, pair.translation)]
    texts = [f"{text} {sides[(7 * index + 1) % len(sides)]}"[:90] for index, text in enumerate(sides * (NUM_TIMED // len(sides) + 1))]
    start = time.process_time()
    identifier.probabilities(texts[:NUM_TIMED])
    middle = time.process_time()
    code_switching(texts[:NUM_TIMED], identifier, identifier.codes[0])
    print(f"  {NUM_TIMED:,} sentences: identified in {middle - start:.1f} s, code-switching in {time.process_time() - middle:.1f} s")


def source(pair: SentencePair) -> str:
    """The file of a pair."""
    return pair.origin.partition("#")[0]


def exchanged(pair: SentencePair) -> SentencePair:
    """The pair with its sides exchanged."""
    return replace(pair, text=pair.translation, translation=pair.text)


if __name__ == "__main__":
    main()
