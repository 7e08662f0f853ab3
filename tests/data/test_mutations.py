"""A valid file of every format, after accidents: a reader gives content or refuses on purpose, and nothing else ever comes out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from seshat.data.ingest import ReadFile
from seshat.data.readers import Options, formats
from seshat.data.readers.audio import decode
from seshat.data.readers.pages import PICTURES, Rendering, read_pages
from seshat.errors import SeshatError
from seshat.records import RawFile
from seshat.sample.formats import write_docx, write_xlsx
from seshat.stage import guarded
from tests.data import surprise
from tests.data.test_archive import packed
from tests.data.test_elan import TOOLBOX as ELAN
from tests.data.test_flextext import document as flextext
from tests.data.test_flextext import phrase
from tests.data.test_ingest import SHIPIBO
from tests.data.test_lift import XOBO, lift
from tests.data.test_linguists_files import INTERLINEAR, TOOLBOX
from tests.data.test_tmx import tmx, unit
from tests.data.test_usfm import GENESIS
from tests.recordings import encoded, tone

ROWS = [["shp", "es", "glosa"], ["Eara kai.", "Ya voy.", "yo ir"], ['"kene", xobo', "diseño; casa", ""]]
CSV = 'shp,es,glosa\r\nEara kai.,Ya voy.,yo ir\r\n"""kene"", xobo","diseño;\ncasa",\r\n'
ENTRIES = [
    {"id": 7, "termino": "tóati", "espanol": "1: cernir 2: colar", "n": 1.5, "ejemplos": [{"shipibo": "Xéati.", "castellano": "Coló."}]}
]
TEXT = "kene – diseño que se\n   pinta en la tela\nxobo (s.): casa\n\nMoa neteai. ||| Ya se hace de día.\n"


def written(write: Callable[[Path], None]) -> bytes:
    """The bytes of a file that a function writes."""
    with TemporaryDirectory() as folder:
        write(Path(folder) / "x")
        return (Path(folder) / "x").read_bytes()


