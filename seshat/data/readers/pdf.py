"""PDF files: the lines of the text layer with their boxes, page by page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from seshat.data.layout import join_lines, paragraphs, reading_order
from seshat.data.readers.content import Content, Options, Paragraph, Reader, RefusedError
from seshat.engines.ocr import Line


def read_pdf(data: bytes, options: Options) -> Content:
    """The text layer as paragraphs in reading order; a PDF without one is refused, as it needs ``make ocr``."""
    with opened(data) as document:
        num_pages = len(document)
        blocks = [(number, block) for number in range(1, num_pages + 1) for block in reading_order(_page_lines(document, number))]
    lines = [Paragraph(line.text, f"page={number}") for number, block in blocks for line in block]
    found: list[Paragraph] = []
    done = 0
    for paragraph in paragraphs(block for _, block in blocks):
        found.append(Paragraph(join_lines(line.text for line in paragraph), lines[done].place))
        done += len(paragraph)
    if not found:
        raise RefusedError("scan: none of its pages has a text layer; put it into scans/ and run 'make ocr'")
    with_text = len({line.place for line in lines})
    remarks = (
        () if with_text == num_pages else (f"{num_pages - with_text} of {num_pages} pages have no text layer; 'make ocr' reads scans/",)
    )
    return Content(paragraphs=tuple(found), lines=tuple(lines), remarks=remarks)


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """An open PDF document; what is none, is damaged or needs a password is refused."""
    import pypdfium2  # brings a native library

    try:
        document = pypdfium2.PdfDocument(data)
        num_pages = len(document)
    except pypdfium2.PdfiumError as error:
        raise RefusedError(f"unreadable: not a PDF that can be opened ({error}); save it again without a password") from None
    try:
        if num_pages == 0:
            raise RefusedError("empty: the PDF has no pages")
        yield document
    finally:
        document.close()


def _page_lines(document: Any, number: int) -> list[Line]:
    import pypdfium2

    try:
        return text_lines(document[number - 1])
    except pypdfium2.PdfiumError as error:
        raise RefusedError(f"unreadable: page {number} of the PDF cannot be opened ({error}); save it again, or print it anew") from None


def text_lines(page: Any) -> list[Line]:
    """The pieces of the text layer of a page, as its program placed them."""
    width, height = page.get_size()
    layer = page.get_textpage()
    try:
        pieces = []
        for index in range(layer.count_rects()):
            left, bottom, right, top = layer.get_rect(index)
            text = " ".join(layer.get_text_bounded(left, bottom, right, top).split())
            if text:
                pieces.append(Line(text, 1.0, (left / width, 1 - top / height, right / width, 1 - bottom / height)))
        return pieces
    finally:
        layer.close()


READERS = (Reader(extensions=(".pdf",), read=read_pdf),)
