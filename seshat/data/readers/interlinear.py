"""Interlinear examples in plain text (.igt): text, morphemes, gloss and 'free translation' in blocks of three or four lines.

The form is that of linguistic papers, with the alignment of the Leipzig Glossing Rules (Comrie, Haspelmath and Bickel, 2015)::

    (1) Mirusi dabo.
        miru-si  da=bo
        perro-PL va=EV
        'Los perros se van.' (MAR 001)
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from seshat.data.readers.content import Content, Options, Reader, RefusedError, Row, Table
from seshat.data.readers.encoding import decode
from seshat.data.readers.glossing import counts_match, is_segmented, unsegmented

Block = list[str]
_NUMBER = regex.compile(r"\s*(?:\((?:\d+|[ivx]+)\p{Ll}?\.?\)|\d+\p{Ll}?[.)](?!\d)|\[\d+\p{Ll}?\])(?:\s+|$)")
_LETTER = regex.compile(r"\s*(?:\(\p{Ll}\)|\p{Ll}[.)])\s+")
_QUOTED = regex.compile(r"""\s*[‘'`"“«„‚](?P<said>.*\S)\s*[’'"”»“‘]\s*(?P<source>[(\[].*[)\]])?\s*[.,;]?\s*""")
_JUDGED = regex.compile(r"(?:\?+|[*#%])(?=\s*[\p{L}\p{M}¿¡\"“‘(])")
"""An asterisk before what nobody says, a number sign or question mark before what is odd."""
_SHARE = 0.8
"""So many of the blocks of a file must be examples, and aligned, for it to hold nothing else."""
_COLUMNS = ("text", "morphemes", "gloss", "translation", "note")


def read_interlinear(data: bytes, options: Options) -> Content:
    """One row for each example, with the line on which it begins; see ``parse_interlinear``."""
    text, encoding = decode(data, options.encoding)
    content = parse_interlinear(text)
    return content if encoding.startswith("utf-8") else Content(content.tables, remarks=(f"read as {encoding}", *content.remarks))


def parse_interlinear(text: str) -> Content:
    """The examples between blank lines; a number before one and the quotation marks of its translation are taken off.

    In four lines the text comes first. In three the first line is both: its boundaries are taken out to make the text, if the
    gloss shows that they are boundaries and no hyphens of the spelling. A gloss that does not have as many words and parts as
    its morphemes breaks rules 1 and 2, so that nobody can say what means what: it is left out, the example is kept, and a
    remark names the line. An example that its author marks as ungrammatical or odd is a row with that problem, and so is a
    block that has another number of lines.
    """
    rows, broken = [], []
    for number, block in _blocks(text):
        row, aligned = _row(number, block)
        rows.append(row)
        broken += [] if aligned else [number]
    if not rows:
        raise RefusedError(
            "empty: the file holds no examples; write blocks of text, morphemes, gloss and 'translation' between blank lines"
        )
    remark = f"{len(broken)} glosses left out, with other parts than their morphemes (Leipzig Glossing Rules, rule 2): lines "
    remarks = (remark + ", ".join(map(str, broken)),) if broken else ()
    columns = tuple(name for name in _COLUMNS if name in ("text", "translation") or any(name in row.values for row in rows))
    return Content(tables=(Table(columns, tuple(rows)),), remarks=remarks)


def is_interlinear(text: str) -> bool:
    """True if a plain text holds interlinear examples and nothing else that would be lost.

    Strict, as it takes the text away from the readers of prose and word lists: at least two blocks, nearly all of them numbered,
    of three or four lines, with a quoted translation and a gloss that has the same words and parts as the morphemes, which
    half of them must divide.
    """
    blocks = [block for _, block in _blocks(text)]
    good = [block for block in blocks if _NUMBER.match(block[0]) and _is_aligned(_lines(block))]
    segmented = sum(is_segmented(_lines(block)[-3]) for block in good)
    return len(good) >= max(2, _SHARE * len(blocks)) and 2 * segmented >= len(good)


def _is_aligned(lines: list[str]) -> bool:
    return len(lines) in (3, 4) and _QUOTED.fullmatch(lines[-1]) is not None and counts_match(lines[-3], lines[-2])


def _blocks(text: str) -> Iterator[tuple[int, Block]]:
    """Runs of lines between blank ones, with the number of their first line; a number that stands alone goes with what follows."""
    begun, block = 0, Block()
    for number, line in enumerate([*text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""], 1):
        if line.strip():
            begun = begun if block else number
            block.append(line)
        elif block and not (len(block) == 1 and _NUMBER.fullmatch(block[0])):
            yield begun, block
            block = []
    if block:
        yield begun, block


def _lines(block: Block) -> list[str]:
    """The lines of an example without its number, a translation that goes on over several lines in one."""
    first = _LETTER.sub("", _NUMBER.sub("", block[0], count=1), count=1)
    lines = [" ".join(line.split()) for line in (first, *block[1:]) if line.strip()]
    for index in range(2, len(lines)):
        joined = " ".join(lines[index:])
        if lines[index][0] in "‘“«'\"`" and _QUOTED.fullmatch(joined):
            return [*lines[:index], joined]
    return lines


def _row(number: int, block: Block) -> tuple[Row, bool]:
    """An example, and whether its gloss has the parts of its morphemes."""
    lines, place = _lines(block), f"line={number}"
    if len(lines) not in (3, 4):
        shown = {"text": lines[0]} if lines else {}
        return Row(place, shown, problem=f"lines: {len(lines)} where an example has text, morphemes, gloss and 'translation'"), True
    *text, morphemes, gloss, free = lines
    aligned = counts_match(morphemes, gloss)
    quoted = _QUOTED.fullmatch(free)
    values = {
        "text": text[0] if text else unsegmented(morphemes) if aligned else morphemes,
        "morphemes": morphemes if text or aligned else "",
        "gloss": gloss if aligned else "",
        "translation": quoted["said"] if quoted else free,
        "note": (quoted["source"] or "").strip("()[] ") if quoted else "",
    }
    judged = _JUDGED.match(lines[0])
    problem = f"ungrammatical: the example is marked with {judged.group()}, so nobody would say it like this" if judged else ""
    return Row(place, {name: said for name, said in values.items() if said}, problem=problem), aligned


READERS = (Reader(extensions=(".igt",), read=read_interlinear),)