def pdf() -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(200, 100), invariant=True, pageCompression=0)
    for said in ("Una página con texto propio.", "Otra."):
        canvas.drawString(10, 50, said)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def picture(kind: str) -> bytes:
    stream, image = io.BytesIO(), Image.new("RGB", (24, 16), "white")
    image.save(stream, format=kind, **({"save_all": True, "append_images": [image]} if kind == "TIFF" else {}))
    return stream.getvalue()


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
3
<exists>
1
"IntervalTier"
"shp"
0
3
2
0
1.5
"Moa."
1.5
3
"Ea."
"""
VALID: dict[str, bytes] = {
    ".csv": CSV.encode(),
    ".tsv": "\n".join("\t".join(row) for row in ROWS).encode(),
    ".xlsx": written(lambda path: write_xlsx(path, ROWS, sheet="Hoja")),
    ".docx": written(lambda path: write_docx(path, ["Uno.", "Dos."], title="Cuento", table=ROWS)),
    ".pdf": pdf(),
    ".txt": TEXT.encode(),
    ".json": json.dumps(ENTRIES).encode(),
    ".jsonl": b'{"shp": "Moa.", "es": "Ya."}\n{"shp": "Ea.", "es": "Yo."}\n',
    ".lift": lift(XOBO),
    ".lex": TOOLBOX.encode(),
    ".sfm": TOOLBOX.encode(),
    ".usfm": GENESIS.encode(),
    ".flextext": flextext(phrase("<word><item type='txt' lang='shp'>Moa</item></word>")),
    ".eaf": ELAN,
    ".igt": INTERLINEAR.encode(),
    ".srt": b"1\n00:00:00,500 --> 00:00:01,750\nMoa.\n\n2\n00:00:02,000 --> 00:00:03,000\nEa.\n",
    ".textgrid": TEXTGRID.encode(),
    ".tmx": tmx(unit(("shp", "Moa."), ("es-PE", "Ya."))),
    ".zip": packed({"a.shp.txt": b"Moa.\n"}),
}
PAGES = {
    ".pdf": pdf(),
    ".png": picture("PNG"),
    ".jpg": picture("JPEG"),
    ".tif": picture("TIFF"),
    ".webp": picture("WEBP"),
    ".bmp": picture("BMP"),
}
SOUND = {
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("ipod", "aac"),
    "opus": ("ogg", "libopus"),
}
_PIECES = (
    "\\lx ",
    "\\id GEN ",
    "\\v 1 ",
    "<a>",
    "</a>",
    '"',
    ",",
    ";",
    "\t",
    "|||",
    "{",
    "}",
    "[",
    "]",
    ":",
    "(1) ",
    "\n",
    "\r",
    "kene",
    "-",
    "\0",
    "\ufeff",
    "%PDF-1.7",
)
RECORDINGS = {name: encoded(tone(0.1, pause=0.1, rate=48_000), *how, 48_000) for name, how in SOUND.items()}


def test_every_reader_has_a_valid_file() -> None:
    assert {formats()[extension].read for extension in VALID} == {reader.read for reader in formats().values()}
    assert set(PICTURES) - set(PAGES) == {".jpeg", ".tiff"}


@pytest.mark.parametrize("extension", [extension for extension in VALID if extension != ".zip"])
def test_the_valid_files_are_read(extension: str) -> None:
    content = formats()[extension].read(VALID[extension], Options())
    assert content.tables or content.paragraphs


@pytest.mark.slow
@pytest.mark.parametrize("extension", VALID)
def test_no_accident_surprises_a_reader(extension: str) -> None:
    @settings(max_examples=500)
    @given(surprise.mutated(VALID[extension]))
    def accidents(data: bytes) -> None:
        surprise.check(formats()[extension].read, data)

    accidents()


@pytest.mark.slow
@pytest.mark.parametrize("extension", VALID)
def test_no_bytes_surprise_a_reader(extension: str) -> None:
    @settings(max_examples=500)
    @given(surprise.files(_PIECES))
    def bytes_of_any_kind(data: bytes) -> None:
        surprise.check(formats()[extension].read, data)

    bytes_of_any_kind()


@pytest.mark.slow
@pytest.mark.parametrize("extension", VALID)
def test_no_accident_surprises_the_stage(tmp_path: Path, extension: str) -> None:
    """What a reader gives becomes records, in every folder; a file that surprises would be rejected as ``error``."""
    path, stage = tmp_path / f"x{extension}", ReadFile(language=SHIPIBO)

    @settings(max_examples=500)
    @given(surprise.mutated(VALID[extension]))
    def accidents(data: bytes) -> None:
        path.write_bytes(data)
        for name in ("dictionary/x", "transcriptions/x.shp", "translations/x"):
            file = RawFile(origin=f"{name}{extension}", collection="x", path=str(path), sha256="")
            assert not [one.rejected for one in guarded(stage, [file]) if one.reason == "error"]

    accidents()


@pytest.mark.slow
@pytest.mark.parametrize("extension", PAGES)
def test_no_accident_surprises_the_reader_of_scans(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"x{extension}"
    file = RawFile(origin=f"scans/{path.name}", collection="scans", path=str(path), sha256="")
    rendering = Rendering(dpi=72, max_pixels=100_000, text_layer=True, renderer="pypdfium2")

    @settings(max_examples=500)
    @given(surprise.mutated(PAGES[extension]))
    def accidents(data: bytes) -> None:
        path.write_bytes(data)
        try:
            found = list(read_pages(file, rendering))
        except SeshatError:
            return
        assert all(page.lines or page.image or page.problem for page in found)

    accidents()


@pytest.mark.slow
@pytest.mark.parametrize("name", RECORDINGS)
def test_no_accident_surprises_the_reader_of_recordings(name: str) -> None:
    @settings(max_examples=500)
    @given(surprise.mutated(RECORDINGS[name]))
    def accidents(data: bytes) -> None:
        try:
            samples = decode(data, max_seconds=60)
        except SeshatError:
            return
        assert len(samples)

    accidents()
