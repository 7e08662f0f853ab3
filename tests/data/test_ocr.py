"""From scans to pages: layout, legibility, the stage with a fake engine, and real recognition where Tesseract is installed."""

from __future__ import annotations

import io
import os
import pickle
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from seshat.data.enhance import divide_background, straighten
from seshat.data.layout import join_lines, paragraphs, reading_order
from seshat.data.ocr import TEXT_LAYER, Ocr, glottal, step
from seshat.data.pages import is_dictionary, page_documents, page_entries
from seshat.data.readers import Options, RefusedError, formats
from seshat.engines.ocr import EngineName, FakeOcr, Line, RapidOcr, Tesseract, engine_version, load_engine
from seshat.errors import EngineError
from seshat.language import Language
from seshat.records import Entry, Page, RawFile, Record
from seshat.sample.fonts import font_path
from seshat.spelling import SpellingRule
from seshat.stage import guarded
from seshat.store import Store
from tests.needs import needs_tesseract

TAMURI = Language(
    code="qtm",
    name="tamuri",
    apostrophe="ʼ",
    spelling=(SpellingRule(pattern="ú", replacement="ü"),),
    old_spelling=("scans/*",),
)
WORDS = (
    *("kene – diseño", "xobo – casa", "jene – agua", "nonti – canoa", "atapa – gallina", "yapa – pescado", "bimi – fruta", "niwe – viento"),
    *("bari – sol", "oxe – luna", "jiwi – árbol", "bake – niño", "papa – padre", "tita – madre", "wai – chacra", "ochiti – perro"),
)


def printed(lines: Sequence[str], *, size: int = 30, left: int = 120) -> Image.Image:
    """A page of some lines, black on white."""
    image = Image.new("L", (1240, 300 + 60 * len(lines)), 255)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((left, 120 + 60 * number), line, font=ImageFont.truetype(str(font_path("DejaVuSerif")), size), fill=20)
    return image


def encoded(image: Image.Image, kind: str, pages: Sequence[Image.Image] = ()) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=kind, **({"save_all": True, "append_images": list(pages)} if pages else {}))
    return stream.getvalue()


def text_pdf(pages: Sequence[Sequence[str]]) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(400, 600))
    for page in pages:
        for number, line in enumerate(page):
            canvas.drawString(50, 540 - 16 * number, line)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def scanned(folder: Path, files: dict[str, bytes], ocr: Ocr | None = None, *, seconds: float = 0) -> list[Record]:
    """What the stage makes of some scans; by default with the fake engine, and in this process."""
    (folder / "scans").mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / "scans" / name).write_bytes(data)
    work = step((ocr or Ocr(engine="fake")).model_copy(update={"page_seconds": seconds}), TAMURI, str(folder))
    return [record for part in work.parts for record in guarded(work.stages[0], part.records(Store(str(folder))))]


def line(text: str, left: float, top: float, *, width: float = 0.3, height: float = 0.015) -> Line:
    return Line(text, 0.9, (left, top, left + width, top + height))


# Layout


def test_columns_are_read_one_after_the_other_below_their_title() -> None:
    left = [line(f"left {number}", 0.1, 0.2 + 0.02 * number) for number in range(5)]
    right = [line(f"right {number}", 0.55, 0.2 + 0.02 * number) for number in range(5)]
    title, foot = line("title", 0.1, 0.1, width=0.75), line("foot", 0.1, 0.5, width=0.75)
    lines = [title, *left, *right, foot]
    random.Random(1).shuffle(lines)
    found = [one.text for block in reading_order(lines) for one in block]
    assert found == ["title", *(one.text for one in left), *(one.text for one in right), "foot"]


def test_dirt_hides_no_column_and_comes_last() -> None:
    left = [line(f"left {number}", 0.1, 0.2 + 0.02 * number) for number in range(5)]
    right = [line(f"right {number}", 0.55, 0.2 + 0.02 * number) for number in range(5)]
    dirt = [Line("A", 0.2, (0.3, 0.05, 0.6, 0.07)), Line("INS RA", 0.1, (0.02, 0.3, 0.5, 0.5))]
    found = [one.text for block in reading_order([*dirt, *left, *right]) for one in block]
    assert found == [*(one.text for one in left), *(one.text for one in right), "A", "INS RA"]
    assert [one.text for block in reading_order([Line("A", 0.2, (0.1, 0.1, 0.2, 0.2))]) for one in block] == ["A"], "nothing is lost"


