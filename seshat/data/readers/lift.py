"""Dictionaries in LIFT 0.13 (Lexicon Interchange FormaT, SIL International), as FieldWorks, WeSay and others export them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import regex

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Row, Table
from seshat.data.readers.xml import elements, without_region

_AUDIO = regex.compile(r"(?i)-zxxx(-|$)|-x-audio$")
"""Writing systems whose text is the name of a sound file."""
_PHONETIC = regex.compile(r"(?i)-(fonipa|x-etic|x-emic)(-|$)")
_DIALECT = ("dialect-labels", "dialect-label", "dialect")
_ABOUT_THE_WORK = ("bibliography", "questions", "source", "reference")
"""Types of notes that tell the lexicographer something, not the reader."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry, as far as it can be understood without the others."""

    place: str
    names: tuple[str, ...]
    """What relations call it: its ids, and those of its senses."""
    headwords: dict[str, str]
    """By column name; the first is the headword."""
    variants: tuple[str, ...]
    variant_of: tuple[str, ...]
    """Names of the entries that it is only another form of."""
    senses: tuple[Row, ...]


def read_lift(data: bytes, options: Options) -> Content:
    """A row for each sense and subsense, with its examples inside.

    The headword is the lexical unit; if it is written in several writing systems, the first one is (after those without
    phonetic transcription), and each also has a column ``headword LANG``. The column ``translation LANG`` holds the
    definition in a language or, where there is none, the gloss: one column for both, as a dictionary mixes them, and without
    the region (``es-PE`` is ``es``). Citation forms are variants, and so are entries that have no sense because they are only
    variants of another entry. Left out: deleted entries, pronunciations, etymologies, pictures, semantic domains, lexical
    relations other than variants, and notes about the work.
    """
    entries: list[_Entry] = []
    known: set[str] = set()
    for number, element in enumerate(elements(data, "lift", "entry", options.encoding), 1):
        if not element.get("dateDeleted"):
            identity = " ".join((element.get("guid") or element.get("id") or "").split())
            entries.append(_entry(element, f"entry={number if not identity or identity in known else identity}"))
            known.add(identity)
    rows = tuple(_rows(entries))
    if all(row.problem for row in rows):
        raise RefusedError("empty: no entry has a lexical unit and a sense as in LIFT 0.13; export the dictionary again as LIFT")
    return Content(tables=(Table.of(rows),))


def _entry(element: Any, place: str) -> _Entry:
    forms = _forms(element.find("{*}lexical-unit"))
    citation = _forms(element.find("{*}citation"))
    written = forms or citation
    headwords = {"headword": _best(written)} if written else {}
    if len(written) > 1:
        headwords |= {f"headword {language}": text for language, text in written.items()}
    variants = [_best(citation), *(_best(_forms(variant)) for variant in element.iterfind("{*}variant"))]
    senses = tuple(_senses(element, place))
    return _Entry(
        place=place,
        names=tuple(one.get(key, "") for one in (element, *element.iter("{*}sense", "{*}subsense")) for key in ("id", "guid")),
        headwords=headwords,
        variants=tuple(one for one in variants if one and one != headwords.get("headword")),
        variant_of=tuple(_variant_of(element)),
        senses=senses,
    )


def _variant_of(element: Any) -> Iterator[str]:
    for relation in element.iterfind("{*}relation"):
        if relation.get("ref") and any(trait.get("name") == "variant-type" for trait in relation.iterfind("{*}trait")):
            yield relation.get("ref")


def _rows(entries: Sequence[_Entry]) -> Iterator[Row]:
    """The rows of all entries; an entry without sense that is a variant of one with senses is told there."""
    main = {name: entry for entry in entries if entry.senses for name in entry.names if name}
    variants: dict[str, list[str]] = defaultdict(list)
    told: set[str] = set()
    for entry in entries:
        mains = [main[name] for name in entry.variant_of if name in main]
        if mains and entry.headwords and not entry.senses:
            told.add(entry.place)
            for other in mains:
                variants[other.place].append(entry.headwords["headword"])
    for entry in entries:
        listed = "; ".join(dict.fromkeys([*entry.variants, *variants[entry.place]]))
        shared = entry.headwords | ({"variants": listed} if listed else {})
        missing = "" if entry.headwords else "empty: the entry has no lexical unit"
        for sense in entry.senses:
            yield Row(sense.place, {**shared, **sense.values}, sense.nested, missing or sense.problem)
        if not entry.senses and entry.place not in told:
            yield Row(entry.place, shared, problem=missing or "empty: the entry has no sense")


