"""The verb ``next``: which sentences speakers should translate next, so that a day of their work teaches the model most.

They are written as a table with an empty column, which ``make ingest`` reads when it is filled in. How they are chosen:
``seshat.data.coverage``.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import regex
from pydantic import Field, model_validator

from seshat.config import PathSetting, Section
from seshat.data.coverage import Coverage
from seshat.data.duplicates import NearTexts, bare
from seshat.data.untranslated import untranslated
from seshat.errors import DataError, StoreError
from seshat.examples import SPLITS, TRAINING, parse_lines, texts_of
from seshat.identify import Identifier
from seshat.language import CLOSERS, Language, clean_spaces, names, words
from seshat.store import Store

SHEET = "reports/next_sentences.csv"
NEAR = 0.8
"""What is so near to a sentence of the data (the Jaccard index of ``format.near``) brings nothing, or must not be trained on."""
SHORTLIST = 3
"""How many times as many sentences a model is asked about as are chosen in the end."""
SHOWN = 6
"""New words of a sentence that the sheet names."""
_BULLET = regex.compile(r"^[-–—•*·\s]+")
_ENDS = regex.compile(rf"[.?!…][{CLOSERS}]*$")
_BEGINS = regex.compile(r"[\p{L}\p{N}¿¡\"'«“‘(]")
Sure = Callable[[Sequence[str]], Sequence[float]]
"""How sure a model is of its translation of each sentence, from 0 to 1."""


class NextSentences(Section):
    """What speakers are asked to translate."""

    texts: PathSetting = ""
    """Text in the bridge language, one sentence or paragraph a line; empty: what the raw material has without a usable translation."""
    number: int = Field(200, ge=1)
    """How many sentences are chosen."""
    minimum: int = Field(4, ge=1)
    """Words of a sentence."""
    maximum: int = Field(25, ge=1)
    """Words of a sentence: a long one takes long, and one mistake in it spoils much."""
    ask: bool = False
    """Ask the trained model how sure it is of a shortlist, and prefer what it is not sure of."""

    @model_validator(mode="after")
    def _some_length(self) -> NextSentences:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum: {self.minimum} words are more than maximum={self.maximum}")
        return self


@dataclass(frozen=True, slots=True)
class Choice:
    """One sentence to translate."""

    sentence: str
    origin: str
    new_words: tuple[str, ...]
    """Its words, names and numbers apart, that neither training nor a sentence before it in the list has."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was chosen, and where it is."""

    path: str
    choices: tuple[Choice, ...]
    num_candidates: int
    known: float
    """The share of the running words of all candidates that training has."""
    then: float
    """The same when the list is translated."""

    def __str__(self) -> str:
        new = len({word for choice in self.choices for word in choice.new_words})
        size = sum(len(words(choice.sentence)) for choice in self.choices)
        return (
            f"{len(self.choices):,} of {self.num_candidates:,} sentences ({size:,} words) with {new:,} words that training has never seen: "
            f"it would have {self.then:.1%} of the running words of these texts, now {self.known:.1%}.\n"
            f"{self.path}: have its empty column filled in, put it into data/raw/transcriptions under a name of its own, run make ingest."
        )


def next_sentences(
    settings: NextSentences,
    language: Language,
    store: Store,
    *,
    withheld: Container[str] = (),
    apart: Iterable[str] = (),
    sure: Sure | None = None,
) -> Sheet:
    """Choose sentences and write ``reports/next_sentences.csv``.

    ``withheld`` are collections that must not be trained on, ``apart`` the sentences of external test sets, ``sure`` asks the model.

    Raises:
        StoreError: If the training data or the text is not there, or if the sheet holds translations.
        DataError: If there is no sentence to choose from.
    """
    _refuse_to_lose(store, language)
    texts = {split: _texts(store, split) for split in SPLITS}
    trained = texts["train"].get(language.bridge.code, [])
    read = _given(settings.texts, language, store) if settings.texts else untranslated(store, language, withheld)
    taken = [text for found in texts.values() for text in found.get(language.bridge.code, ())]
    candidates = _new(_in_bridge(_fitting(read, settings), texts["train"], language), [*apart, *taken])
    if not candidates:
        raise DataError(
            "next: there is no sentence to choose from: name a text in the bridge language, one sentence a line (next.texts=FILE), with "
            f"sentences of {settings.minimum} to {settings.maximum} words that are not translated yet"
        )
    sentences = [*candidates]
    coverage = Coverage(sentences, trained)
    places = coverage.choose(settings.number * (SHORTLIST if sure else 1))
    if sure:
        places = coverage.choose(settings.number, among=places, sure=sure([sentences[place] for place in places]))
    choices = tuple(_choices([sentences[place] for place in places], candidates, trained))
    store.write(SHEET, _table(choices, language))
    return Sheet(store.path(SHEET), choices, len(candidates), coverage.share(), coverage.share(places))


