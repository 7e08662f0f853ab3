"""FLEx interlinear texts (.flextext): a row for each phrase, with its morphemes, glosses, free translations and notes.

The format is SIL's FlexInterlinear.xsd: ``document`` > ``interlinear-text`` > ``paragraph`` > ``phrase`` > ``word`` > ``morph``, each
with ``item`` elements that have a type (``txt``, ``cf``, ``gls``, ``lit``, ``note``, ``segnum``, ``punct``) and a writing system
(``lang``). Its first version calls a phrase ``word``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Row, Table
from seshat.data.readers.glossing import Morph, interlinear, join_words
from seshat.data.readers.xml import Element, inner_text, parse_xml

_CLITICS = ("clitic", "enclitic", "proclitic")
_PHONETIC = frozenset({"fonipa", "fonxsamp", "etic", "zxxx"})
"""Subtags of writing systems that are no orthography: phonetic ones and recordings."""


@dataclass(frozen=True, slots=True)
class _Systems:
    """The writing systems of a file."""

    text: str
    """Of the column ``text``: the vernacular one with the most words, an orthography before a phonetic transcription."""
    gloss: str
    """Of the column ``gloss``: the one in which the most morphemes or words are glossed."""


def read_flextext(data: bytes, options: Options) -> Content:
    """One table with the phrases of all texts.

    Free translations are columns by language (``free es``). So are texts, glosses and literal translations in further
    writing systems, but a gloss or a literal translation is left out in a language without a free one, as it would be
    taken for that.
    """
    root = parse_xml(data, options, root="document", program="FLEx")
    phrases = [phrase for text in root.iter("interlinear-text") for phrase in _phrases(text)]
    systems = _Systems(_text_system(root, phrases), _most_common(_gloss_items(phrases)))
    rows = [row for number, text in enumerate(root.iter("interlinear-text"), 1) for row in _rows(text, _title(text, number, root), systems)]
    if not rows:
        raise RefusedError("empty: the file holds no phrases; in FLEx, export the analysed text as 'ELAN, SayMore, FLEx (.flextext)' again")
    columns = _columns(rows)
    kept = tuple(Row(row.place, {name: row.values[name] for name in columns if name in row.values}, problem=row.problem) for row in rows)
    incomplete = sum("morphemes" in row.values and "gloss" not in row.values for row in rows)
    remarks = (f"{incomplete} phrases without gloss, as some of their morphemes have none",) if incomplete else ()
    return Content(tables=(Table(columns, kept),), remarks=remarks)


def _phrases(text: Element) -> list[Element]:
    return [phrase for phrases in text.iter("phrases") for phrase in phrases if phrase.tag in ("phrase", "word")]


def _words(phrase: Element) -> list[Element]:
    return [word for words in phrase.iterchildren("words") for word in words.iterchildren("word")]


def _items(element: Element, kind: str) -> dict[str, str]:
    """The items of a type by writing system; several of one are joined."""
    found: dict[str, str] = {}
    for item in element.iterchildren("item"):
        said = inner_text(item) if item.get("type") == kind else ""
        if said:
            lang = item.get("lang", "")
            found[lang] = f"{found[lang]}; {said}" if lang in found else said
    return found


def _most_common(langs: Iterable[str]) -> str:
    counts = Counter(langs)
    return max(counts, key=lambda lang: counts[lang], default="")


def _text_system(root: Element, phrases: list[Element]) -> str:
    written = Counter(lang for phrase in phrases for part in (phrase, *_words(phrase)) for lang in _items(part, "txt"))
    vernacular = {one.get("lang") for one in root.iter("language") if one.get("vernacular") == "true"}
    pool = [lang for lang in written if lang in vernacular] or list(written)
    return max(pool, key=lambda lang: (_PHONETIC.isdisjoint(lang.lower().split("-")), written[lang]), default="")


def _gloss_items(phrases: list[Element]) -> Iterator[str]:
    for phrase in phrases:
        for word in _words(phrase):
            for part in (word, *word.iter("morph")):
                yield from _items(part, "gls")


def _title(text: Element, number: int, root: Element) -> str:
    """The title of a text if no other has it, else its number."""
    titles = [next(iter(_items(one, "title").values()), "") for one in root.iter("interlinear-text")]
    title = titles[number - 1]
    return title.replace("#", " ").replace("&", " ") if title and titles.count(title) == 1 else str(number)


def _rows(text: Element, title: str, systems: _Systems) -> Iterator[Row]:
    phrases = _phrases(text)
    numbers = [next(iter(_items(phrase, "segnum").values()), "") for phrase in phrases]
    if "" in numbers or len(set(numbers)) < len(numbers):
        numbers = [str(number) for number in range(1, len(phrases) + 1)]
    for number, phrase in zip(numbers, phrases, strict=True):
        values = _values(phrase, systems)
        if values:
            yield Row(f"text={title}&phrase={number}", values, problem=_problem(values, systems))


def _values(phrase: Element, systems: _Systems) -> dict[str, str]:
    words = _words(phrase)
    texts = _items(phrase, "txt")
    if systems.text not in texts:
        texts[systems.text] = _joined(words, systems.text)
    lines = {lang: _interlinear(words, systems.text, lang) for lang in _gloss_systems(words, systems)}
    morphemes, gloss = lines[systems.gloss]
    values = {"text": texts.pop(systems.text), "morphemes": morphemes, "gloss": gloss}
    values |= {f"free {lang}": said for lang, said in _items(phrase, "gls").items()}
    values["note"] = "; ".join(_items(phrase, "note").values())
    values |= {f"text {lang}": said for lang, said in texts.items()}
    values |= {f"gloss {lang}": line for lang, (_, line) in lines.items() if lang != systems.gloss}
    values |= {f"literal {lang}": said for lang, said in _items(phrase, "lit").items()}
    return {column: said for column, said in values.items() if said}


def _joined(words: list[Element], lang: str) -> str:
    """The words and signs of a phrase as text; a word of another writing system (a loan) is taken as it is."""
    if not any(lang in _items(word, "txt") for word in words):
        return ""
    texts = ({**_items(word, "punct"), **_items(word, "txt")} for word in words)
    return join_words(items.get(lang) or next(iter(items.values()), "") for items in texts)


def _gloss_systems(words: list[Element], systems: _Systems) -> list[str]:
    found = (lang for word in words for part in (word, *word.iter("morph")) for lang in _items(part, "gls"))
    return list(dict.fromkeys((systems.gloss, *found)))


def _interlinear(words: list[Element], text: str, lang: str) -> tuple[str, str]:
    """The lines of morphemes and glosses; no morphemes if no word of the phrase is analysed."""
    analysed = any(True for word in words for _ in word.iter("morph"))
    made = [_morphs(word, text, lang) for word in words if _items(word, "txt")]
    morphemes, gloss = interlinear(made)
    return morphemes if analysed else "", gloss


def _morphs(word: Element, text: str, lang: str) -> list[Morph]:
    """The morphemes of a word; a word that is not analysed, or in one piece, may have its gloss as a word."""
    found = [
        Morph(_in(_items(morph, "txt") or _items(morph, "cf"), text), _items(morph, "gls").get(lang, ""), _boundary(morph))
        for morph in word.iter("morph")
    ]
    whole = _items(word, "gls").get(lang, "")
    if len(found) == 1 and not found[0].gloss:
        return [Morph(found[0].form, whole)]
    return [morph for morph in found if morph.form] or [Morph(_in(_items(word, "txt"), text), whole)]


def _in(items: dict[str, str], lang: str) -> str:
    return items.get(lang) or next(iter(items.values()), "")


def _boundary(morph: Element) -> str:
    return "=" if morph.get("type", "").lower() in _CLITICS else "-"


def _problem(values: dict[str, str], systems: _Systems) -> str:
    if "text" in values:
        return ""
    others = [column.removeprefix("text ") for column in values if column.startswith("text ")]
    if others:
        return f"language: the phrase is written in {', '.join(others)}, not in {systems.text}"
    return "empty: the phrase has no words"


def _columns(rows: list[Row]) -> tuple[str, ...]:
    """What the rows have, in reading order, without glosses in languages that no free translation is in."""
    named = dict.fromkeys(name for row in rows for name in row.values)
    kinds = ("text", "morphemes", "gloss", "free", "note")

    def rank(name: str) -> int:
        kind, _, lang = name.partition(" ")
        return kinds.index(kind) if kind in kinds and (kind == "free" or not lang) else len(kinds)

    lone = {name for name in named if name.startswith(("gloss ", "literal ")) and f"free {name.partition(' ')[2]}" not in named}
    return tuple(sorted((name for name in named if name not in lone), key=rank))


READERS = (Reader(extensions=(".flextext",), read=read_flextext),)
