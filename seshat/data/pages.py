"""What stands on recognised pages: running text as documents, and the entries of dictionaries.

Headers, footers and page numbers are taken away; what stands on lines that nobody can believe is withheld until a person has said what
they are. All of that is kept, rejected with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch

import regex

from seshat.data.columns import Columns
from seshat.data.entry_scores import entry_scores
from seshat.data.hanging import Placed, begins
from seshat.data.layout import SENTENCE_END, join_lines
from seshat.data.lines import Answers, by_scan
from seshat.data.material import Material
from seshat.data.readers import Paragraph
from seshat.data.readers.wordlines import WordLine, word_lines
from seshat.data.running_heads import running_heads
from seshat.language import Language
from seshat.records import Document, Entry, LineCorrection, Page, RawFile, SentencePair
from seshat.rights import joined

_MARK = "\ufffc"
"""Put into the words of a line that is not believed, behind their first letters, where neither sentences nor words are cut."""
_FIRST = regex.compile(r"^(\P{L}*\p{L})")
_KIND = regex.compile(r"(?:\p{Ll}{1,6}\.)+")
"""A part of speech, shortened."""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    doubt: str = ""
    left: float = 0.0
    right: float = 0.0
    confidence: float = 1.0

    @property
    def marked(self) -> str:
        """With a mark in its words, if it is doubtful; not in what separates the parts of an entry: dashes, ``v.``, numbers."""
        if not self.doubt:
            return self.text
        words = self.text.split()
        inner = range(1, len(words) - 1)
        marked = [word if place in inner and _KIND.fullmatch(word) else _FIRST.sub(rf"\1{_MARK}", word) for place, word in enumerate(words)]
        return " ".join(marked)


@dataclass(frozen=True, slots=True)
class _Proof:
    """A page as it is used: paragraphs of lines, and what was taken away."""

    number: int
    blocks: tuple[tuple[_Line, ...], ...]
    heads: tuple[tuple[str, str], ...]
    """Lines and reasons."""


def is_dictionary(page: Page, patterns: Iterable[str]) -> bool:
    """True for a page that ``page_entries`` should read; all others are running text."""
    return any(fnmatch(page.name.lower(), pattern.lower()) for pattern in patterns)


def page_documents(
    pages: Iterable[Page], language: Language, *, corrections: Iterable[LineCorrection] = (), max_chars: int = 4_000
) -> list[Document]:
    """Running text from pages: one document for each scan, its paragraphs in the order of the pages.

    Sentences of doubtful lines, and running heads, come beside it, rejected.
    """
    found: list[Document] = []
    answers = Answers(corrections)
    for group in by_scan(pages):
        name, code = group[0].name, group[0].language
        proofs = _proofs(group, answers)
        material = _material(group, answers, language, max_chars)
        text: list[Paragraph] = []
        for proof in proofs:
            for index, lines in enumerate(proof.blocks):
                block = join_lines(line.marked for line in lines)
                if text and index == 0 and block[:1].islower() and not text[-1].text.endswith(SENTENCE_END):
                    text[-1] = Paragraph(join_lines([text[-1].text, block]), text[-1].place)  # it goes on from the page before
                else:
                    text.append(Paragraph(block, f"page={proof.number}"))
        doubts = {line.text: line.doubt for proof in proofs for block in proof.blocks for line in block if line.doubt}
        believed, withheld = _sifted(text, language, bridge=code == language.bridge.code)
        if believed:
            found += material.documents(believed, name, code, line_by_line=False)
        heads = [(Paragraph(line, f"page={proof.number}"), reason) for proof in proofs for line, reason in proof.heads]
        doubtful = [(one, _reason(one.text, doubts)) for one in withheld]
        found += [_rejected(material, name, code, one, reason) for one, reason in (*doubtful, *heads)]
    return found


def page_entries(
    pages: Iterable[Page], language: Language, *, corrections: Iterable[LineCorrection] = (), max_chars: int = 4_000
) -> list[Entry | SentencePair]:
    """Entries from dictionary pages, from lines such as ``word – meaning`` or ``word s. meaning``; wrapped lines are joined.

    Where the lines of an entry are indented behind the first, that says where one begins. What cannot be an entry (a heading, a line that
    was misread) is among them, rejected with its reason, and so is what stands on a doubtful line.
    """
    found: list[Entry | SentencePair] = []
    answers = Answers(corrections)
    for group in by_scan(pages):
        proofs = _proofs(group, answers)
        doubts = {line.text: line.doubt for proof in proofs for block in proof.blocks for line in block if line.doubt}
        material = _material(group, answers, language, max_chars)
        cut = list(_word_lines(proofs))
        sure = [_confidence(line, proofs) for line in cut]
        scores = entry_scores([line.without(_MARK).headword for line in cut], sure, language)
        for line, score in zip(cut, scores, strict=True):
            made = [replace(one, score=score) if isinstance(one, Entry) else one for one in material.word_entries([line.without(_MARK)])]
            doubtful = _MARK in line.text
            found += [one.reject(one.rejected or _reason(line.without(_MARK).text, doubts)) if doubtful else one for one in made]
    return found


def _confidence(entry: WordLine, pages: Iterable[_Proof]) -> float:
    """How sure the engine is of the least sure line of an entry; 1.0 where people said what stands there."""
    lines = (line for page in pages if entry.place == f"page={page.number}" for block in page.blocks for line in block)
    return min((line.confidence for line in lines if line.marked in entry.text), default=1.0)


def _word_lines(pages: Sequence[_Proof]) -> Iterator[WordLine]:
    """The lines of a dictionary, cut in two; those of a page that says by its layout where entries begin are joined first."""
    loose: list[Paragraph] = []
    entries: list[tuple[str, list[str]]] = []
    """Where each begins, and its lines; they go on over the page."""
    for proof in pages:
        lines = [line for block in proof.blocks for line in block]
        beginning = begins([Placed(line.text, line.left, line.right) for line in lines])
        if beginning is None:
            yield from word_lines(_joined(entries))
            entries = []
            loose += [Paragraph(line.marked, f"page={proof.number}") for line in lines]
            continue
        yield from word_lines(loose, wrapped=True)
        loose = []
        for line, first in zip(lines, beginning, strict=True):
            if first or not entries:
                entries.append((f"page={proof.number}", []))
            entries[-1][1].append(line.marked)
    yield from word_lines(loose, wrapped=True)
    yield from word_lines(_joined(entries))


def _joined(entries: Iterable[tuple[str, list[str]]]) -> list[Paragraph]:
    return [Paragraph(join_lines(lines), place) for place, lines in entries]


def unused(pages: Iterable[Page], corrections: Sequence[LineCorrection]) -> Iterator[LineCorrection]:
    """The corrections that no line of a page has, and those that another one of the same line has overruled; rejected."""
    answers = Answers(corrections)
    used = {id(found) for page in pages for number in range(len(page.lines)) if (found := answers.to(page, number))}
    for one in corrections:
        if id(one) not in used and not one.rules:
            yield one.reject("line: no line of the page reads so, or another answer stands for it; it may have been read anew since")


def _proofs(pages: Sequence[Page], answers: Answers) -> list[_Proof]:
    heads = running_heads(pages)
    return [
        _proof(page, {line: reason for (at, line), reason in heads.items() if at == place}, answers) for place, page in enumerate(pages)
    ]


def _proof(page: Page, heads: dict[int, str], answers: Answers) -> _Proof:
    blocks: list[tuple[_Line, ...]] = []
    gone: list[tuple[str, str]] = []
    number = 0
    for block in page.text.split("\n\n"):
        lines: list[_Line] = []
        for text in block.split("\n"):
            if not text:
                continue
            doubt = page.doubts[number] if page.doubts else ""
            left, _, right, _ = page.boxes[4 * number : 4 * number + 4] or (0.0,) * 4
            answer = answers.to(page, number)
            if answer is not None:
                lines += [_Line(answer.text.replace(_MARK, ""), "", left, right)] if answer.text else []
            elif number in heads or (doubt and not any(letter.isalpha() for letter in text)):
                gone.append((text, heads.get(number, doubt)))
            else:
                sure = page.confidences[number] if page.confidences else 1.0
                lines.append(_Line(answers.mended(page, number).replace(_MARK, ""), doubt, left, right, sure))
            number += 1
        if lines:
            blocks.append(tuple(lines))
    return _Proof(page.number, tuple(blocks), tuple(gone))


def _sifted(text: Iterable[Paragraph], language: Language, *, bridge: bool) -> tuple[list[Paragraph], list[Paragraph]]:
    """The paragraphs without the sentences that stand on doubtful lines, and those sentences."""
    believed: list[Paragraph] = []
    withheld: list[Paragraph] = []
    for paragraph in text:
        if _MARK not in paragraph.text:
            believed.append(paragraph)
            continue
        good = []
        for sentence in language.sentences(paragraph.text, bridge=bridge):
            if _MARK in sentence:
                withheld.append(Paragraph(sentence.replace(_MARK, ""), paragraph.place))
            else:
                good.append(sentence)
        if good:
            believed.append(Paragraph(" ".join(good), paragraph.place))
    return believed, withheld


def _reason(text: str, doubts: dict[str, str]) -> str:
    """Why a text is withheld: the doubt about the line that it has most words of."""
    line = max(doubts, key=lambda line: len(set(line.split()) & set(text.split())))
    return f"line: {line[:60]!r} was read with doubt ({doubts[line].partition(':')[0]}); say what it is in the sheet of 'seshat lines'"


def _rejected(material: Material, name: str, code: str, paragraph: Paragraph, reason: str) -> Document:
    return Document(
        origin=f"{material.file.origin}#{paragraph.place}",
        collection=material.file.collection,
        name=name,
        language=code,
        paragraphs=(paragraph.text,),
        places=(paragraph.place,),
    ).reject(reason)


def _material(pages: list[Page], answers: Answers, language: Language, max_chars: int) -> Material:
    """Under the rights of the scan, and of what people said about its lines."""
    said = {one.collection for page in pages for number in range(len(page.lines)) if (one := answers.to(page, number))}
    collection = joined(pages[0].collection, *sorted(said))
    file = RawFile(origin=pages[0].origin.rsplit("#", 1)[0], collection=collection, path="", sha256="")
    return Material(file, language, Columns(), max_chars)
