"""ELAN annotations (.eaf): a row for each transcribed stretch of a recording, with what depends on it (see ``eaf`` for the format).

What a tier holds is said by its name before the ``@``, else by its type: ``tx``, ``mb``, ``ge`` and ``ft`` as in Toolbox,
``A_phrase-txt-shp`` and ``A_morph-gls-es`` as FLEx exports them, or words such as ``Traducción``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import inf
from typing import Literal

import regex

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Row, Table
from seshat.data.readers.eaf import Annotation, Tier, adopt, collected, read_tiers
from seshat.data.readers.glossing import Morph, counts_match, grouped, interlinear, join_words
from seshat.data.readers.overlap import adopt_overlapping
from seshat.data.readers.xml import parse_xml

Role = Literal["text", "words", "morphemes", "gloss", "free", "note", "number", "other", ""]

_VOCABULARY: dict[Role, str] = {
    "other": "ps pos msa cf hn wc wordclass category categoria title titulo paragraph abbreviation source lit literal",
    "note": "nt note notes nota notas comment comments comentario comentarios",
    "free": "ft fg fte fts free libre translation translations traduccion traducciones trad trl",
    "number": "ref rf segnum record",
    "gloss": "ge gl gls mgl gloss glosses glosa glosas",
    "morphemes": "mb mph mor morph morphs morpheme morphemes morfema morfemas segmentacion",
    "words": "wd word words palabra palabras token tokens",
    "text": "tx txt text texto trs trc transcript transcription transcripcion utterance utterances enunciado orth orthography "
    "ortografia vernacular phrase frase sentence oracion",
}
"""What tiers are called, from the role that decides to the one that says least: ``morph-gls`` is a gloss, not morphemes."""
_ROLES = {role: frozenset(words.split()) for role, words in _VOCABULARY.items()}
_SENTENCE = frozenset({"phrase", "frase", "sentence", "oracion"})
_NO_LANGUAGE = frozenset({"lt", "default", "type", "tier", "assoc", "symbolic", "association", "subdivision"}).union(*_ROLES.values())
_ORDER = ("text", "morphemes", "gloss", "free", "note")


@dataclass(frozen=True, slots=True)
class _Group:
    """A transcription with the tiers that belong to it."""

    anchor: Tier
    """Each of its annotations makes a row: the transcription, or the tier of which that is the text, one to one."""
    columns: dict[str, Tier]
    morphemes: Tier | None
    gloss: Tier | None

    @property
    def read(self) -> list[Tier]:
        """The tiers that are used."""
        return [tier for tier in (self.anchor, *self.columns.values(), self.morphemes, self.gloss) if tier is not None]


def read_elan(data: bytes, options: Options) -> Content:
    """One table with the transcriptions of all speakers, in the order of time.

    The place of a row is its stretch in seconds, after its tier if there are several transcriptions. A translation on a tier
    of its own goes with the transcription that has the same times, else with what is said while it lasts (``overlap``). Tiers
    without a telling name are columns under that name, so that ``ingest.columns`` can say what they are. A gloss that does not
    have the parts of its morphemes is left out.
    """
    return tiers_content(read_tiers(parse_xml(data, options, root="ANNOTATION_DOCUMENT", program="ELAN")), program="ELAN")


def tiers_content(tiers: list[Tier], *, program: str) -> Content:
    """The same from tiers, whatever program wrote them."""
    groups = _groups(tiers)
    timed = [(inf if one.start is None else one.start, row) for group in groups for one, row in _rows(group, several=len(groups) > 1)]
    rows = tuple(row for _, row in sorted(timed, key=lambda pair: pair[0]))
    if not rows:
        raise RefusedError(f"empty: the file holds no transcription; call its tier 'tx' or 'transcription' in {program}")
    return Content(tables=(Table(_columns(rows), rows),), remarks=tuple(_remarks(tiers, groups, rows)))


def _groups(tiers: list[Tier]) -> list[_Group]:
    texts = _transcriptions(tiers)
    alone: list[Tier] = []
    for tier in texts:
        if not (tier.depends or tier.below or _role(tier)):
            adopt(tier, alone, share=0.5) or adopt_overlapping(tier, alone)  # two languages on two nameless tiers
            alone += [] if tier.depends else [tier]
    anchors = [_anchor(text) for text in texts]
    tops = [tier for anchor in anchors for tier in (anchor, *anchor.above())]
    for tier in tiers:
        if not tier.depends and _role(tier) == "free" and tier not in tops:
            adopt(tier, anchors, share=0) or adopt_overlapping(tier, anchors)
    adopted = [text for text in texts if text.parent in alone]
    return [_group(text, anchor, text in alone and bool(text.below)) for text, anchor in zip(texts, anchors) if text not in adopted]


def _transcriptions(tiers: list[Tier]) -> list[Tier]:
    """The transcription of each tree of tiers; a tree with none that is called so needs a translation, or to be no worse than all."""
    trees = [[tier, *tier.descendants()] for tier in tiers if not tier.depends]
    named = [_named_text(tree) for tree in trees]
    nameless = [next((tier for tier in tree if not _role(tier)), None) if _role(tree[0]) in ("", "number") else None for tree in trees]
    largest = max((len(tree) > 1 for tree, tier in zip(trees, nameless) if tier is not None), default=False)
    found: list[Tier | None] = []
    for tree, text, tier in zip(trees, named, nameless):
        translated = any(_role(one) == "free" for one in tree)
        best = not any(named) and (len(tree) > 1) == largest
        found.append(text or (tier if translated or best else None))
    return [text for text in found if text is not None]


def _named_text(tree: list[Tier]) -> Tier | None:
    """The highest tier that is called a text, else the words that make one up."""
    texts = [tier for tier in tree if _role(tier) == "text"] or [tier for tier in tree if _role(tier) == "words"]
    return min(texts, key=lambda tier: len(list(tier.above())), default=None)


def _anchor(text: Tier) -> Tier:
    tier = text.parent if _role(text) == "words" and text.parent is not None else text
    while tier.one_to_one and tier.parent is not None:
        tier = tier.parent
    return tier


def _group(text: Tier, anchor: Tier, by_name: bool) -> _Group:
    """What belongs to a transcription; ``by_name`` if nothing says that it is one, so that its column has the tier's name."""
    below = list(anchor.descendants())
    columns = {_label(text, set()) if by_name else "text": text}
    for tier in below:
        column = _column(tier, text) if tier is not text else ""
        if column:
            columns[tier.name if column in columns else column] = tier
    morphemes = next((tier for tier in below if _role(tier) == "morphemes"), None)
    glosses = [tier for tier in below if _role(tier) == "gloss"]
    gloss = next((tier for tier in glosses if tier.parent is morphemes), glosses[0] if glosses else None)
    return _Group(anchor, columns, morphemes, gloss)


