"""Learning an alphabet: what lines are taken, what is set in fonts, and that letters are read which the recogniser does not know."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seshat.data.ocr import Ocr, step
from seshat.engines.ocr import engine_version, load_engine
from seshat.engines.ocr_learnt import CARD, WEIGHTS, LearntOcr, write_model
from seshat.engines.ppocr import PpOcrFeatures
from seshat.errors import ConfigError, DataError, EngineError
from seshat.language import Language
from seshat.records import Page
from seshat.stage import guarded
from seshat.store import Store
from seshat.training.ocr import Learnt, alphabet, learn, untrained
from seshat.training.ocr_lines import CorrectedLine, apart, divide, error_rate, read_lines, read_texts
from seshat.training.ocr_rendered import Typesetter, distort, invented
from seshat.training.ocr_settings import OcrLearning

PROJECT = Path(__file__).parents[2]
UNA = PROJECT.parent / "shared" / "data" / "media" / "una_lines"
LETTERS = tuple("aeiklmnstьꜧŋ")
QUICK = OcrLearning(num_prints=60, num_rendered=150, steps=200, batch=8, rate=5e-3)


def line(text: str, seed: int = 1) -> CorrectedLine:
    """A line set in some font."""
    return CorrectedLine(f"{text} {seed}", text, Typesetter(LETTERS).set(text, random.Random(seed)))


def saved(folder: Path, lines: list[CorrectedLine]) -> Path:
    folder.mkdir()
    for number, one in enumerate(lines):
        one.image.save(folder / f"{number}.bin.png")
        (folder / f"{number}.gt.txt").write_text(one.text + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def learnt() -> Learnt:
    """Learnt from four corrected lines."""
    return learn([line("tьꜧ le"), line("aŋkeŋ"), line("seꜧt nьka"), line("litanьꜧ ŋat")], LETTERS, [], QUICK)


# Lines


def test_lines_are_read_with_their_texts(tmp_path: Path) -> None:
    folder = saved(tmp_path / "lines", [line("tьꜧ  le"), line("as")])
    assert [(one.name, one.text) for one in read_lines(str(folder))] == [("0", "tьꜧ le"), ("1", "as")]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no lines"),
        ({"a.png": b""}, r"a\.png has no text: write what the line says into a\.gt\.txt"),
        ({"a.gt.txt": b"tala"}, r"a\.gt\.txt has no image"),
        ({"a.gt.txt": b"tala", "a.png": b"no picture"}, "cannot be read as a picture"),
        ({"a.gt.txt": "niño".encode("latin-1"), "a.png": b""}, "is not UTF-8"),
    ],
)
def test_lines_that_nobody_can_learn_from_are_refused(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=said):
        read_lines(str(tmp_path))


def test_an_empty_text_is_refused(tmp_path: Path) -> None:
    Image.new("L", (100, 30), 255).save(tmp_path / "a.png")
    (tmp_path / "a.gt.txt").write_text(" \n")
    with pytest.raises(DataError, match="is empty"):
        read_lines(str(tmp_path))


def test_equal_lines_are_held_out_together() -> None:
    lines = [line(text, seed) for text in ("as", "le", "mi", "tak", "sen") for seed in (1, 2)]
    known, tested = divide(lines, 0.3)
    assert len(tested) == 4
    assert not {one.text for one in known} & {one.text for one in tested}
    assert divide(lines[::-1], 0.3)[1] == tested[::-1]
    assert divide(lines, 0)[1] == []


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="--held-out 1 is no share"):
        divide([line("as")], 1.0)
    with pytest.raises(DataError, match="none is left to learn from"):
        divide([line("as")], 0.5)


def test_texts_do_not_tell_what_is_tested(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("tala  as le\n\nmin\n", encoding="utf-8")
    assert read_texts([str(tmp_path / "a.txt")]) == ["tala as le", "min"]
    assert apart(["tala as le", "min"], [line("as")]) == ["min"]
    with pytest.raises(DataError, match=r"b\.txt cannot be read"):
        read_texts([str(tmp_path / "b.txt")])


def test_an_error_rate_counts_edits_for_each_character() -> None:
    rate = error_rate(["abc", "abd", " a  b"], ["abc", "abc", "a b"])
    assert rate.value == pytest.approx(1 / 9)
    assert rate.low == 0.0 < rate.value < rate.high


# Setting


def test_the_alphabet_is_of_the_language_and_of_the_lines() -> None:
    found = alphabet(["kьna - “le”"], ["ꜧ", "ch"])
    assert set("kьna-“”leꜧꜦchCH0.! ") <= set(found)
    assert not set("—–«»") & set(found)  # the lines have other dashes and quotation marks
    assert set("'’") <= set(found)  # of these they have none
    with pytest.raises(DataError, match=r"set language\.alphabet"):
        alphabet([], [])


def test_letters_that_no_font_has_are_not_set() -> None:
    setter = Typesetter([*LETTERS, "\U000f1234"])
    assert setter.missing == ["\U000f1234"]
    assert setter.num_fonts > 0
    assert setter.can_set("tьꜧ")
    assert not setter.can_set("t\U000f1234")


def test_the_same_seed_sets_and_distorts_the_same_line() -> None:
    first, again = (distort(line("tьꜧ le").image, random.Random(3)) for _ in range(2))
    assert np.array_equal(np.asarray(first), np.asarray(again))
    assert invented(LETTERS, random.Random(1)) == invented(LETTERS, random.Random(1))
    assert set(invented(LETTERS, random.Random(1))) <= {*LETTERS, " ", *"0123456789"}


# Learning


def test_without_learning_the_recogniser_reads_as_it_did() -> None:
    base = PpOcrFeatures()
    text, sure = untrained(base.last_layer()).decode(base.read(line("alat minti").image))
    assert text == "alat minti"
    assert sure > 0.8


@pytest.mark.heavy
def test_letters_that_the_recogniser_does_not_know_are_learnt(learnt: Learnt) -> None:
    lines = [line(text, seed) for seed, text in enumerate(["ŋalьꜧ ten", "stьkaŋ lia", "metьꜧ ŋem", "kitьl naꜧ"], 5)]
    card = learnt.card("qqq", lines)
    assert card.before is not None
    assert card.after is not None
    assert card.after.value < 0.5 * card.before.value
    assert "4 corrected lines (37 characters) that were not learnt from" in str(card)


@pytest.mark.heavy
def test_the_same_lines_give_the_same_weights() -> None:
    few = OcrLearning(num_prints=4, num_rendered=4, steps=3, batch=2)
    first, again = (learn([line("tьꜧ le"), line("as")], LETTERS, ["mina tala"], few).head for _ in range(2))
    assert np.array_equal(first.weight, again.weight)
    assert np.array_equal(first.bias, again.bias)


@pytest.mark.heavy
def test_pages_are_read_with_a_learnt_model(tmp_path: Path, learnt: Learnt) -> None:
    model = str(tmp_path / "model")
    card = write_model(model, learnt.card("qqq", []), learnt.head)
    assert "tested on nothing: no lines were held out" in str(card)
    page = Image.new("L", (900, 500), 255)
    for row, text in enumerate(("litanьꜧ ŋat", "seꜧt nьka")):
        page.paste(line(text).image, (100, 120 + 130 * row))
    raw = tmp_path / "raw"
    (raw / "scans").mkdir(parents=True)
    page.save(raw / "scans" / "a.png")
    work = step(Ocr(engine="learnt", model=model, min_confidence=0), Language(code="qqq", name="q"), str(raw))
    (read,) = (one for part in work.parts for one in guarded(work.stages[0], part.records(Store(str(raw)))))
    assert isinstance(read, Page)
    assert read.text.split() == ["litanьꜧ", "ŋat", "seꜧt", "nьka"]
    assert read.engine.startswith("learnt ")


@pytest.mark.heavy
def test_a_model_that_is_not_what_its_card_says_is_refused(tmp_path: Path, learnt: Learnt) -> None:
    card = write_model(str(tmp_path), learnt.card("qqq", []), learnt.head)
    before = engine_version("learnt", (), str(tmp_path))
    write_model(str(tmp_path), card, type(learnt.head)(card.alphabet, learnt.head.weight + 1, learnt.head.bias))
    assert engine_version("learnt", (), str(tmp_path)) != before
    write_model(str(tmp_path), card.model_copy(update={"base_sha256": "0" * 64}), learnt.head)
    with pytest.raises(EngineError, match="rapidocr brings another one"):
        load_engine("learnt", (), str(tmp_path))
    (tmp_path / WEIGHTS).write_bytes(b"other")
    with pytest.raises(EngineError, match="is not what its card was written for"):
        LearntOcr(str(tmp_path))
    (tmp_path / CARD).write_text("{}")
    with pytest.raises(EngineError, match="is no card of ours"):
        engine_version("learnt", (), str(tmp_path))


@pytest.mark.parametrize(("folder", "said"), [("", r"set ocr\.model"), ("nowhere", r"nowhere/ocr_card\.json is not there")])
def test_a_missing_model_says_how_to_make_it(folder: str, said: str) -> None:
    with pytest.raises(EngineError, match=said):
        engine_version("learnt", (), folder)


@pytest.mark.heavy
def test_the_verb_learns_tests_and_writes(tmp_path: Path) -> None:
    folder = saved(tmp_path / "lines", [line(text) for text in ("tьꜧ le", "aŋkeŋ", "seꜧt nьka", "litanьꜧ ŋat", "tala")])
    (tmp_path / "text.txt").write_text("mina tala le\n", encoding="utf-8")
    quick = ["language.alphabet=aeiklmnstьꜧŋ", "steps=3", "num_prints=5", "num_rendered=5"]
    arguments = [*quick, "--lines", folder, "--output", tmp_path / "model", "--text", tmp_path / "text.txt"]
    command = [sys.executable, "-m", "jobs.ocr_learn", f"root={tmp_path}", *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tested on 1 corrected lines" in done.stdout
    assert "character error rate: before " in done.stdout
    assert engine_version("learnt", (), str(tmp_path / "model")).startswith("learnt ")


@pytest.mark.slow
@pytest.mark.skipif(not UNA.is_dir(), reason="needs the real lines in ../shared/data/media/una_lines")
def test_real_lines_in_the_unified_northern_alphabet_are_learnt_from_half_of_them() -> None:
    lines = read_lines(str(UNA))
    card = learn(lines[::2], (), [], OcrLearning(num_prints=300, num_rendered=100, steps=300)).card("mns", lines[1::2])
    assert card.before is not None
    assert card.after is not None
    assert card.before.value > 0.1
    assert card.after.value < 0.05