def test_pieces_of_one_printed_line_are_one_line() -> None:
    pieces = [line("mundo", 0.42, 0.1, width=0.1), line("hola", 0.1, 0.101), line("s", 0.5201, 0.1, width=0.02), line("otra", 0.1, 0.13)]
    assert [one.text for block in reading_order(pieces) for one in block] == ["hola mundos", "otra"]


def test_a_gap_an_indent_and_a_short_last_line_end_paragraphs() -> None:
    block = [
        line("Uno que llega hasta el borde", 0.1, 0.100),
        line("y acaba.", 0.1, 0.120, width=0.1),
        line("Dos tras un hueco", 0.1, 0.155),
        line("sigue hasta el borde", 0.1, 0.175),
        line("Tres con sangría", 0.14, 0.195),
        line("sigue hasta el borde.", 0.1, 0.215),
    ]
    following = [line("Cuatro en otra columna", 0.6, 0.1)]
    assert [[one.text.split()[0] for one in found] for found in paragraphs([block, following])] == [
        ["Uno", "y"],
        ["Dos", "sigue"],
        ["Tres", "sigue", "Cuatro"],
    ]


def test_no_line_is_lost_whatever_the_layout() -> None:
    rng = random.Random(3)
    for _ in range(50):
        lines = [
            line(str(number), rng.random() * 0.8, 0.03 * rng.randrange(30), width=rng.choice([0.1, 0.3, 0.7]))
            for number in range(rng.randrange(40))
        ]
        found = paragraphs(reading_order(lines))
        read = [word for paragraph in found for one in paragraph for word in one.text.split()]
        assert sorted("".join(read)) == sorted("".join(one.text for one in lines))


def test_words_cut_at_a_line_end_are_joined_and_hyphens_are_kept() -> None:
    assert join_lines(["una comu-", "nidad de", "ka-", "Ri y -bo"]) == "una comunidad de ka- Ri y -bo"


# The stage


def test_every_page_of_every_kind_of_file_is_a_page(tmp_path: Path) -> None:
    page = printed(["a", "b"])
    found = scanned(
        tmp_path,
        {
            "a.png": encoded(page, "PNG"),
            "b.spa.jpg": encoded(page, "JPEG"),
            "c.tif": encoded(page, "TIFF", [page, page]),
            "d.pdf": encoded(page, "PDF", [page]),
        },
    )
    assert [one.origin for one in found] == [
        *("scans/a.png#page=1", "scans/b.spa.jpg#page=1"),
        *("scans/c.tif#page=1", "scans/c.tif#page=2", "scans/c.tif#page=3"),
        *("scans/d.pdf#page=1", "scans/d.pdf#page=2"),
    ]
    assert not [one.rejected for one in found if one.rejected]
    assert [one.language for one in found if isinstance(one, Page)][:2] == ["qtm", "spa"]
    assert next(one.text.split() for one in found if isinstance(one, Page)) == ["line", "1", "line", "2"]
    assert all(len(one.boxes) == 8 for one in found if isinstance(one, Page))


def test_a_long_file_is_cut_into_ranges_that_give_each_page_once(tmp_path: Path) -> None:
    page = printed(["a"])
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "d.pdf").write_bytes(encoded(page, "PDF", [page] * 4))
    work = step(Ocr(engine="fake", pages_per_part=2), TAMURI, str(tmp_path))
    ranges = [(piece.start, piece.stop) for part in work.parts for piece in part.inputs if isinstance(piece, RawFile)]
    assert ranges == [(0, 2), (2, 4), (4, 5)]
    pages = [record for part in work.parts for record in work.stages[0](part.inputs)]
    assert [one.number for one in pages] == [1, 2, 3, 4, 5]


