"""Scans as they come: each is read or rejected with its reason, and the good ones beside it are as if they were alone."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from seshat.data.ocr import Ocr, step
from seshat.records import KINDS, Page, Record
from seshat.store import PartLine, Slice, Store
from tests.data.test_ocr import TAMURI, encoded, printed, text_pdf

GOOD = printed(["uno", "dos", "tres"])


def tiff(*pages: Image.Image) -> bytes:
    return encoded(pages[0], "TIFF", pages[1:])


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels in 20 kilobytes."""
    width = height = 60_000
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 2_000_000)) + chunk(b"IEND", b"")


def pdf(width: float, height: float, number: int = 1) -> bytes:
    """Pages of a size in points, with nothing on them."""
    from reportlab.pdfgen.canvas import Canvas

    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(width, height))
    for _ in range(number):
        canvas.rect(width / 4, height / 4, width / 2, height / 4, fill=1)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def encrypted() -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(300, 300), encrypt=StandardEncryption("secret"))
    canvas.drawString(50, 50, "una línea de texto que nadie lee")
    canvas.save()
    return stream.getvalue()


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return stream.getvalue()


PNG, JPEG, PDF = encoded(GOOD, "PNG"), encoded(GOOD, "JPEG"), encoded(GOOD, "PDF")
READ = "line 1\nline 2\nline 3"
BAD: dict[str, tuple[str, Callable[[], bytes], list[str]]] = {
    # name: file, bytes, and for each page (or the file) the reason; "" if it is read
    "zero bytes": ("a.png", lambda: b"", ["empty"]),
    "zero bytes of a PDF": ("a.pdf", lambda: b"", ["empty"]),
    "half a PNG": ("a.png", lambda: PNG[: len(PNG) // 2], ["unreadable"]),
    "half a JPEG": ("a.jpg", lambda: JPEG[: len(JPEG) // 2], ["unreadable"]),
    "half a PDF": ("a.pdf", lambda: PDF[: len(PDF) // 2], ["unreadable"]),
    "half a TIFF": ("a.tif", lambda: tiff(GOOD, GOOD)[:2_000], ["unreadable"]),
    "a head of a PNG": ("a.png", lambda: PNG[:20], ["unreadable"]),
    "noise": ("a.png", lambda: bytes(range(256)) * 40, ["unreadable"]),
    "noise as a PDF": ("a.pdf", lambda: bytes(range(256)) * 40, ["unreadable"]),
    "text as a PNG": ("a.png", lambda: b"no picture at all", ["unreadable"]),
    "a page of HTML as a PDF": ("a.pdf", lambda: b"<html><body>404</body></html>", ["unreadable"]),
    "a PDF with a password": ("a.pdf", encrypted, ["unreadable"]),
    "a bomb": ("a.png", bomb, ["unreadable"]),
    "a page as large as a wall": ("a.pdf", lambda: pdf(14_400, 14_400), [""]),
    "a page as small as a stamp": ("a.pdf", lambda: pdf(8, 8), [""]),
    "one pixel": ("a.png", lambda: encoded(Image.new("L", (1, 1), 255), "PNG"), ["empty"]),
    "a line of pixels": ("a.png", lambda: encoded(Image.new("L", (5_000, 1), 255), "PNG"), ["empty"]),
    "a blank page": ("a.png", lambda: encoded(Image.new("L", (600, 800), 255), "PNG"), ["empty"]),
    "a blank PDF": ("a.pdf", lambda: encoded(Image.new("L", (600, 800), 255), "PDF"), ["empty"]),
    "blank between others": ("a.tif", lambda: tiff(GOOD, Image.new("L", (600, 800), 255), GOOD), ["", "empty", ""]),
    "a spreadsheet": ("a.xlsx", lambda: b"PK\x03\x04 no scan", ["format"]),
    "a table": ("a.csv", lambda: b"a,b\n", ["format"]),
    "no extension": ("scan", lambda: PNG, ["format"]),
    "an archive that is none": ("a.zip", lambda: b"PK\x03\x04 cut", ["archive"]),
    "a PNG called JPG": ("a.jpg", lambda: PNG, [""]),
    "a JPEG called PNG": ("a.png", lambda: JPEG, [""]),
    "a TIFF called PNG": ("a.png", lambda: tiff(GOOD, GOOD), ["", ""]),
    "a PDF called PNG": ("a.png", lambda: PDF, ["unreadable"]),
    "a PNG called PDF": ("a.pdf", lambda: PNG, ["unreadable"]),
    "capitals": ("A.PNG", lambda: PNG, [""]),
    "CMYK": ("a.jpg", lambda: saved(GOOD.convert("CMYK"), "JPEG"), [""]),
    "black and white": ("a.tif", lambda: saved(GOOD.convert("1"), "TIFF", compression="group4"), [""]),
    "a palette": ("a.png", lambda: saved(GOOD.convert("P"), "PNG"), [""]),
    "transparent": ("a.png", lambda: saved(GOOD.convert("RGBA"), "PNG"), [""]),
    "sixteen bits": ("a.png", lambda: saved(GOOD.convert("I").point(lambda value: value * 256).convert("I;16"), "PNG"), [""]),
    "sixteen bits, dark": ("a.png", lambda: saved(GOOD.convert("I").point(lambda value: value * 120).convert("I;16"), "PNG"), [""]),
    "floating point": ("a.tif", lambda: saved(GOOD.convert("F"), "TIFF"), [""]),
    "WebP": ("a.webp", lambda: saved(GOOD, "WEBP", lossless=True), [""]),
    "BMP": ("a.bmp", lambda: saved(GOOD, "BMP"), [""]),
    "turned by its camera": ("a.jpg", lambda: _turned_by_exif(), [""]),
    "a text layer": ("a.pdf", lambda: text_pdf([["Una línea de texto bastante larga", "y otra más, para que baste"]]), [""]),
    "spaces in its name": ("a b (1).png", lambda: PNG, [""]),
    "a name in another script": ("рукопись ñandú.png", lambda: PNG, [""]),
}


def _turned_by_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(GOOD.rotate(90, expand=True), "JPEG", exif=exif, quality=95)


def read(folder: Path, files: dict[str, bytes]) -> list[Record]:
    (folder / "scans").mkdir(parents=True)
    for name, data in files.items():
        (folder / "scans" / name).write_bytes(data)
    store = Store(str(folder / "workspace"))
    work = step(Ocr(engine="fake", page_seconds=0, max_rejected=1.0), TAMURI, str(folder))
    return [record for part in work.parts for record in stored(work.work(part, store), store)]


def stored(line: PartLine, store: Store) -> list[Record]:
    return [record for file in line.files for record in store.slice(Slice(file), KINDS[file.kind])]


@pytest.mark.parametrize("case", BAD)
def test_a_scan_is_read_or_rejected_with_its_reason(tmp_path: Path, case: str) -> None:
    name, data, reasons = BAD[case]
    found = read(tmp_path, {name: data(), "good.png": PNG})
    mine = sorted((one for one in found if "good.png" not in one.origin), key=lambda one: one.origin)
    assert [one.reason for one in mine] == reasons, [one.rejected for one in mine]
    assert all("0x" not in one.rejected and str(tmp_path) not in one.rejected for one in mine), "a reason is the same on every machine"
    assert all(one.text for one in mine if isinstance(one, Page) and not one.rejected)
    [good] = [one for one in found if "good.png" in one.origin]
    assert isinstance(good, Page)
    assert (good.text, good.rejected) == (READ, "")