# Names


def _role(tier: Tier) -> Role:
    """What a tier holds, by its name, else by its type; empty if neither says it."""
    return _role_of(_words(tier.name.partition("@")[0])) or _role_of(_words(tier.type_name))


def _role_of(words: list[str]) -> Role:
    called = set(words)
    if called & _SENTENCE and called & _ROLES["gloss"]:
        return "free"
    return next((role for role, names in _ROLES.items() if called & names), "")


def _column(tier: Tier, text: Tier) -> str:
    """The name of a tier's column; empty for what is no column of its own."""
    role = _role(tier)
    if role not in ("free", "text", "note", ""):
        return ""
    of_speaker = {*_words(text.name), *_words(tier.speaker), *_words(text.speaker)}
    return "note" if role == "note" else f"{role} {_label(tier, of_speaker)}".strip()


def _label(tier: Tier, of_speaker: set[str]) -> str:
    """The language of a tier, or what else its name says beside what it holds and who speaks."""
    ours, types = _words(tier.name.partition("@")[0]), _words(tier.type_name)
    if _role_of(ours):
        types = [word for word in types if len(word) <= 3]  # codes; a longer word may say anything
    own = [word for word in ours if _says_more(word, of_speaker)] or [word for word in types if _says_more(word, of_speaker)]
    return tier.language or " ".join(own) or ("" if _role(tier) else tier.name)


def _says_more(word: str, of_speaker: set[str]) -> bool:
    return len(word) > 1 and word not in _NO_LANGUAGE and word not in of_speaker and not word.isdigit()


