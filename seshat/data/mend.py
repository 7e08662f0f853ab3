"""Lines of scans put right by what an engine is known to confuse: each one is a record of its own, and the page stays as it was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Literal

from seshat.data.confusions import Confusions, learn, pairs_from_words
from seshat.data.lines import Answers
from seshat.language import Language, words
from seshat.records import Document, Entry, LineCorrection, Page, Record, SentencePair
from seshat.stage import Resources, Stage
from seshat.step import Part, Step
from seshat.store import Slice, Store

MENDED = "mended"
"""The step whose corrections no person made."""
SAY_OF_LINES = ("ingest", MENDED)
"""The steps that say what stands on lines, other than engines."""
Source = Literal["", "corrections", "dictionary"]
"""What is known of an engine's confusions: nothing, what people say about lines, or the words of texts that nobody had to recognise."""
_KNOWN: tuple[type[Record], ...] = (Entry, SentencePair, Document)


class MendLines(Stage[Record, Record]):
    """Learn what each engine confuses in each language, and put it right in the lines that no person has said anything about.

    From words that are known, only confusions of letters are learnt that are in the alphabet and on no page: a word that differs from a
    known one in other letters may be another form of it.
    """

    whole: ClassVar[bool] = True

    resources: Resources = Resources(batch=10_000_000)  # all pages teach
    source: Source
    language: Language

    def __call__(self, records: Iterable[Record]) -> Iterator[Record]:
        pages: dict[tuple[str, str], list[Page]] = {}
        corrections: list[LineCorrection] = []
        known = set[str]()
        for record in records:
            if isinstance(record, Page):
                pages.setdefault((record.language, record.engine), []).append(record)
            elif isinstance(record, LineCorrection):
                corrections.append(record)
            else:
                known.update(word for text in self._taught(record) for word in words(text))
        answers = Answers(corrections)
        for (code, _), group in sorted(pages.items()):
            if self.source == "corrections":
                table = learn(_answered(group, answers))
            elif code == self.language.code:
                table = self._of_known_words([line for page in group for line in page.lines], known)
            else:
                continue
            for page in group:
                yield from _mended(page, table, answers)

    def _taught(self, record: Record) -> Iterator[str]:
        """The texts of a record in the taught language."""
        if isinstance(record, Entry):
            yield from (record.headword, *record.variants)
        elif isinstance(record, SentencePair):
            yield record.text
        elif isinstance(record, Document) and record.language == self.language.code:
            yield from record.paragraphs

    def _of_known_words(self, lines: Sequence[str], known: set[str]) -> Confusions:
        written = set("".join(lines).lower())
        missing = {letter for letter in "".join(self.language.order) if letter.isalpha() and letter not in written}
        if not missing:
            return Confusions()
        right = [(word, word) for line in lines for word in words(line) if word in known]
        confused = [(read, meant) for read, meant in pairs_from_words(lines, known) if missing & set(meant)]
        return Confusions(tuple(rule for rule in learn([*right, *confused]).rules if missing & set(rule.meant)))


def _answered(pages: Iterable[Page], answers: Answers) -> Iterator[tuple[str, str]]:
    """The lines that people have said something about, as they were read and as they should read."""
    for page in pages:
        for number, read in enumerate(page.lines):
            if (said := answers.to(page, number)) and said.text:
                yield read, said.text


def _mended(page: Page, table: Confusions, answers: Answers) -> Iterator[LineCorrection]:
    for number, read in enumerate(page.lines):
        text, changes = table.apply(read)
        if changes and text != read and not answers.to(page, number):
            yield LineCorrection(
                origin=f"{page.origin}#line={number + 1}",
                collection=page.collection,
                name=page.name,
                language=page.language,
                page=page.origin,
                line=number + 1,
                read=read,
                text=text,
                rules=tuple(str(change.rule) for change in changes),
            )


def step(source: Source, language: Language, store: Store) -> Step:
    """Before documents are aligned; without a source, lines that were mended once are not any more."""
    pages = store.files("ocr", Page)
    if not source or not pages:
        return Step(MENDED, (), ())
    taught: tuple[type[Record], ...] = (LineCorrection,) if source == "corrections" else (LineCorrection, *_KNOWN)
    pieces = (*pages, *(file for kind in taught for file in store.files("ingest", kind)))
    return Step(MENDED, (MendLines(source=source, language=language),), (Part(tuple(map(Slice, pieces))),), max_rejected=1.0)


def note(store: Store) -> str:
    """What was put right, for whoever ran it; empty if nothing was."""
    mended = list(store.records(MENDED, LineCorrection))
    rules = Counter(rule for one in mended for rule in one.rules)
    shown = ", ".join(rule for rule, _ in rules.most_common(5))
    return f"{len(mended):,} lines of scans put right ({shown}{', ...' if len(rules) > 5 else ''})" if mended else ""
