"""The sheet of doubtful lines: a picture of each beside what was read, to be corrected by whoever knows the language."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from seshat.data.lines import GUARD, NOTHING, RIGHT, SHEET, Answers, Doubtful, doubtful
from seshat.data.ocr import TEXT_LAYER, Ocr
from seshat.data.readers.pages import Rendering, read_pages
from seshat.data.readers.raw import find_raw
from seshat.errors import DataError
from seshat.evaluation.results import FOLDER
from seshat.language import Language
from seshat.records import LineCorrection, Page, digest
from seshat.review.form import FORMULA
from seshat.review.handouts import guarded, markup, own, rare_letters, render
from seshat.rights import CORRECTIONS
from seshat.step import Outcome
from seshat.store import Store

if TYPE_CHECKING:
    from PIL.Image import Image

LINES = f"{FOLDER}/lines"
COLUMNS = ("page", "line", "read", "confidence", "doubt", "corrected")
WHY = {
    "confidence": ("lectura insegura", "unsure reading"),
    "alphabet": ("letras que no son de la lengua", "letters that are none of the language"),
    "words": ("no parecen palabras", "these look like no words"),
}
"""A doubt in Spanish and in English, by its first word."""
_AROUND = 0.35
"""So much of a line's height is shown above and below it."""
_TALL = 120
"""Pixels that a picture of a line has at most."""


def write_lines(ocr: Ocr, language: Language, store: Store, raw: str, *, most: int) -> Outcome:
    """Write the doubtful lines that nobody has answered yet, ``most`` of them, as a page to open and as a table to fill."""
    store.require("ocr", "seshat lines")
    found = list(doubtful(store.records("ocr", Page), store.records("ingest", LineCorrection)))
    chosen = found[: most or None]
    if not chosen:
        return Outcome(stage="lines", note="no line is doubtful that nobody has answered")
    pictures = [_encoded(one) for one in _pictures(chosen, ocr, raw)]
    store.write(f"{LINES}/lines.csv", table(chosen))
    store.write(f"{LINES}/index.html", page(chosen, pictures, language))
    left = f", {len(found) - len(chosen):,} more wait (--most)" if len(found) > len(chosen) else ""
    note = f"{store.path(LINES)}/index.html and lines.csv{left}; put the filled table into {raw}/{CORRECTIONS} and run make ingest"
    return Outcome(stage="lines", rows_in=len(found), kept=len(chosen), note=note)


def write_answered(ocr: Ocr, store: Store, raw: str, folder: str) -> Outcome:
    """Write the lines that people have answered as pictures with their texts, as ``seshat ocr-learn`` takes them."""
    corrections = list(store.records("ingest", LineCorrection))
    answers, pages = Answers(corrections), list(store.records("ocr", Page))
    lines = [Doubtful(page, number, text, "") for page in pages for number, text in enumerate(page.lines)]
    found = {one: said.text for one in lines if (said := answers.to(one.page, one.number)) and said.text}
    answered = list(found)
    number = 0
    for one, picture in zip(answered, _pictures(answered, ocr, raw), strict=True):
        if picture is None:
            continue
        name = os.path.join(folder, f"{digest(one.page.origin, one.number)[:12]}")
        os.makedirs(folder, exist_ok=True)
        picture.save(f"{name}.png")
        with open(f"{name}.gt.txt", "w", encoding="utf-8") as stream:
            stream.write(f"{found[one]}\n")
        number += 1
    return Outcome(
        stage="lines", rows_in=len(corrections), kept=number, note=f"{folder}: 'seshat ocr-learn --lines {folder}' learns from it"
    )


def table(lines: Iterable[Doubtful]) -> bytes:
    """The CSV file: UTF-8 with the mark that lets Excel see it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in lines:
        confidence = f"{one.page.confidences[one.number]:.2f}"
        writer.writerow([one.page.origin, one.number + 1, guarded(one.text), confidence, one.doubt, ""])
    return text.getvalue().encode("utf-8-sig")


def page(lines: Sequence[Doubtful], pictures: Sequence[str], language: Language) -> bytes:
    """The page, with its pictures, style and program in it; it asks no host for anything and keeps answers in the browser."""
    rows = [
        {
            "number": place,
            "page": one.page.origin,
            "line": one.number + 1,
            "read": one.text,
            "doubt": one.doubt,
            "why": WHY[one.doubt.partition(":")[0]],
            "picture": picture,
            "taught": one.page.language == language.code,
        }
        for place, (one, picture) in enumerate(zip(lines, pictures, strict=True), 1)
    ]
    data = {
        "columns": COLUMNS,
        "keys": SHEET,
        "right": RIGHT,
        "nothing": NOTHING,
        "guard": GUARD,
        "formula": FORMULA,
        "rows": [
            [one.page.origin, one.number + 1, guarded(one.text), f"{one.page.confidences[one.number]:.2f}", one.doubt] for one in lines
        ],
    }
    html = render(
        "lines.html.jinja",
        language=language,
        rows=rows,
        letters=rare_letters(language),
        script=own("lines.js"),
        data=markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")),
    )
    return html.encode()


def _pictures(lines: Sequence[Doubtful], ocr: Ocr, raw: str) -> Iterator[Image | None]:
    """Each line as it stands on the page that the engine saw; None if the scan is not there any more."""
    shown, seen = "", None
    for one in lines:
        if one.page.origin != shown:
            shown, seen = one.page.origin, _seen(one.page, ocr, raw)
        yield seen and _cut(seen, one)


def _seen(page: Page, ocr: Ocr, raw: str) -> Image | None:
    file = find_raw(raw, page.origin.rpartition("#")[0], "")
    if file is None:
        return None
    rendering = Rendering(ocr.dpi, ocr.max_pixels, False, ocr.renderer)
    try:
        [source] = read_pages(file.part(page.number - 1, page.number), rendering)
    except (DataError, ValueError):
        return None
    if source.image is None or page.engine == TEXT_LAYER:
        return source.image
    return ocr.picture(source.image.rotate(page.turned, expand=True) if page.turned else source.image)


def _cut(image: Image, one: Doubtful) -> Image:
    left, top, right, bottom = one.box
    margin = _AROUND * (bottom - top)
    box = (left * image.width - 12, (top - margin) * image.height, right * image.width + 12, (bottom + margin) * image.height)
    piece = image.crop((max(0, int(box[0])), max(0, int(box[1])), min(image.width, int(box[2])), min(image.height, int(box[3]))))
    if piece.height > _TALL:
        piece = piece.resize((max(1, piece.width * _TALL // piece.height), _TALL))
    return piece


def _encoded(image: Image | None) -> str:
    """A picture as a data address, in 16 greys; empty if there is none."""
    if image is None or not image.width or not image.height:
        return ""
    stream = io.BytesIO()
    image.convert("L").quantize(16).save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
