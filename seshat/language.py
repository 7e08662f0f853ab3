"""A language as its community writes it: code, alphabet, apostrophes, spelling rules, words and sentences.

The profile comes from ``configs/languages/*.yaml``. Nothing here needs a model.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import Annotated, Any

import regex
from pydantic import Field, field_validator

from seshat.config import Section

GLOTTAL_STOP = "\u02bc"
"""MODIFIER LETTER APOSTROPHE: a letter to Unicode, so that words are not cut at it."""
TYPED_APOSTROPHES = "'\u2018\u2019\u02bb\u02bc\ua78c\u00b4`\u2032\u201b"
"""What people type for one: typewriter, quotation marks, turned comma, saltillo, accents, prime."""
CLOSERS = "\"'\u00bb\u201d\u2019)\\]"
OPENERS = "\"'\u00ab\u201c\u2018(\\[\u00bf\u00a1\u2014-"

LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{3}$", description="ISO 639-3, three small letters")]


class SpellingRule(Section):
    """One replacement of an old or foreign spelling by today's."""

    pattern: str
    """A regular expression (the ``regex`` package), matched on normalised text."""
    replacement: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            regex.compile(value)
        except regex.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value


class Bridge(Section):
    """The language through which the other is taught."""

    code: LanguageCode = "spa"
    name: str = "español"
    short: str = "es"
    """ISO 639-1, as web clients and file names write it."""
    abbreviations: tuple[str, ...] = ("Sr.", "Sra.", "Dr.", "Dra.", "art.", "Art.", "pág.", "etc.", "p. ej.", "EE. UU.", "N.")


class Language(Section):
    """The profile of the language that is taught."""

    code: LanguageCode
    name: str
    """As the bridge language calls it; prompts use it: ``shipibo-konibo``."""
    short: str = ""
    """ISO 639-1, if there is one."""
    bridge: Bridge = Bridge()
    alphabet: str = ""
    """All letters in small case, digraphs spelt out; empty: any letter will do."""
    apostrophe: str = ""
    """How the glottal stop or ejective mark is written (one character), if apostrophes are letters here."""
    spelling: tuple[SpellingRule, ...] = ()
    """Applied in order, to sources whose spelling is old."""
    old_spelling: tuple[str, ...] = ()
    """Which raw files the spelling rules apply to: patterns such as ``dictionary/*.csv``."""
    sentence_end: str = ".?!…"
    abbreviations: tuple[str, ...] = ()

    def normalize(self, text: str) -> str:
        """One spelling for what looks the same: NFC, one apostrophe between or after letters, single spaces.

        After the last letter of a word it may as well close a quotation: it does if an apostrophe before a word opened one.
        """
        text = unicodedata.normalize("NFC", text)
        if self.apostrophe:
            text = _spell_apostrophes(text, self.apostrophe)
        return clean_spaces(text)

    def respell(self, text: str) -> str:
        """Today's spelling of a text in an old one (lower and upper case; a capital first letter stays one)."""
        return _respell(text, self._rules)

    def words(self, text: str) -> list[str]:
        """The words of a text in small letters; apostrophes and hyphens inside a word belong to it."""
        return words(text)

    def sentences(self, text: str, *, bridge: bool = False) -> list[str]:
        """The sentences of a paragraph; see ``split_sentences``."""
        abbreviations = self.bridge.abbreviations if bridge else self.abbreviations
        return split_sentences(text, end=self.sentence_end, abbreviations=abbreviations)

    def foreign_letters(self, text: str) -> set[str]:
        """The letters of a text that the alphabet does not have; none if there is no alphabet."""
        if not self.alphabet:
            return set()
        return {letter for letter in text.lower() if letter.isalpha() and letter not in self._letters}

    def called(self, code: str) -> str:
        """The ISO 639-3 code of a language that a request or a file name calls by any of its codes; empty if unknown."""
        for known in (self.code, self.bridge.code):
            if code == known:
                return known
        return {self.short: self.code, self.bridge.short: self.bridge.code}.get(code, "") if code else ""

    @cached_property
    def _letters(self) -> frozenset[str]:
        return frozenset(unicodedata.normalize("NFC", self.alphabet.lower() + self.apostrophe)) - {" "}

    @cached_property
    def _rules(self) -> tuple[tuple[Any, str], ...]:
        return tuple((regex.compile(rule.pattern), rule.replacement) for rule in self.spelling)