def _senses(entry: Any, place: str) -> Iterator[Row]:
    """What the senses say beside the headword, numbered (``2``, ``2.1``) if there are several."""
    found = list(_numbered(entry, "sense", "", ""))
    dialects, notes = list(_dialects(entry)), list(_notes(entry))
    for number, sense, part_of_speech in found:
        here = f"{place}&sense={number}" if len(found) > 1 else place
        values = {f"translation {language}": text for language, text in _meanings(sense).items()}
        examples = tuple(_examples(sense, here))
        problem = "" if values or examples else "empty: the sense has neither definition nor gloss"
        dialect = ", ".join(dict.fromkeys([*dialects, *_dialects(sense)]))
        note = "; ".join(dict.fromkeys([*notes, *_notes(sense)]))
        values |= {name: text for name, text in (("part of speech", part_of_speech), ("dialect", dialect), ("note", note)) if text}
        yield Row(here, values, {"examples": examples} if examples else {}, problem)


def _numbered(parent: Any, tag: str, prefix: str, part_of_speech: str) -> Iterator[tuple[str, Any, str]]:
    """Every sense with its number and part of speech; one that only holds subsenses gives way to them."""
    for number, sense in enumerate(parent.iterfind(f"{{*}}{tag}"), 1):
        grammar = sense.find("{*}grammatical-info")
        here = part_of_speech if grammar is None else " ".join(grammar.get("value", "").split())
        if _meanings(sense) or sense.find("{*}example") is not None or sense.find("{*}subsense") is None:
            yield f"{prefix}{number}", sense, here
        yield from _numbered(sense, "subsense", f"{prefix}{number}.", here)


def _meanings(sense: Any) -> dict[str, str]:
    """The definition, or else the glosses, in each language."""
    glosses: dict[str, list[str]] = defaultdict(list)
    for gloss in sense.iterfind("{*}gloss"):
        glosses[without_region(gloss.get("lang", ""))].append(_text(gloss))
    definitions = {without_region(language): text for language, text in _forms(sense.find("{*}definition")).items()}
    joined = {language: "; ".join(dict.fromkeys(text for text in texts if text)) for language, texts in glosses.items()}
    return {language: text for language, text in (joined | definitions).items() if text}


def _examples(sense: Any, place: str) -> Iterator[Row]:
    for number, example in enumerate(sense.iterfind("{*}example"), 1):
        forms = _forms(example)
        values = {"text": _best(forms)} if forms else {}
        for translation in sorted(example.iterfind("{*}translation"), key=_is_literal):
            for language, text in _forms(translation).items():
                values.setdefault(f"translation {without_region(language)}", text)
        if values:
            yield Row(f"{place}&example={number}", values)


def _is_literal(translation: Any) -> bool:
    return str(translation.get("type", "")).lower().startswith("literal")


def _dialects(element: Any) -> Iterator[str]:
    for trait in element.iterfind("{*}trait"):
        if trait.get("name") in _DIALECT and trait.get("value"):
            yield trait.get("value")
    for field in element.iterfind("{*}field"):
        if field.get("type", "").lower() in _DIALECT:
            yield _best(_forms(field))


def _notes(element: Any) -> Iterator[str]:
    for note in element.iterfind("{*}note"):
        text = _best(_forms(note))
        if text and note.get("type", "") not in _ABOUT_THE_WORK:
            yield text


def _forms(element: Any) -> dict[str, str]:
    """The text in each writing system, in the order of the file."""
    found = {} if element is None else {form.get("lang", ""): _text(form) for form in element.iterfind("{*}form")}
    return {language: text for language, text in found.items() if text and not _AUDIO.search(language)}


def _best(forms: dict[str, str]) -> str:
    """The first form that is not a phonetic transcription, else the first; empty if there is none."""
    return next((text for language, text in forms.items() if not _PHONETIC.search(language)), next(iter(forms.values()), ""))


def _text(form: Any) -> str:
    """The text of a form or gloss, without its marked spans."""
    return " ".join("".join("".join(text.itertext()) for text in form.iterfind("{*}text")).split())


READERS = (Reader(extensions=(".lift",), read=read_lift),)