def _given(name: str, language: Language, store: Store) -> Iterator[tuple[str, str]]:
    """The sentences of a text file, each with its line."""
    path = store.path(name)
    try:
        with open(path, encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                yield from ((sentence, f"{os.path.basename(path)}#line={number}") for sentence in language.sentences(line, bridge=True))
    except OSError as error:
        raise StoreError(f"next.texts: {path} cannot be read ({error.strerror}); give a text file with one sentence a line") from None
    except UnicodeDecodeError as error:
        raise StoreError(f"next.texts: {path} is not text in UTF-8 ({error})") from None


def _fitting(read: Iterable[tuple[str, str]], settings: NextSentences) -> dict[str, str]:
    """The origins of the different sentences of the right length, without bullets.

    What begins like a formula is left out: a spreadsheet would run it. So are pieces of lists, which do not end as a sentence does,
    unless most of the texts are like that.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    for text, origin in read:
        sentence = _BULLET.sub("", clean_spaces(text))
        key = bare(sentence)
        if key not in seen and _BEGINS.match(sentence) and settings.minimum <= len(words(sentence)) <= settings.maximum:
            seen.add(key)
            found[sentence] = origin
    whole = {sentence: origin for sentence, origin in found.items() if _ENDS.search(sentence)}
    return whole if 2 * len(whole) >= len(found) else found


def _new(candidates: dict[str, str], taken: Sequence[str]) -> dict[str, str]:
    """Those that are not among some texts, nor nearly."""
    known = sorted({bare(text) for text in taken} - {""})
    exact = set(known)
    left = [sentence for sentence in candidates if bare(sentence) not in exact]
    near = {place for place, _ in NearTexts(known, NEAR).near([bare(sentence) for sentence in left])} if known else set()
    return {sentence: candidates[sentence] for place, sentence in enumerate(left) if place not in near}


def _in_bridge(candidates: dict[str, str], trained: Mapping[str, Sequence[str]], language: Language) -> dict[str, str]:
    """Those that are not surely in the language that is taught, as rows with exchanged sides are."""
    known = {code: trained.get(code, ()) for code in (language.code, language.bridge.code)}
    identifier = Identifier.of_sample(known)
    found = identifier.languages(candidates) if identifier else [""] * len(candidates)
    return {sentence: origin for (sentence, origin), code in zip(candidates.items(), found, strict=True) if code != language.code}


def _texts(store: Store, split: str) -> dict[str, list[str]]:
    """What the examples of a split say in each language, each text once."""
    name = f"{TRAINING}/{split}.jsonl"
    if store.size(name) < 0:
        raise StoreError(f"{store.path(name)} is not there and 'next' needs it: run 'make format' first")
    return texts_of(parse_lines(store.read(name).decode().split("\n"), store.path(name)))


def _choices(chosen: Iterable[str], candidates: Mapping[str, str], trained: Iterable[str]) -> Iterator[Choice]:
    seen = names(candidates).union(word for text in trained for word in words(text))
    for sentence in chosen:
        new = tuple(dict.fromkeys(word for word in words(sentence) if word not in seen and word.isalpha()))
        seen.update(new)
        yield Choice(sentence, candidates[sentence], new)


# The sheet


def _table(choices: Iterable[Choice], language: Language) -> bytes:
    """A CSV that spreadsheets open as UTF-8; the columns of the two languages are called by their codes, as ingest knows them."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["number", language.bridge.code, language.code, "brings", "from"])
    for number, one in enumerate(choices, 1):
        writer.writerow([number, one.sentence, "", ", ".join(one.new_words[:SHOWN]), one.origin])
    return stream.getvalue().encode("utf-8-sig")


def asked(store: Store) -> list[str]:
    """The origins of the sentences in the sheet; none if there is no sheet."""
    return [row.get("from") or "" for row in _rows(store)]


def _rows(store: Store) -> list[dict[str, str]]:
    if store.size(SHEET) < 0:
        return []
    return list(csv.DictReader(io.StringIO(store.read(SHEET).decode("utf-8-sig", "replace"), newline="")))


def _refuse_to_lose(store: Store, language: Language) -> None:
    """Leave a sheet alone in which somebody has begun to write."""
    filled = sum(bool((row.get(language.code) or "").strip()) for row in _rows(store))
    if filled:
        raise StoreError(
            f"{store.path(SHEET)} holds {filled:,} translations: move it to data/raw/transcriptions under a name of its own, then run "
            "next again"
        )
