"""The raw dictionary: four word lists by four hands, with unequal columns, some entries in common, and grammar notes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seshat.sample.formats import write_csv, write_json, write_text, write_xlsx
from seshat.sample.grammar import Sentence
from seshat.sample.keyboard import LEFT_QUOTE, RIGHT_QUOTE, TYPEWRITER, typed
from seshat.sample.lexicon import Concept, Lexicon, PartOfSpeech, Verb
from seshat.sample.notes import notes, sandhi_note

_CATEGORY: dict[PartOfSpeech, str] = {
    "noun": "sustantivo",
    "verb": "verbo",
    "adjective": "adjetivo",
    "adverb": "adverbio",
    "numeral": "numeral",
    "determiner": "determinante",
    "pronoun": "pronombre",
    "question": "interrogativo",
    "particle": "partícula",
}
_LISTS, _SHARES = ("csv", "json", "xlsx", "txt"), (34, 30, 24, 12)
_TWICE = 0.12
"""Share of the words that two lists have."""
_SHORT = {"sustantivo": "s.", "verbo": "v.", "adjetivo": "adj.", "adverbio": "adv.", "numeral": "num."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headword:
    """One entry, before somebody types it."""

    word: str
    meaning: str
    category: str
    note: str = ""
    examples: tuple[Sentence, ...] = ()


def write_dictionary(folder: Path, words: Lexicon, examples: Sequence[Sentence], rng: random.Random) -> None:
    """Write the word lists: an entry for every root and every suffix. One in eight is in two lists."""
    lists = _lists(words, examples, rng)
    _write_csv(folder / "vocabulario.csv", sorted(lists["csv"], key=lambda e: e.word))
    _write_json(folder / "lexico.json", lists["json"])
    _write_xlsx(folder / "diccionario.xlsx", sorted(lists["xlsx"], key=lambda e: e.meaning))
    _write_txt(folder / "palabras.txt", sorted(lists["txt"], key=lambda e: e.word))


def _lists(words: Lexicon, examples: Sequence[Sentence], rng: random.Random) -> dict[str, list[Headword]]:
    """The entries of each list. Only two of them have room for examples; each example stands with one of its words."""
    concepts = list(words.concepts())
    home = {concept.root: rng.choices(_LISTS, _SHARES)[0] for concept in concepts}
    shown: dict[str, list[Sentence]] = {concept.root: [] for concept in concepts}
    for example in examples:
        roots = [cut.partition("-")[0] for cut in example.morphemes.split()]
        roomy = [root for root in roots if home[root] in ("json", "xlsx")]
        if not roomy:
            home[roots[-1]] = "json"
        shown[min(roomy or roots[-1:], key=lambda root: len(shown[root]))].append(example)
    lists: dict[str, list[Headword]] = {name: [] for name in _LISTS}
    for concept in concepts:
        entry = _headword(concept, shown[concept.root])
        lists[home[concept.root]].append(entry)
        if rng.random() < _TWICE:
            lists[rng.choice([name for name in _LISTS if name != home[concept.root]])].append(replace(entry, examples=()))
    for note in notes(words):
        lists[rng.choice(("csv", "json"))].append(
            Headword(word=note.suffix, meaning=note.meaning, category="sufijo", note=note.explanation)
        )
    return lists


def _headword(concept: Concept, examples: Sequence[Sentence]) -> Headword:
    meaning = f"{concept.lemma} {concept.complement}".strip() if isinstance(concept, Verb) else concept.lemma
    return Headword(
        word=concept.root,
        meaning=meaning,
        category=_CATEGORY[concept.part],
        note=sandhi_note(concept.root) if concept.part == "noun" and concept.root.endswith("n") else "",
        examples=tuple(examples),
    )


def _write_csv(path: Path, entries: Sequence[Headword]) -> None:
    """As a spreadsheet program of 2003 saves it: semicolons, cp1252, which has no glottal stop."""
    rows = [[typed(e.word, TYPEWRITER), e.meaning, e.category, typed(e.note, TYPEWRITER)] for e in entries]
    write_csv(path, [["palabra", "significado", "categoria", "notas"], *rows], delimiter=";", encoding="cp1252")


def _write_json(path: Path, entries: Sequence[Headword]) -> None:
    write_json(
        path,
        [
            {
                "termino": e.word,
                "categoria": e.category,
                "espanol": e.meaning,
                "ejemplos": [{"tamuri": s.text, "castellano": s.translation} for s in e.examples],
                "notas": e.note,
            }
            for e in entries
        ],
    )


def _write_xlsx(path: Path, entries: Sequence[Headword]) -> None:
    """One row for each example, the headword said again."""
    rows = [
        [typed(e.word, RIGHT_QUOTE), e.meaning, _SHORT.get(e.category, e.category), text, translation]
        for e in entries
        for text, translation in ([(typed(s.text, RIGHT_QUOTE), s.translation) for s in e.examples] or [("", "")])
    ]
    header = ["Lema", "Traducción", "Clase", "Ejemplo", "Ejemplo (español)"]
    write_xlsx(path, [header, *rows], sheet="Diccionario")


def _write_txt(path: Path, entries: Sequence[Headword]) -> None:
    lines = (f"{typed(e.word, LEFT_QUOTE, decomposed=True)} – {e.meaning}" for e in entries)
    write_text(path, "\n".join(lines) + "\n")
