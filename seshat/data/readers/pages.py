"""Scanned pages: how many a file has, and one after the other as the lines of its text layer or as a picture."""

from __future__ import annotations

import io
import math
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from seshat.data.readers.archive import is_archive, refuse
from seshat.data.readers.content import DAMAGED, Options, RefusedError
from seshat.data.readers.pdf import opened, text_lines
from seshat.data.readers.raw import open_raw
from seshat.engines.ocr import Line
from seshat.errors import DataError, EngineError
from seshat.records import RawFile

if TYPE_CHECKING:
    from PIL.Image import Image

Renderer = Literal["pypdfium2", "pdf2image"]
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
_POINTS = 72
"""A PDF's unit: so many to the inch."""
_TEXT_LAYER = 20
"""Letters; a page with fewer in its text layer is a picture with a stamp."""


@dataclass(frozen=True)
class PageSource:
    """A page before recognition: its text layer, its picture, or why neither can be had."""

    number: int
    """From 1."""
    lines: tuple[Line, ...] = ()
    image: Image | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rendering:
    """How pages become pictures."""

    dpi: int
    max_pixels: int
    """A larger page is rendered smaller; a larger picture is refused."""
    text_layer: bool
    renderer: Renderer


def count_pages(file: RawFile) -> int:
    """How many pages a file has; 1 for what cannot be opened, so that the worker that tries rejects it."""
    try:
        data = open_raw(file)
        if _extension(file) == ".pdf":
            with opened(data) as document:
                return len(document)
        if _extension(file) in PICTURES:
            with _picture(data) as picture:
                return _num_frames(picture)
    except DataError:
        return 1
    return 1


def read_pages(file: RawFile, rendering: Rendering) -> Iterator[PageSource]:
    """The pages in the file's range. A page that fails is given with its problem; a file that fails is refused."""
    extension = _extension(file)
    if is_archive(file.origin):
        refuse(open_raw(file), Options())
    if extension != ".pdf" and extension not in PICTURES:
        known = ", ".join((".pdf", *PICTURES))
        raise RefusedError(f"format: {extension or 'a file without an extension'} is not read from scans/; known there: {known}")
    data = open_raw(file)
    if not data:
        raise RefusedError("empty: the file holds nothing")
    yield from (_pdf_pages(data, file, rendering) if extension == ".pdf" else _picture_pages(data, file, rendering))


def _pdf_pages(data: bytes, file: RawFile, rendering: Rendering) -> Iterator[PageSource]:
    import pypdfium2

    with opened(data) as document:
        for number in _numbers(file, len(document)):
            try:
                page = document[number - 1]
                lines = tuple(text_lines(page)) if rendering.text_layer else ()
                if sum(len(line.text) for line in lines) >= _TEXT_LAYER:
                    yield PageSource(number, lines)
                else:
                    yield PageSource(number, image=_render(page, data, number, rendering))
            except (pypdfium2.PdfiumError, ValueError, MemoryError) as error:
                yield PageSource(number, problem=f"unreadable: the page cannot be rendered ({error})")


def _render(page: Any, data: bytes, number: int, rendering: Rendering) -> Image:
    width, height = page.get_size()
    if min(width, height) <= 0:
        raise ValueError(f"it measures {width} by {height} points")
    scale = min(rendering.dpi / _POINTS, math.sqrt(rendering.max_pixels / (width * height)))
    if rendering.renderer == "pypdfium2":
        image: Image = page.render(scale=scale, grayscale=True).to_pil()
        return image.convert("L")
    try:
        from pdf2image import convert_from_bytes
        from pdf2image.exceptions import PDFInfoNotInstalledError
    except ImportError:
        raise EngineError(
            "ocr.renderer=pdf2image needs the package pdf2image: pip install pdf2image, or set ocr.renderer=pypdfium2"
        ) from None
    try:
        rendered: list[Image] = convert_from_bytes(data, dpi=int(scale * _POINTS), grayscale=True, first_page=number, last_page=number)
    except PDFInfoNotInstalledError:
        raise EngineError("ocr.renderer=pdf2image needs poppler: apt-get install poppler-utils, or set ocr.renderer=pypdfium2") from None
    return rendered[0]


def _picture_pages(data: bytes, file: RawFile, rendering: Rendering) -> Iterator[PageSource]:
    from PIL import ImageOps

    with _picture(data) as picture:
        for number in _numbers(file, _num_frames(picture)):
            try:
                picture.seek(number - 1)
                if picture.width * picture.height > rendering.max_pixels:
                    raise ValueError(f"{picture.width} x {picture.height} pixels are more than ocr.max_pixels={rendering.max_pixels}")
                yield PageSource(number, image=ImageOps.exif_transpose(_grey(picture)))
            except DAMAGED as error:
                yield PageSource(number, problem=f"unreadable: the picture cannot be read ({error})")


def _picture(data: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own limit is looked at before a pixel is decoded, in this process
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise RefusedError("unreadable: its content is no picture of a known format; save it again as PNG or TIFF") from None
    except DAMAGED as error:
        raise RefusedError(f"unreadable: not a picture that can be opened ({error})") from None


def _num_frames(picture: Image) -> int:
    try:
        return int(getattr(picture, "n_frames", 1))
    except DAMAGED as error:
        raise RefusedError(f"unreadable: the pages of the picture cannot be counted ({error}); save it again") from None


def _grey(picture: Image) -> Image:
    """A picture in 256 greys; one with finer greys is brought down to them, where Pillow would cut off all that is brighter."""
    if picture.mode not in ("I", "F", "I;16", "I;16B", "I;16L"):
        return _flat(picture).convert("L")
    import numpy as np
    from PIL import Image

    values = np.asarray(picture, dtype=np.float64)
    brightest = float(values.max(initial=0.0))
    full = 1.0 if brightest <= 1 else 255.0 if brightest <= 255 else 65_535.0 if brightest <= 65_535 else brightest
    return Image.fromarray(np.clip(values * 255 / full, 0, 255).astype(np.uint8))


def _flat(picture: Image) -> Image:
    """A picture without transparency, on white paper."""
    from PIL import Image

    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture
    layers = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)


def _numbers(file: RawFile, num_pages: int) -> range:
    return range(file.start + 1, (num_pages if file.stop < 0 else min(file.stop, num_pages)) + 1)


def _extension(file: RawFile) -> str:
    return posixpath.splitext(file.origin)[1].lower()
