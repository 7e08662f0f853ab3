"""A language as its community writes it: code, alphabet, apostrophes, spelling rules, words and sentences.

The profile comes from ``configs/languages/*.yaml``. Nothing here needs a model.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatch
from functools import cached_property, lru_cache
from typing import Annotated, Any

import regex
from pydantic import AfterValidator, Field

from seshat.config import Section, TableFile
from seshat.spelling import CompiledRule, SpellingRule, compiled, respell, rules_used, spell_apostrophes, typed_apostrophes

CLOSERS = "\"'\u00bb\u201d\u2019)\\]"
OPENERS = "\"'\u00ab\u201c\u2018(\\[\u00bf\u00a1\u2014-"


def _is_code(code: str) -> str:
    if not regex.fullmatch("[a-z]{3}", code):
        raise ValueError("give the ISO 639-3 code, three small letters such as shp; look it up at https://iso639-3.sil.org")
    return code


LanguageCode = Annotated[str, AfterValidator(_is_code)]


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
    """All letters in small case and in their order, with spaces between them if some are digraphs (``a ch e``); empty: any will do."""
    apostrophe: str = Field("", max_length=1)
    """How the glottal stop or ejective mark is written (one character), if apostrophes are letters here."""
    spelling: Annotated[tuple[SpellingRule, ...], TableFile(("pattern", "replacement", "note"), required=2)] = ()
    """Applied in order, to sources whose spelling is old. In YAML, the rules or the name of a TSV file: old, new, note."""
    old_spelling: tuple[str, ...] = ()
    """Which raw files the spelling rules apply to: patterns such as ``dictionary/*.csv``."""
    sentence_end: str = Field(".?!…", min_length=1)
    abbreviations: tuple[str, ...] = ()

    def normalize(self, text: str) -> str:
        """One spelling for what looks the same: NFC, one apostrophe between or after letters, single spaces.

        After the last letter of a word it may as well close a quotation: it does if an apostrophe before a word opened one.
        """
        text = unicodedata.normalize("NFC", text)
        if self.apostrophe:
            text = spell_apostrophes(text, self.apostrophe, self._apostrophes)
        return clean_spaces(text)

    def is_old(self, origin: str) -> bool:
        """True for a raw file whose text in the taught language the spelling rules apply to."""
        return _matches(origin, self.old_spelling)

    def respell(self, text: str) -> str:
        """Today's spelling of a text in an old one (lower and upper case; a capital first letter stays one)."""
        return respell(text, self._rules)

    def spell(self, text: str, origin: str) -> str:
        """A text of the taught language as it is kept: normalised, and respelt if the spelling of its raw file is old."""
        normal = self.normalize(text)
        return self.respell(normal) if self.is_old(origin) else normal

    def rules_used(self, written: str) -> tuple[int, ...]:
        """How often each rule of ``spelling`` fires on a text as its source wrote it."""
        return rules_used(self.normalize(written), self._rules)

    def letters(self, word: str) -> list[str]:
        """The letters of a word in small case, digraphs as one (the longest that fits); a letter keeps its combining marks."""
        return [str(letter) for letter in self._letter.findall(unicodedata.normalize("NFC", word.lower()))]

    def sort_key(self, word: str) -> tuple[tuple[int, ...], str]:
        """What a dictionary is sorted by: the order of the alphabet, spaces first, marks between letters last.

        A letter that the alphabet lacks stands with its plain form (``á`` with ``a``), or behind all others.
        """
        return tuple(rank for letter in self.letters(word) if (rank := self._rank(letter)) is not None), word

    def words(self, text: str) -> list[str]:
        """The words of a text in small letters; apostrophes and hyphens inside a word belong to it."""
        return words(text)

    def sentences(self, text: str, *, bridge: bool = False) -> list[str]:
        """The sentences of a paragraph; see ``split_sentences``."""
        abbreviations = self.bridge.abbreviations if bridge else self.abbreviations
        return split_sentences(text, end=self.sentence_end, abbreviations=abbreviations)

    def foreign_letters(self, text: str) -> set[str]:
        """The letters of a text that the alphabet does not have; none if there is no alphabet.

        Where the alphabet has ``ch`` but no ``c``, a ``c`` on its own is foreign.
        """
        return {letter for letter in self._only_letters(text) if letter not in self.order} if self.alphabet else set()

    def foreign_share(self, text: str) -> float:
        """Which share of the letters of a text the alphabet does not have, from 0 to 1."""
        letters = self._only_letters(text)
        return sum(letter not in self.order for letter in letters) / len(letters) if self.alphabet and letters else 0.0

    def called(self, code: str) -> str:
        """The ISO 639-3 code of a language that a request or a file name calls by any of its codes; empty if unknown."""
        for known in (self.code, self.bridge.code):
            if code == known:
                return known
        return {self.short: self.code, self.bridge.short: self.bridge.code}.get(code, "") if code else ""

    def _only_letters(self, text: str) -> list[str]:
        return [letter for letter in self.letters(text) if letter[0].isalpha()]

    def _rank(self, letter: str) -> int | None:
        """The place of a letter in the alphabet; None for a mark that dictionaries pass over."""
        if letter.isspace():
            return -1
        if not letter[0].isalnum() and letter not in self.order:
            return None
        plain = unicodedata.normalize("NFD", letter)[0]
        return self.order.get(letter, self.order.get(plain, len(self.order) + ord(letter[0])))

    @cached_property
    def order(self) -> dict[str, int]:
        """The letters of the alphabet, each with its place; the apostrophe comes last if it is not listed."""
        alphabet = unicodedata.normalize("NFC", self.alphabet.lower())
        if self.apostrophe:
            alphabet = regex.sub("['\u2019]", self.apostrophe, alphabet)
        listed = alphabet.replace(",", " ").split()
        letters = listed if len(listed) > 1 else regex.findall(r"\X", alphabet.strip())
        return {letter: place for place, letter in enumerate(dict.fromkeys((*letters, *self.apostrophe)))}

    @cached_property
    def _letter(self) -> Any:
        """A letter of the alphabet without further marks, else any character with its marks."""
        known = sorted(self.order, key=lambda letter: (-len(letter), letter))
        return regex.compile("|".join([*(rf"{regex.escape(letter)}(?!\p{{M}})" for letter in known), r"\X"]))

    @cached_property
    def _apostrophes(self) -> Any:
        return typed_apostrophes(self.order.keys() - {self.apostrophe})

    @cached_property
    def _rules(self) -> tuple[CompiledRule, ...]:
        return compiled(self.spelling)


_CAPITAL = regex.compile(r"[^\p{L}]*\p{Lu}")
_SPACES = regex.compile(r"[\s\u00a0\u200b\ufeff]+")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]++(?:[-'\u02bc\u2019\ua78c][\p{L}\p{M}\p{N}]++)*+[\u02bc\ua78c]?")


def clean_spaces(text: str) -> str:
    """One plain space wherever there was white space of any kind, none at the ends; half a surrogate pair becomes ``\ufffd``."""
    if text.isprintable() and "  " not in text:  # the only white space in it is single plain spaces
        return text.strip()
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _SPACES.sub(" ", text).strip()


def what_was_written(raw: str, text: str) -> str:
    """What a source wrote, white space apart, if that is not ``text``; empty if it is."""
    written = clean_spaces(raw)
    return written if written != text else ""


def words(text: str) -> list[str]:
    """The words of a text in small letters, without punctuation."""
    return _WORD.findall(text.lower())


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word of a text begins and ends; the same words as ``words``."""
    return [match.span() for match in _WORD.finditer(text)]


def names(texts: Iterable[str]) -> set[str]:
    """The words of some texts, in small letters, that have a capital wherever they do not begin a text: names, which nobody translates."""
    inside: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for text in texts:
        for token in text.split()[1:]:
            is_capital = bool(_CAPITAL.match(token))
            for word in words(token):
                inside[word] += 1
                capital[word] += is_capital
    return {word for word, count in inside.items() if capital[word] == count}


def split_sentences(text: str, *, end: str = ".?!…", abbreviations: tuple[str, ...] = ()) -> list[str]:
    """Cut a paragraph into sentences without a model: at an end mark, before a capital, a digit or an opening mark.

    An abbreviation, an initial (``J.``) and the number of an item (``1.``) do not end one. A letter without case is as good
    as a capital. Nothing but white space is lost: the sentences joined by spaces are the paragraph.
    """
    sentences: list[str] = []
    for piece in _boundary(end).split(clean_spaces(text)):
        if sentences and _unfinished(sentences[-1], abbreviations):
            sentences[-1] += " " + piece
        elif piece:
            sentences.append(piece)
    return sentences


@lru_cache
def _matches(origin: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(origin, pattern) for pattern in patterns)


@lru_cache
def _boundary(end: str) -> Any:
    """The white space between two sentences."""
    after = rf"(?<=[{regex.escape(end)}][{CLOSERS}]*)"
    beginning = rf"[{OPENERS}\p{{Lm}}]*[\p{{Lu}}\p{{Lt}}\p{{Lo}}\p{{N}}]"
    return regex.compile(rf"{after}\s+(?={beginning}|(?<!\.[{CLOSERS}]*\s+)[¿¡])")


def _unfinished(sentence: str, abbreviations: tuple[str, ...]) -> bool:
    """True if the full stop at the end belongs to an abbreviation or to the beginning of one (``EE.`` of ``EE. UU.``)."""
    if _INITIAL.search(sentence) or _ITEM.fullmatch(sentence):
        return True
    words_of = (known.split(" ") for known in abbreviations)
    beginnings = {" ".join(parts[: length + 1]) for parts in words_of for length in range(len(parts))}
    return any(sentence.endswith(known) and not sentence[: -len(known)][-1:].isalnum() for known in beginnings)


_INITIAL = regex.compile(r"(?:^|\s)\p{P}*\p{Lu}\.$")
_ITEM = regex.compile(r"\p{P}*(?:\p{N}+|[IVXLC]+)\.\p{P}*")
