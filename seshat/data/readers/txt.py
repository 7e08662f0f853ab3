"""Plain text: paragraphs between blank lines, or one paragraph a line, and the bare lines for lists of words."""

from __future__ import annotations

from itertools import pairwise
from statistics import median, quantiles

from seshat.data.layout import join_lines
from seshat.data.readers.content import Content, Options, Paragraph, Reader, RefusedError
from seshat.data.readers.encoding import decode
from seshat.data.readers.interlinear import is_interlinear, read_interlinear
from seshat.data.readers.standard_format import read_standard_format

_WRAPPED_SHARE = 0.2
"""Of the lines inside a block, how many must go on in small letters for the text to count as wrapped by an editor."""
_WRAPPED_WIDTH = 130
"""Characters; editors and typewriters break lines before this."""


def read_text(data: bytes, options: Options) -> Content:
    """Paragraphs with the line on which they begin; lines that an editor wrapped are joined, all others stay apart."""
    text, encoding = decode(data, options.encoding)
    if options.line_by_line:
        return _content(_filled(text.split("\n")), encoding)
    if text.lstrip("\ufeff\r\n ").startswith(("\\_sh ", "\\lx ")):  # Toolbox calls its databases .txt
        return read_standard_format(data, options)
    if is_interlinear(text):
        return read_interlinear(data, options)
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").split("\n")]
    blocks = _blocks(lines)
    joined = tuple(_joined(block) for block in blocks) if _is_wrapped(blocks) else ()
    return _content(_filled(lines), encoding, joined)


def _filled(lines: list[str]) -> tuple[Paragraph, ...]:
    """The lines that say something."""
    return tuple(Paragraph(line.rstrip(), f"line={number}") for number, line in enumerate(lines, 1) if line.strip())


def _content(filled: tuple[Paragraph, ...], encoding: str, joined: tuple[Paragraph, ...] = ()) -> Content:
    if not filled:
        raise RefusedError("empty: the file holds no text")
    return Content(
        paragraphs=tuple(Paragraph(one.text.strip(), one.place) for one in joined or filled),
        lines=filled,
        remarks=() if encoding.startswith("utf-8") else (f"read as {encoding}",),
    )


Block = list[tuple[int, str]]


def _blocks(lines: list[str]) -> list[Block]:
    """Runs of lines between blank ones, with their numbers from 1."""
    blocks: list[Block] = [[]]
    for number, line in enumerate(lines, 1):
        if line.strip():
            blocks[-1].append((number, line))
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _joined(block: Block) -> Paragraph:
    return Paragraph(join_lines(line.strip() for _, line in block), f"line={block[0][0]}")


def _is_wrapped(blocks: list[Block]) -> bool:
    """True if the line ends inside blocks are an editor's: lines of one width, many of which go on in small letters."""
    inner = [(line, following) for block in blocks for (_, line), (_, following) in pairwise(block)]
    if len(inner) < 2:
        return False
    widths = [len(line) for line, _ in inner]
    widest = quantiles(widths, n=20)[-1]
    goes_on = sum(following.lstrip()[:1].islower() for _, following in inner) / len(inner)
    return goes_on >= _WRAPPED_SHARE and widest <= _WRAPPED_WIDTH and median(widths) >= 0.75 * widest


READERS = (Reader(extensions=(".txt", ".text", ".md"), read=read_text),)
