"""Lines such as ``káti v. – ir, andar``, as people type and print word lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import regex

from seshat.data.readers.content import Paragraph

_SEPARATORS = (r"\t+", r"\s+[–—]\s*|\s*[–—]\s+", r"\s+-+\s+", r"\s*=\s*", r"\s*:\s+")
"""From the surest to the least sure; the first that a line holds cuts it, once."""
_PART_OF_SPEECH = regex.compile(r"^(?P<word>.+?)[\s,]*(?:\((?P<inside>[^()]{1,20})\)|(?P<bare>(?:\p{Ll}{1,6}\.\s?){1,3}))$")
_KINDS = (
    *(
        "s",
        "sust",
        "n",
        "m",
        "f",
        "sm",
        "sf",
        "s.m",
        "s.f",
        "v",
        "vb",
        "vt",
        "vi",
        "vr",
        "v.t",
        "v.i",
        "v.r",
        "v.tr",
        "v.intr",
        "tr",
        "intr",
    ),
    *(
        "adj",
        "adv",
        "pron",
        "prep",
        "posp",
        "conj",
        "interj",
        "excl",
        "num",
        "art",
        "part",
        "suf",
        "pref",
        "aux",
        "det",
        "dem",
        "expr",
        "loc",
    ),
    *("onom", "poss", "inv", "clit", "enf", "interr", "cuant"),
)
"""How dictionaries shorten parts of speech; between a word and its meaning, one of them is as good as a dash."""
_KIND = "|".join(map(regex.escape, sorted(_KINDS, key=len, reverse=True)))
_BARE = regex.compile(rf"^(?P<word>[^.,;:]{{1,60}}?)\s+(?P<kind>(?:(?:{_KIND})\.\s?){{1,2}})\s*(?P<meaning>\S.*)$")
_LONGEST_HEADWORD = 60
"""Characters; a longer left side is a sentence that happens to hold a dash."""
_NUMBERS = regex.compile(r"[\d\s.,\-–—]+")


@dataclass(frozen=True, slots=True)
class WordLine:
    """A line cut in two, or the reason why it cannot be."""

    place: str
    headword: str = ""
    translation: str = ""
    part_of_speech: str = ""
    text: str = ""
    """The line itself."""
    problem: str = ""

    def without(self, mark: str) -> WordLine:
        """The same without a character that somebody put into the lines."""
        texts = {name: getattr(self, name).replace(mark, "") for name in ("headword", "translation", "part_of_speech", "text")}
        return replace(self, **texts)


def word_lines(lines: Iterable[Paragraph], *, wrapped: bool = False) -> Iterator[WordLine]:
    """Cut each line at its separator.

    An indented line without one goes on with the meaning before it; with ``wrapped`` (scans, where indents are lost) so does
    any line without one that follows an entry. Page numbers are passed over.
    """
    pending: WordLine | None = None
    for line in lines:
        if _NUMBERS.fullmatch(line.text):
            continue
        parsed = _parse(line)
        indented = line.text[:1].isspace()
        if parsed.problem and pending is not None and not pending.problem and (wrapped or indented):
            pending = _extended(pending, line.text.strip())
            continue
        if pending is not None:
            yield pending
        pending = parsed
    if pending is not None:
        yield pending


def _parse(line: Paragraph) -> WordLine:
    text = line.text.strip()
    bare = _BARE.match(text)
    for separator in _SEPARATORS:
        parts = regex.split(separator, text, maxsplit=1)
        if bare and len(parts[0]) > bare.end("kind"):
            continue  # it cuts the meaning
        if len(parts) == 2 and parts[0].strip() and parts[1].strip() and len(parts[0]) <= _LONGEST_HEADWORD:
            word, kind = _part_of_speech(parts[0].strip())
            return WordLine(line.place, word, parts[1].strip(), kind, text)
    if bare:
        return WordLine(line.place, bare["word"], bare["meaning"], bare["kind"].strip(), text)
    return WordLine(
        line.place,
        text=text,
        problem="separator: no dash, tab, colon or equals sign between a word and its meaning",
    )


def _part_of_speech(left: str) -> tuple[str, str]:
    match = _PART_OF_SPEECH.match(left)
    if match is None:
        return left, ""
    return match["word"].strip(), (match["inside"] or match["bare"]).strip()


def _extended(entry: WordLine, text: str) -> WordLine:
    meaning = entry.translation
    joined = meaning[:-1] + text if meaning.endswith(("-", "\u00ad")) and text[:1].islower() else f"{meaning} {text}"
    return WordLine(entry.place, entry.headword, joined, entry.part_of_speech, f"{entry.text} {text}")
