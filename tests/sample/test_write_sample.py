"""The sample on disk: every format of the guide, the gold answers, and the same bytes each time."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seshat.sample import speech
from seshat.sample.grammar import Grammar
from seshat.sample.lexicon import lexicon
from seshat.sample.write import write

if TYPE_CHECKING:
    from tests.conftest import Written

pytestmark = pytest.mark.heavy

FOLDERS = ("dictionary", "transcriptions", "translations", "scans", "audio")
needs_voice = pytest.mark.skipif(not speech.available(), reason="espeak-ng is not installed")
_ELSEWHERE = "import sys, pathlib; from seshat.sample.write import write; p = pathlib.Path(sys.argv[1]); write(p / 'raw', p / 'gold')"


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_in_another_process(written: Written, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"}
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", _ELSEWHERE, str(tmp_path)], check=True, cwd=root, env=environment)
    assert contents(tmp_path) == contents(written.raw.parent)


def test_it_writes_about_12000_pairs_in_all_formats_within_25_megabytes(written: Written) -> None:
    suffixes = {path.suffix for path in written.raw.rglob("*") if path.is_file()}
    assert 11_800 <= written.report.num_pairs <= 12_200
    assert {".csv", ".json", ".xlsx", ".txt", ".docx", ".pdf", ".png", ".jpg", ".yaml"} <= suffixes
    assert sum(path.stat().st_size for path in written.raw.rglob("*") if path.is_file()) < 25_000_000


def test_every_folder_holds_its_rights(written: Written) -> None:
    from seshat.rights import read_source

    for folder in FOLDERS if not written.report.left_out else FOLDERS[:-1]:
        source = read_source(str(written.raw / folder))
        assert source is not None
        assert source.licence == "CC0-1.0"
        assert source.consent.serve_public


def test_every_root_is_in_the_dictionary(written: Written) -> None:
    folder = written.raw / "dictionary"
    table = csv.reader((folder / "vocabulario.csv").read_text(encoding="cp1252").splitlines(), delimiter=";")
    found = {normal(row[0]) for row in table}
    found |= {normal(item["termino"]) for item in json.loads((folder / "lexico.json").read_text())}
    found |= {normal(row[0]) for row in sheet(folder / "diccionario.xlsx")}
    found |= {normal(line.split(" – ")[0]) for line in (folder / "palabras.txt").read_text().splitlines()}
    assert {concept.root for concept in lexicon(1).concepts()} <= found


def test_apostrophes_are_typed_in_four_ways_and_some_text_is_decomposed(written: Written) -> None:
    rows = (written.raw / "transcriptions" / "relatos.csv").read_text()
    assert all(apostrophe in rows for apostrophe in "'’‘ʼ")
    decomposed = (written.raw / "translations" / "cosecha.qtm.txt").read_text()
    assert decomposed != unicodedata.normalize("NFC", decomposed)


def test_no_sentence_of_the_news_is_the_translation_of_a_pair(written: Written) -> None:
    news = (written.raw / "translations" / "noticias.spa.txt").read_text()
    sentences = set(news.replace("? ", "?\n").replace(". ", ".\n").splitlines())
    assert len(sentences) == 6_000
    assert not sentences & {row["translation"] for row in gold_rows(written)}


def test_documents_hold_their_gold_sentences(written: Written) -> None:
    stems = sorted(path.stem for path in (written.gold / "alignment").glob("*.tsv"))
    assert len(stems) == 16
    for stem in stems:
        for code in ("qtm", "spa"):
            (path,) = written.raw.rglob(f"{stem}.{code}.*")
            if path.parent.name == "translations":
                gold = (written.gold / "sentences" / f"{stem}.{code}.txt").read_text().split()
                assert normal(document_text(path)).split() == gold, path.name


def test_the_text_layer_of_a_pdf_can_be_read_and_a_scan_has_none(written: Written) -> None:
    assert "ñ" in document_text(written.raw / "translations" / "pueblo.qtm.pdf")
    assert document_text(written.raw / "scans" / "relato.qtm.pdf").strip() == ""


def test_scans_have_a_gold_text_for_each_page(written: Written) -> None:
    import pypdfium2

    for name in ("relato.qtm.pdf", "relato.spa.pdf"):
        pages = (written.gold / "pages" / f"{name}.txt").read_text().split("\f")
        assert len(pypdfium2.PdfDocument(written.raw / "scans" / name)) == len(pages) >= 2
    assert {path.stem for path in (written.gold / "pages").iterdir()} == {
        path.name for path in (written.raw / "scans").iterdir() if path.suffix != ".yaml"
    }


@needs_voice
def test_recordings_are_16_khz_mono_and_say_the_inventory(written: Written) -> None:
    import av

    rows = (written.gold / "transcripts.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[1] for row in rows] == [sentence.text for sentence in speech.spoken_sentences(1)]
    for row in rows:
        with av.open(str(written.raw / "audio" / row.split("\t")[0])) as container:
            stream: Any = container.streams.audio[0]
            frames = [frame.to_ndarray() for frame in container.decode(stream)]
            assert (stream.rate, stream.channels) == (16_000, 1)
            assert 16_000 < sum(frame.shape[-1] for frame in frames) < 8 * 16_000


@needs_voice
def test_a_glottal_stop_makes_a_word_longer() -> None:
    assert len(speech.synthesise("puʼika")) > len(speech.synthesise("puika"))
    assert speech.synthesise("puʼika").dtype == np.float32


def test_without_espeak_there_is_no_audio_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with caplog.at_level(logging.WARNING):
        report = write(tmp_path / "raw", tmp_path / "gold")
    assert "espeak-ng" in report.left_out["audio"]
    assert "espeak-ng" in caplog.text
    assert not (tmp_path / "raw" / "audio").exists()


def test_the_gold_analyses_are_those_of_the_grammar(written: Written) -> None:
    rows = gold_rows(written)
    assert len(rows) == written.report.num_pairs
    assert len({row["text"] for row in rows}) == len({row["translation"] for row in rows}) == len(rows)
    spoken = speech.spoken_by(Grammar(1))
    assert [row["gloss"] for row in rows[: len(spoken)]] == [sentence.gloss for sentence in spoken]


def test_every_root_stands_in_at_least_eight_pairs(written: Written) -> None:
    counts = Counter(root for row in gold_rows(written) for root in {cut.partition("-")[0] for cut in row["morphemes"].split()})
    assert min(counts[concept.root] for concept in lexicon(1).concepts()) >= 8


def gold_rows(written: Written) -> list[dict[str, str]]:
    return list(csv.DictReader((written.gold / "morphemes.tsv").read_text().splitlines(), delimiter="\t"))


def normal(text: str) -> str:
    for apostrophe in "'’‘":
        text = text.replace(apostrophe, "ʼ")
    return unicodedata.normalize("NFC", text)


def sheet(path: Path) -> list[tuple[str, ...]]:
    import openpyxl

    return list(openpyxl.load_workbook(path, read_only=True).active.values)[1:]


def document_text(path: Path) -> str:
    if path.suffix == ".docx":
        import docx

        return "\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)
    if path.suffix == ".pdf":
        import pypdfium2

        pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(path)]
        return "\n".join(pages).replace("\r", "")
    return path.read_text()
