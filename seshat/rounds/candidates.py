"""Which sentences of people are translated: those that training does not have, and that no test has either."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from seshat.data.duplicates import NearTexts, bare
from seshat.data.split import Split, is_long
from seshat.data.untranslated import sentences_alone
from seshat.examples import by_people, texts_of
from seshat.identify import Identifier
from seshat.language import Language, clean_spaces, split_sentences, words
from seshat.records import Document, Example, Record, digest
from seshat.rights import owners
from seshat.rounds.settings import BackTranslate
from seshat.step import Part
from seshat.store import PROCESSED, Manifest, Slice, Store

FOLDER = "monolingual"
"""Where the sentences are, chosen and rejected."""


def guarded_texts(held: Iterable[Example], lines: Iterable[str]) -> frozenset[str]:
    """The bare texts of which nothing may be trained on: both sides of held-out examples and lines, whole and sentence by sentence."""
    texts = itertools.chain.from_iterable((one.source, one.answer, f"{one.source} {one.answer}") for one in held)
    found = {bare(piece) for text in itertools.chain(texts, lines) for piece in (text, *split_sentences(text))}
    return frozenset(found - {""})


def candidates(
    settings: BackTranslate,
    split: Split,
    language: Language,
    store: Store,
    training: Sequence[Example],
    guarded: frozenset[str],
    *,
    withheld: Container[str] = (),
    dictionary: tuple[str, ...] = (),
) -> list[Document]:
    """The sentences, each once; those that are not to be translated are rejected with the reason.

    Of more than the settings allow, the content decides which are taken.
    """
    both = (language.code, language.bridge.code)
    known = texts_of(by_people(training))
    identifier = Identifier.of_sample({code: known.get(code, ()) for code in both})
    found: list[Document] = []
    for code in both if settings.text == "both" else both[:1] if settings.text == "taught" else both[1:]:
        alone = [
            replace(one, paragraphs=(clean_spaces(one.paragraphs[0]),))
            for one in sentences_alone(store, language, code, withheld, dictionary)
            if set(split.collections_held_out).isdisjoint(owners(one.collection))
        ]
        judge = _Judge(settings, code, identifier, set(map(bare, known.get(code, ()))), guarded, split.near)
        judged = list(judge.judged(alone))
        num_pairs = len({one.parent for one in by_people(training) if one.task == "translation"})
        found += _capped(judged, int(settings.ratio * num_pairs))
    return found


class _Judge:
    """What speaks against a sentence before it is translated."""

    def __init__(
        self, settings: BackTranslate, code: str, identifier: Identifier | None, known: set[str], guarded: frozenset[str], near: float
    ) -> None:
        self._settings, self._code, self._identifier = settings, code, identifier
        self._known, self._guarded = known, guarded
        self._near = NearTexts(sorted(filter(is_long, guarded)), near)

    def judged(self, alone: Sequence[Document]) -> Iterator[Document]:
        keys = [bare(one.paragraphs[0]) for one in alone]
        near = {place for place, _ in self._near.near(keys)} if keys else set()
        languages = self._identifier.languages(one.paragraphs[0] for one in alone) if self._identifier and alone else [""] * len(alone)
        said: set[str] = set()
        for place, (one, key, found) in enumerate(zip(alone, keys, languages, strict=True)):
            reason = self._why_not(one, key, said, near=place in near, found=found)
            said.add(key)
            yield one.reject(reason) if reason else one

    def _why_not(self, one: Document, key: str, said: Container[str], *, near: bool, found: str) -> str:
        number = len(words(one.paragraphs[0]))
        if not self._settings.minimum <= number <= self._settings.maximum:
            return f"length: {number} words"
        if key in self._guarded:
            return "leak: it is in the test, validation or held-out part"
        if near:
            return "near-leak: it is nearly in the test, validation or held-out part"
        if key in self._known:
            return "known: a person has translated it"
        if key in said:
            return "duplicate: it stands elsewhere too"
        return f"language: it is in {found}" if found not in ("", self._code) else ""


def _capped(judged: Sequence[Document], most: int) -> list[Document]:
    good = sorted((place for place, one in enumerate(judged) if not one.rejected), key=lambda place: judged[place].digest)
    over = set(good[most:])
    return [
        one.reject(f"over: back_translate.ratio allows {most:,} sentences") if place in over else one for place, one in enumerate(judged)
    ]


def write(found: Sequence[Document], store: Store, batch: int) -> tuple[Part, ...]:
    """Commit the sentences file by file, ``batch`` to a part, and give the parts: a new file changes no other's."""
    lines = []
    for _, group in itertools.groupby(found, key=lambda one: (one.language, one.origin.partition("#")[0])):
        of_file = list(group)
        for start in range(0, len(of_file), batch):
            records: list[Record] = [*of_file[start : start + batch]]
            key = digest(FOLDER, *(f"{one.id} {one.collection} {one.rejected}" for one in records))
            lines.append(store.part(FOLDER, key) or store.commit(FOLDER, key, records, rows_in=len(records)))
    manifest = Manifest(stage=FOLDER, fingerprint=digest(FOLDER, *(line.key for line in lines)), parts=tuple(lines))
    store.finish(f"{PROCESSED}/{FOLDER}", manifest)
    return tuple(Part((Slice(file),), takes_rejected=True) for line in lines for file in line.files)