def test_a_text_layer_is_taken_before_anything_is_recognised(tmp_path: Path) -> None:
    data = text_pdf([["Una página con texto propio,", "que nadie debe adivinar."], []])
    first, second = scanned(tmp_path, {"a.pdf": data})
    assert isinstance(first, Page)
    assert (first.text, first.engine, first.confidence) == ("Una página con texto propio,\nque nadie debe adivinar.", TEXT_LAYER, 1.0)
    assert second.reason == "empty"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("x.png", b"\x89PNG\r\n\x1a\n cut", "unreadable"),
        ("x.jpg", encoded(printed(["a"]), "JPEG")[:4_000], "unreadable"),
        ("x.pdf", b"%PDF-1.7 cut", "unreadable"),
        ("x.pdf", b"", "empty"),
        ("x.csv", b"a,b\n", "format"),
        ("x.zip", b"PK\x03\x04 cut", "archive"),
        ("x.png", encoded(Image.new("L", (1, 1), 255), "PNG"), "empty"),
        ("x.png", encoded(Image.new("L", (400, 400), 255), "PNG"), "unreadable"),
    ],
)
def test_a_bad_scan_is_rejected_alone(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    good = encoded(printed(["a"]).crop((100, 100, 300, 200)), "PNG")
    found = scanned(tmp_path, {name: data, "good.png": good}, Ocr(engine="fake", max_pixels=100_000))
    assert {one.origin.partition("#")[0]: one.reason for one in found} == {f"scans/{name}": reason, "scans/good.png": ""}


def test_a_loaded_engine_does_not_travel_with_its_stage(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.png").write_bytes(encoded(printed(["a"]), "PNG"))
    work = step(Ocr(engine="fake", page_seconds=0), TAMURI, str(tmp_path))
    (stage,) = work.stages
    before = list(stage(work.parts[0].inputs))
    assert "_engines" in vars(stage)
    copy = pickle.loads(pickle.dumps(stage))
    assert "_engines" not in vars(copy)
    assert list(copy(work.parts[0].inputs)) == before


def test_the_fingerprint_knows_the_engine_but_not_where_its_weights_lie(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.png").write_bytes(encoded(printed(["a"]), "PNG"))
    prints = {
        step(ocr, TAMURI, str(tmp_path)).fingerprint
        for ocr in (Ocr(engine="fake"), Ocr(engine="fake", tessdata="/elsewhere"), Ocr(engine="fake", pages_per_part=3))
    }
    assert len(prints) == 1
    assert step(Ocr(engine="fake", dpi=150), TAMURI, str(tmp_path)).fingerprint not in prints


def test_a_missing_language_pack_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"apt-get install tesseract-ocr tesseract-ocr-qqq"):
        engine_version("tesseract", ("qqq",))
    with pytest.raises(EngineError, match=str(tmp_path)):
        Tesseract(("spa",), str(tmp_path))


# What pages become


def page_of(text: str, *, name: str = "scans/x", number: int = 1) -> Page:
    return Page(origin=f"{name}.png#page={number}", collection="scans", name=name, number=number, language="qtm", text=text, confidence=0.9)


def test_running_text_is_a_document_with_its_pages() -> None:
    pages = [page_of("el río\nlleva agua.\n\nFin.", number=2), page_of("Pú-\nmu kala.\n\nAyer dijo que", number=1)]
    (document,) = page_documents(pages, TAMURI)
    assert document.paragraphs == ("Pümu kala.", "Ayer dijo que el río lleva agua.", "Fin.")
    assert document.places == ("page=1", "page=1", "page=2")
    assert (document.name, document.origin) == ("scans/x", "scans/x.png")


def test_dictionary_pages_are_entries() -> None:
    pages = [page_of("DICCIONARIO\nlukú’ – red de\npescar\n12\nyume (s.) - oveja", name="scans/mi_Diccionario")]
    assert is_dictionary(pages[0], Ocr().dictionary)
    assert not is_dictionary(page_of("a"), Ocr().dictionary)
    found = page_entries(pages, TAMURI)
    entries = [(one.headword, one.translation, one.part_of_speech) for one in found if isinstance(one, Entry) and not one.rejected]
    assert entries == [("luküʼ", "red de pescar", ""), ("yume", "oveja", "s.")]
    assert [one.reason for one in found if one.rejected] == ["separator"]


@pytest.mark.parametrize(
    ("read", "meant"),
    [("Wite” kala”.", "Witeʼ kalaʼ."), ('lüha”"rila', "lühaʼrila"), ("dijo “kala” y fue", "dijo “kala” y fue"), ("«kala”", "«kala”")],
)
def test_closing_quotes_that_were_never_opened_are_glottal_stops(read: str, meant: str) -> None:
    assert glottal(read, "ʼ") == meant


# PDF as text


def test_a_pdf_with_a_text_layer_is_read_in_paragraphs_over_pages() -> None:
    data = text_pdf(
        [
            ["Primera línea de un párrafo largo que", "sigue en la página siguiente con otra", "palabra que no cabía en esta porque"],
            ["ya no."],
        ]
    )
    (paragraph,) = formats()[".pdf"].read(data, Options()).paragraphs
    assert paragraph.text.endswith("porque ya no.")
    assert paragraph.place == "page=1"


def test_a_pdf_of_pictures_belongs_into_scans() -> None:
    with pytest.raises(RefusedError, match=r"scan: .*put it into scans/"):
        formats()[".pdf"].read(encoded(printed(["a"]), "PDF"), Options())


# Real engines


@needs_tesseract
def test_tesseract_reads_a_shadowed_skewed_page_of_two_columns() -> None:
    image = Image.new("L", (1400, 1100), 255)
    draw = ImageDraw.Draw(image)
    for number, word in enumerate(WORDS):
        draw.text(
            (120 + 640 * (number // 8), 120 + 60 * (number % 8)), word, font=ImageFont.truetype(str(font_path("DejaVuSerif")), 34), fill=20
        )
    turned = np.asarray(image.rotate(1.2, resample=Image.Resampling.BICUBIC, fillcolor=255), dtype=np.float32)
    dark = Image.fromarray((turned * np.linspace(1, 0.45, 1400, dtype=np.float32)).astype(np.uint8))
    lines = load_engine("tesseract", ("spa",)).read(straighten(divide_background(dark)))
    found = [one.text for block in reading_order(lines) for one in block]
    assert [one.replace("-", "–") for one in found] == list(WORDS)
    assert all(one.confidence > 0.6 for one in lines)


@needs_tesseract
@pytest.mark.parametrize("engine", ["tesseract", pytest.param("rapidocr", marks=pytest.mark.slow)])
def test_a_page_that_lies_the_wrong_way_is_turned_or_not_trusted(tmp_path: Path, engine: EngineName) -> None:
    page = printed(["La comunidad se reunió ayer por la tarde", "para hablar de la escuela de los niños"] * 4)
    files = {f"{turned:03}.png": encoded(page.rotate(turned, expand=True), "PNG") for turned in (0, 90, 180, 270)}
    found = [one for one in scanned(tmp_path, files, Ocr(engine=engine)) if isinstance(one, Page)]
    assert [one.turned for one in found] == [0, 270, 180, 90]
    assert len({one.text for one in found}) == 1
    assert [one.reason for one in scanned(tmp_path, {}, Ocr(engine=engine, turn=False))] == ["", *["confidence"] * 3]


# Pages that bring the engine down


class Fragile:
    """Reads like the fake, but a page whose first pixel is dark kills it, hangs it or fills its memory."""

    def read(self, image: Image.Image) -> list[Line]:
        trouble = image.getpixel((0, 0))
        if trouble == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        if trouble == 2:
            time.sleep(60)
        if trouble == 3:
            raise MemoryError("no room")
        return FakeOcr().read(image)


def test_a_page_that_brings_the_engine_down_twice_is_rejected_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fragile = tmp_path / "fragile" / "sitecustomize.py"  # what the watched process imports before anything else
    fragile.parent.mkdir()
    fragile.write_text(
        "import seshat.data.ocr, tests.data.test_ocr\nseshat.data.ocr.load_engine = lambda *_: tests.data.test_ocr.Fragile()\n"
    )
    monkeypatch.syspath_prepend(str(fragile.parent))
    monkeypatch.setattr("seshat.watched.LOADING", 8.0)
    pages = []
    for trouble in (255, 1, 255, 2, 3, 255):
        page = printed(["a", "b"])
        page.putpixel((0, 0), trouble)
        pages.append(page)
    data = encoded(pages[0], "TIFF", pages[1:])
    plain = Ocr(engine="fake", divide_background=False, deskew=False, despeckle=False, turn=False, pages_per_part=4)
    found = scanned(tmp_path, {"a.tiff": data}, plain, seconds=2)
    assert [one.origin[-1] for one in found] == ["1", "2", "3", "4", "5", "6"]
    assert [one.reason for one in found] == ["", "crash", "", "hang", "error", ""]
    assert found[1].rejected == "crash: the library that reads it ended with SIGSEGV"
    alone = scanned(tmp_path / "clean", {"a.tiff": encoded(pages[0], "TIFF", [pages[0]] * 5)}, plain)
    assert [one for one in found if not one.rejected] == [alone[place] for place in (0, 2, 5)], "the others are as if nothing had been"


@needs_tesseract
def test_tesseract_finds_nothing_on_an_empty_page() -> None:
    assert Tesseract(("spa",)).read(Image.new("L", (600, 800), 255)) == []


@pytest.mark.slow
def test_rapidocr_reads_from_its_own_weights() -> None:
    found = [one.text for one in RapidOcr().read(printed(["La casa grande", "El agua del lago"]))]
    assert found == ["La casa grande", "El agua del lago"]
    [line] = RapidOcr().read(printed(["La casa grande"]).crop((100, 110, 700, 170)))
    assert (line.text, line.box) == ("La casa grande", (0, 0, 1, 1))


def test_the_fake_reads_bands_of_ink() -> None:
    assert [one.text for one in FakeOcr().read(printed(["a", "b", "c"]))] == ["line 1", "line 2", "line 3"]
