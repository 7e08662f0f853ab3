"""A small raw folder in the sample language, for tests that need real input and no speech or scans."""

from __future__ import annotations

import csv
from pathlib import Path

from seshat.sample.grammar import Grammar

NUM_PAIRS = 240
NUM_SENTENCES = 40


def write_corpus(raw: Path, seed: int = 1) -> None:
    """A dictionary, a table of pairs, and one parallel document in paragraphs of four sentences."""
    grammar = Grammar(seed=seed)
    pairs = grammar.sentences(NUM_PAIRS + NUM_SENTENCES)
    for folder in ("dictionary", "transcriptions", "translations"):
        (raw / folder).mkdir(parents=True)
    with (raw / "transcriptions" / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["qtm", "spa"])
        writer.writerows([pair.text, pair.translation] for pair in pairs[:NUM_PAIRS])
    with (raw / "dictionary" / "words.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["palabra", "significado"])
        writer.writerows([concept.root, concept.lemma] for concept in list(grammar.lexicon.concepts())[:60])
    document = pairs[NUM_PAIRS:]
    paragraphs = [document[start : start + 4] for start in range(0, len(document), 4)]
    for code, side in (("qtm", "text"), ("spa", "translation")):
        text = "\n\n".join(" ".join(getattr(sentence, side) for sentence in paragraph) for paragraph in paragraphs)
        (raw / "translations" / f"story.{code}.txt").write_text(text + "\n", encoding="utf-8")