def _words(name: str) -> list[str]:
    letters = "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))
    return [word.casefold() for word in regex.findall(r"\p{Lu}?[\p{Ll}\p{Lo}]+|\p{Lu}+(?!\p{Ll})|\p{N}+", letters)]


def _columns(rows: tuple[Row, ...]) -> tuple[str, ...]:
    def rank(name: str) -> int:
        kind, _, language = name.partition(" ")
        return _ORDER.index(kind) if kind in _ORDER and (kind == "free" or not language) else len(_ORDER)

    return tuple(sorted(dict.fromkeys(name for row in rows for name in row.values), key=rank))


# Rows


def _rows(group: _Group, *, several: bool) -> Iterator[tuple[Annotation, Row]]:
    """A row for each annotation that says something, and for each that belongs to none."""
    before = f"tier={group.read[1].name}&" if several else ""
    for one in group.anchor.annotations:
        values = _values(one, group.anchor, group)
        if values:
            place = f"annotation={one.name}" if one.start is None or one.end is None else f"second={one.start:.2f}..{one.end:.2f}"
            yield one, Row(before + place, values)
    for tier in group.anchor.descendants():
        for one in tier.orphans():
            values = _values(one, tier, group)
            if values:
                problem = f"reference: the annotation on which {one.name} of the tier {tier.name} depends is not in the file"
                yield one, Row(f"{before}annotation={one.name}", values, problem=problem)


def _values(one: Annotation, top: Tier, group: _Group) -> dict[str, str]:
    values = {column: join_words(inner.value for inner in collected(one, tier, top)) for column, tier in group.columns.items()}
    values["morphemes"], values["gloss"] = _interlinear(one, top, group)
    values = {column: said for column, said in values.items() if said}
    speaker = group.anchor.speaker or group.read[1].speaker
    return {**values, "speaker": speaker} if values and speaker else values


def _interlinear(one: Annotation, top: Tier, group: _Group) -> tuple[str, str]:
    """The lines of morphemes and glosses; no gloss if it has other parts than the morphemes."""
    morphs = collected(one, group.morphemes, top) if group.morphemes is not None else []
    glosses = _said(collected(one, group.gloss, top)) if group.gloss is not None else ""
    if group.morphemes is None or not morphs:
        words = group.gloss.parent if group.gloss is not None else None
        if words is None or _role(words) != "words" or group.gloss is None:
            return "", glosses
        return "", interlinear([_morph(word, group.gloss)] for word in collected(one, words, top))[1]
    own = group.gloss if group.gloss is not None and group.gloss.parent is group.morphemes else None
    made = [_morph(morph, own) for morph in morphs if morph.value]
    if any(" " in morph.form for morph in made):
        morphemes = _said(morphs)
        return morphemes, glosses if counts_match(morphemes, glosses) else ""
    above = group.morphemes.parent
    if above is not None and _role(above) == "words":
        words_of = [
            [_morph(morph, own) for morph in same if morph.value] for _, same in groupby(morphs, key=lambda morph: id(morph.parent))
        ]
    else:
        words_of = grouped(made)
    morphemes, aligned = interlinear(words_of)
    return morphemes, aligned if own is not None else glosses if counts_match(morphemes, glosses) else ""


def _morph(one: Annotation, gloss: Tier | None) -> Morph:
    return Morph(one.value, _said(one.below.get(gloss.name, [])) if gloss is not None else "")


def _said(annotations: list[Annotation]) -> str:
    return " ".join(one.value for one in annotations if one.value)


def _remarks(tiers: list[Tier], groups: list[_Group], rows: tuple[Row, ...]) -> Iterator[str]:
    read = {tier.name for group in groups for tier in group.read}
    unread = [tier.name for tier in tiers if tier.name not in read and _role(tier) not in ("number", "words") and tier.annotations]
    if unread:
        yield f"tiers not read: {', '.join(unread)}"
    lost = sum("morphemes" in row.values and "gloss" not in row.values for row in rows)
    if lost and any(group.gloss is not None for group in groups):
        yield f"{lost} rows without gloss, as it is not there for each of their morphemes (Leipzig Glossing Rules, rule 2)"


READERS = (Reader(extensions=(".eaf",), read=read_elan),)
