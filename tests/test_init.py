"""``seshat init``: from a folder of raw files to a configuration that runs as it is."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from PIL import Image

from jobs import align, format, ingest
from jobs import init as init_job
from seshat.command import read_settings
from seshat.data.survey import common_share, place
from seshat.language import Language
from seshat.rights import read_rights
from seshat.sample.grammar import Grammar
from seshat.settings import Settings
from tests.corpus import write_corpus

LANGUAGE = Language(code="qtm", name="tamuri")


def begin(name: Path, *more: str) -> int:
    """The command, asking nothing."""
    return init_job.main([name.name, "--directory", str(name), "--language", "qtm", "--model", "small", "--yes", *more])


def settings(project: Path) -> Settings:
    return read_settings(str(project / "seshat.yaml"), ["execution=local"])


def test_sorted_material_is_used_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_corpus(tmp_path / "raw")
    assert begin(tmp_path / "tamuri", "--raw", str(tmp_path / "raw"), "--called", "tamuri") == 0
    shown = capsys.readouterr().out
    assert "dictionary/words.csv                         60 entries" in shown
    assert "transcriptions/pairs.csv                     240 pairs" in shown
    project = settings(tmp_path / "tamuri")
    assert (project.data.raw, project.root, project.training.name) == (str(tmp_path / "raw"), str(tmp_path / "tamuri"), "tamuri")
    assert (project.language.bridge.code, {"ñ", "a", "k"} <= set(project.language.alphabet.split())) == ("spa", True)
    kept = [job.run(project).kept for job in (ingest, align, format)]
    assert min(kept) > 100


@pytest.fixture
def heap(tmp_path: Path) -> Path:
    """Everything in one folder, with columns that say nothing, a table without header, and a text that no name tells the language of."""
    raw, pairs = tmp_path / "heap", Grammar(seed=3).sentences(120)
    raw.mkdir()
    tables = {
        "field_notes.csv": (["A", "B", "C"], [[str(number), one.text, one.translation] for number, one in enumerate(pairs[:50])]),
        "bare.tsv": ([], [[one.translation, one.text] for one in pairs[50:90]]),
    }
    for name, (header, rows) in tables.items():
        with (raw / name).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, delimiter="\t" if name.endswith("tsv") else ",")
            writer.writerows([header, *rows] if header else rows)
    (raw / "story.txt").write_text("\n\n".join(one.text for one in pairs[90:]))
    (raw / "cuento.txt").write_text("\n\n".join(one.translation for one in pairs[90:]))
    Image.new("L", (60, 40), 255).save(raw / "page.png")
    (raw / "wrong.qtm.txt").write_text("\n\n".join(one.translation for one in pairs[:30]))
    (raw / "voice.wav").write_bytes(b"RIFF")
    (raw / "SOURCE.yaml").write_text("steward: the village\nconsent: {train: false}\n")
    return raw


def test_a_heap_is_sorted_and_its_columns_are_found(tmp_path: Path, heap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert begin(tmp_path / "tamuri", "--raw", str(heap), "--called", "tamuri") == 0
    shown = capsys.readouterr().out
    for line in ("field_notes.csv -> transcriptions/field_notes.csv", "page.png -> scans/page.png", "voice.wav -> audio/voice.wav"):
        assert line in shown
    rights = read_rights(str(tmp_path / "tamuri/data/raw"))
    assert set(rights.forbidding("train")) == {"audio", "scans", "transcriptions", "translations"}, (
        "what the heap's owners say holds for all of it"
    )
    rules = {rule.pattern: rule for rule in settings(tmp_path / "tamuri").ingest.files}
    notes, bare = rules["transcriptions/field_notes.csv"], rules["transcriptions/bare.tsv"]
    assert (notes.columns.text, notes.columns.bridge, notes.header) == (("B",), ("C",), True)
    assert (bare.columns.text, bare.columns.bridge, bare.header) == (("2",), ("1",), False)
    assert (rules["translations/story.txt"].language, rules["translations/cuento.txt"].language) == ("qtm", "spa")
    assert rules["translations/wrong.qtm.txt"].language == "spa", "whatever its name says"
    outcome = ingest.run(settings(tmp_path / "tamuri"))
    assert (outcome.kept, outcome.rejected) == (50 + 40 + 3, {})
    assert sorted(path.name for path in heap.iterdir()) == sorted(path.name for path in heap.iterdir() if path.is_file()), (
        "nothing is moved"
    )


def test_what_cannot_be_used_is_shown_with_the_reason(tmp_path: Path, heap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (heap / "list.csv").write_text("x,y\n1,2\n3,4\n")
    assert begin(tmp_path / "tamuri", "--raw", str(heap)) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("! ")]
    assert "list.csv" in line
    assert "columns" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--raw", "nowhere"], "--raw: there is no folder nowhere"),
        (["--raw", "empty"], "--raw: empty is empty: put dictionaries"),
        ([], "--raw: is missing, and nobody can be asked here"),
        (["--raw", ".", "--directory", "./project"], "lies in the raw folder"),
        (["--raw", "useless"], "none of the files of useless can be used"),
        (["--raw", "corpus", "--directory", "taken"], "seshat.yaml is there already"),
    ],
)
def test_mistakes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("empty", "taken", "useless/dictionary"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "useless/dictionary/a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "taken/seshat.yaml").touch()
    write_corpus(tmp_path / "corpus")
    assert init_job.main(["tamuri", "--language", "qtm", "--yes", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_what_is_not_given_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_corpus(tmp_path / "raw")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    answers = iter(["raw", "qtm", "", "tamuri", "a ch e i k"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    assert init_job.main(["mine", "--model", "small"]) == 0
    language = settings(tmp_path / "mine").language
    assert (language.code, language.name, language.bridge.code, language.alphabet) == ("qtm", "tamuri", "spa", "a ch e i k")


def test_the_bridge_is_told_by_its_commonest_words() -> None:
    spanish = "la casa de mi madre está en el pueblo y los niños no van a la escuela porque hoy es día de fiesta para todos"
    english = "the house of my mother is in the village and the children do not go to the school because it is a day for all"
    assert common_share(spanish, "spa") > 0.3 > 0.12 > common_share(english, "spa")  # type: ignore[operator]
    assert common_share(english, "eng") > 0.3  # type: ignore[operator]
    assert common_share("muy corto", "spa") is None
    assert common_share(spanish, "xyz") is None


def test_a_file_is_placed_by_what_it_is(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    assert place(str(tmp_path / "dictionary/words.csv"), LANGUAGE) == "dictionary"
    assert place(str(tmp_path / "transcriptions/pairs.csv"), LANGUAGE) == "transcriptions"
    assert place("voice.MP3", LANGUAGE) == "audio"


@pytest.mark.heavy
def test_shipibo_runs_without_an_edit(tmp_path: Path, shared: Path) -> None:
    raw = shutil.copytree(shared / "languages" / "shp" / "raw", tmp_path / "raw")
    project = tmp_path / "shipibo"
    arguments = ["shipibo", "--directory", str(project), "--raw", str(raw), "--language", "shp", "--bridge", "spa", "--yes"]
    assert init_job.main(arguments) == 0
    outcomes = [job.run(settings(project)) for job in (ingest, align, format)]
    assert outcomes[0].kept > 30_000
    assert outcomes[1].kept > 25_000
    assert outcomes[2].kept > 30_000
