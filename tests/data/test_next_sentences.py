"""The list of sentences for speakers: what is in it, and that ingest reads it when it comes back."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from seshat.cli import main
from seshat.data.ingest import Ingest, reader
from seshat.data.next_sentences import SHEET, NextSentences, Sheet, asked, next_sentences
from seshat.data.untranslated import untranslated
from seshat.data.withdraw import _learners
from seshat.errors import DataError, StoreError
from seshat.examples import SPLITS, to_line
from seshat.records import Document, Example, RawFile, Record, SentencePair
from seshat.store import Store
from seshat.withdrawals import Withdrawal
from tests.make import LANGUAGE, document, finish, pair

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
TRAIN = [
    ("El perro come mucho.", "Allku ancha mikun."),
    ("El gato duerme hoy.", "Misi kunan puñun."),
    ("La casa es grande.", "Hatun wasi."),
] * 4
TEST = [("La maestra enseña una canción.", "Yachachiq takita yachachin.")]
TEXTS = """El puente cruza el río ancho.
- El perro come mucho.
¡La maestra enseña una canción!
=SUMA(A1) come mucho hoy aquí.
Corto.
La canoa sube despacio. El puente cruza el río ancho.
"""


def example(spanish: str, taught: str, split: str, number: int) -> Example:
    return Example(
        task="translation", direction="spa-qtm", prompt=spanish, answer=taught, source=spanish, group=f"{split}{number}", split=split,
        parent="x", origin=f"t.tsv#line={number}", collection="translations",
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path))
    pairs = {"train": TRAIN, "val": [], "test": TEST}
    for split in SPLITS:
        lines = (to_line(example(*sides, split, number)) for number, sides in enumerate(pairs[split]))
        store.write(f"data/training/{split}.jsonl", "".join(f"{line}\n" for line in lines).encode())
    store.write("texts.txt", TEXTS.encode())
    return store


def chosen(store: Store, **facts: object) -> Sheet:
    settings = NextSentences.model_validate({"texts": "texts.txt", **facts})
    return next_sentences(settings, LANGUAGE, store)


def sentences(sheet: Sheet) -> set[str]:
    return {choice.sentence for choice in sheet.choices}


def test_sentences_are_new_of_the_right_length_and_harmless(store: Store) -> None:
    sheet = chosen(store)
    assert sentences(sheet) == {"El puente cruza el río ancho.", "La canoa sube despacio."}
    assert sheet.num_candidates == 2
    assert sheet.known < 0.5 < sheet.then == 1
    first = next(choice for choice in sheet.choices if "puente" in choice.sentence)
    assert first.origin == "texts.txt#line=1"
    assert first.new_words == ("puente", "cruza", "río", "ancho")


def test_those_of_test_sets_are_left_alone(store: Store) -> None:
    found = next_sentences(NextSentences(texts="texts.txt"), LANGUAGE, store, apart=["La canoa sube despacio"])
    assert sentences(found) == {"El puente cruza el río ancho."}


def test_the_model_is_asked_about_a_shortlist(store: Store) -> None:
    asked: list[str] = []

    def sure(shortlist: Sequence[str]) -> list[float]:
        asked.extend(shortlist)
        return [0.99 if "canoa" in sentence else 0.0 for sentence in shortlist]

    sheet = next_sentences(NextSentences(texts="texts.txt", number=1), LANGUAGE, store, sure=sure)
    assert len(asked) == 2
    assert sentences(sheet) == {"El puente cruza el río ancho."}


def test_ingest_reads_the_sheet_when_it_is_filled_in(store: Store, tmp_path: Path) -> None:
    sheet = chosen(store)
    rows = list(csv.reader(io.StringIO(store.read(SHEET).decode("utf-8-sig"))))
    assert rows[0] == ["number", "spa", "qtm", "brings", "from"]
    rows[1][2] = "Chaka mayuta chimpan."
    back = tmp_path / "data/raw/transcriptions/next-1.csv"
    back.parent.mkdir(parents=True)
    with back.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows(rows)
    file = RawFile(origin="transcriptions/next-1.csv", collection="transcriptions", path=str(back), sha256="")
    records = list(reader(Ingest(), LANGUAGE)([file]))
    assert all(isinstance(one, SentencePair) for one in records)
    good, empty = (one for one in records if isinstance(one, SentencePair))
    assert (good.text, good.translation, good.rejected) == ("Chaka mayuta chimpan.", sheet.choices[0].sentence, "")
    assert empty.rejected == "empty: no text in the language"
    finish(store, "ingest", records)
    assert [sentence for sentence, _ in untranslated(store, LANGUAGE)] == [sheet.choices[1].sentence], (
        "what is still empty is asked for again"
    )


def test_a_sheet_with_translations_is_not_overwritten(store: Store) -> None:
    chosen(store)
    chosen(store)
    text = store.read(SHEET).decode("utf-8-sig")
    store.write(SHEET, text.replace("ancho.,,", "ancho.,Chaka mayu,").encode("utf-8-sig"))
    with pytest.raises(StoreError, match=r"holds 1 translations: move it to data/raw/transcriptions"):
        chosen(store)


def test_without_a_text_the_raw_material_is_looked_through(store: Store) -> None:
    records: list[Record] = [
        pair("Chaka.", "El puente cruza el río ancho.", rejected="ratio: 6 to 90 characters"),
        pair("Wampu.", "La canoa sube despacio.", rejected="copy: both sides are the same"),
        pair("Mayu.", "El río baja muy lento."),
    ]
    finish(store, "align", records)
    alone = document("spa", "La iguana mira el cielo. El sol quema la tierra.", name="translations/poem")
    both = [document(code, "Texto de los dos lados aquí.", name="translations/laws") for code in ("spa", "qtm")]
    secret = document("spa", "Nadie debe ver este texto.", name="stories/secret", collection="stories")
    finish(store, "ingest", [alone, *both, secret])
    found = next_sentences(NextSentences(), LANGUAGE, store, withheld=["stories"])
    assert sentences(found) == {"El puente cruza el río ancho.", "La iguana mira el cielo.", "El sol quema la tierra."}
    assert {choice.origin for choice in found.choices if "iguana" in choice.sentence} == {"translations/poem.spa.txt#line=1"}
    assert isinstance(alone, Document)


def test_a_sheet_that_shows_a_withdrawn_source_is_named(store: Store) -> None:
    origin = "translations/laws.tsv#line=1"
    finish(store, "align", [pair("Chaka.", "El puente cruza el río ancho.", rejected="ratio: 6 to 90", origin=origin)])
    assert asked(store) == []
    next_sentences(NextSentences(), LANGUAGE, store)
    assert asked(store) == [origin]
    for source, expected in (("translations/laws.tsv", [SHEET]), ("translations/songs.tsv", [])):
        assert [one.path for one in _learners(store, Withdrawal(source=source))] == expected


def test_rows_whose_sides_are_exchanged_are_not_asked_for(store: Store) -> None:
    finish(store, "align", [pair("El gato duerme hoy.", "Misi kunan ancha puñun allku mikun.", rejected="ratio: x")])
    with pytest.raises(DataError, match="no sentence to choose from"):
        next_sentences(NextSentences(), LANGUAGE, store)


def test_what_is_missing_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"next\.texts: .*nothing\.txt cannot be read"):
        chosen(store, texts="nothing.txt")
    with pytest.raises(DataError, match=r"next\.texts=FILE"):
        chosen(store, minimum=20)
    with pytest.raises(ValueError, match="minimum: 9 words are more than maximum=8"):
        NextSentences(minimum=9, maximum=8)
    (tmp_path / "data/training/train.jsonl").unlink()
    with pytest.raises(StoreError, match="make format"):
        chosen(store)


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
def test_the_guide_s_command_does_it(store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    [line] = re.findall(r"^seshat next .*$", GUIDE.read_text(encoding="utf-8"), re.M)
    arguments = [word.replace("spanish.txt", "texts.txt") for word in shlex.split(line, comments=True)[1:]]
    monkeypatch.chdir(store.root)
    monkeypatch.setattr("sys.argv", [])
    language = "language={code: qtm, name: tamuri}"
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config", str(GUIDE.parents[1] / "configs/data/pipeline.yaml"), f"root={store.root}", language])
    assert ended.value.code == 0
    assert "2 of 2 sentences" in capsys.readouterr().out