_APOSTROPHES = regex.compile(rf"(?P<after>(?<=\p{{L}}\p{{M}}*))?[{TYPED_APOSTROPHES}]+(?P<before>(?=\p{{L}}))?")
_SPACES = regex.compile(r"[\s\u00a0\u200b\ufeff]+")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:[-'\u02bc\u2019\ua78c][\p{L}\p{M}\p{N}]+)*[\u02bc\ua78c]?")


def clean_spaces(text: str) -> str:
    """One plain space wherever there was white space of any kind, none at the ends; half a surrogate pair becomes ``\ufffd``."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _SPACES.sub(" ", text).strip()


def words(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    return _WORD.findall(text.lower())


def split_sentences(text: str, *, end: str = ".?!…", abbreviations: tuple[str, ...] = ()) -> list[str]:
    """Cut a paragraph into sentences without a model: at an end mark, before a capital, a digit or an opening mark.

    An abbreviation, an initial (``J.``) and the number of an item (``1.``) do not end one. A letter without case is as good
    as a capital. Nothing but white space is lost: the sentences joined by spaces are the paragraph.
    """
    after = rf"(?<=[{regex.escape(end)}][{CLOSERS}]*)"
    beginning = rf"[{OPENERS}\p{{Lm}}]*[\p{{Lu}}\p{{Lt}}\p{{Lo}}\p{{N}}]"
    boundary = regex.compile(rf"{after}\s+(?={beginning}|(?<!\.[{CLOSERS}]*\s+)[¿¡])")
    sentences: list[str] = []
    for piece in boundary.split(clean_spaces(text)):
        if sentences and _unfinished(sentences[-1], abbreviations):
            sentences[-1] += " " + piece
        elif piece:
            sentences.append(piece)
    return sentences


def _unfinished(sentence: str, abbreviations: tuple[str, ...]) -> bool:
    """True if the full stop at the end belongs to an abbreviation or to the beginning of one (``EE.`` of ``EE. UU.``)."""
    if _INITIAL.search(sentence) or _ITEM.fullmatch(sentence):
        return True
    words_of = (known.split(" ") for known in abbreviations)
    beginnings = {" ".join(parts[: length + 1]) for parts in words_of for length in range(len(parts))}
    return any(sentence.endswith(known) and not sentence[: -len(known)][-1:].isalnum() for known in beginnings)


_INITIAL = regex.compile(r"(?:^|\s)\p{P}*\p{Lu}\.$")
_ITEM = regex.compile(r"\p{P}*(?:\p{N}+|[IVXLC]+)\.\p{P}*")


def _spell_apostrophes(text: str, letter: str) -> str:
    opened = False

    def spell(match: Any) -> str:
        nonlocal opened
        typed, begins_word = str(match.group()), match["before"] is not None
        if match["after"] is not None and (begins_word or not opened):
            return letter
        opened = begins_word and typed != letter
        return typed

    return str(_APOSTROPHES.sub(spell, text))


def _respell(text: str, rules: tuple[tuple[Any, str], ...]) -> str:
    def change(match: Any) -> str:
        word = match.group()
        new = word.lower()
        for pattern, replacement in rules:
            new = pattern.sub(replacement, new)
        return str(new[:1].upper() + new[1:] if word[:1].isupper() else new)

    return str(_RESPELLED.sub(change, text)) if rules else text


_RESPELLED = regex.compile(r"[\p{L}\p{M}'\u02bc]+")
