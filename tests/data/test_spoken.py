"""Which speech with trusted words there is, and how it is split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seshat.data.ingest import Ingest
from seshat.data.spoken import Material, Spoken, check_enough, from_table, from_workspace, repeated, split
from seshat.errors import ConfigError, StoreError
from seshat.language import Language
from seshat.records import RawFile, Utterance, digest
from seshat.store import Manifest, Store
from seshat.withdrawals import Withdrawal, Withdrawals
from tests.recordings import tone, wav

TAMURI = Language(code="qtm", name="tamuri", apostrophe="\u02bc")
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "languages" / "quy" / "raw"


def workspace(root: Path, table: str = "", recordings: int = 2) -> Store:
    """Recordings of three seconds, no two alike, and a table beside them."""
    audio = root / "data" / "raw" / "audio"
    audio.mkdir(parents=True)
    for number in range(recordings):
        (audio / f"r{number}.wav").write_bytes(wav(tone(1.0, loudness=0.1 + number / 100)))
    if table:
        (audio / "transcripts.csv").write_text(table, encoding="utf-8")
    return Store(str(root))


def found(store: Store, withdrawn: Withdrawals | None = None) -> Material:
    return from_workspace(store, store.path("data/raw"), TAMURI, Ingest(), withdrawn or Withdrawals())


def heard(store: Store, *utterances: Utterance) -> None:
    """What ``make transcribe`` would have left."""
    line = store.commit("transcribe", "part", utterances, len(utterances))
    store.finish("data/processed/transcribe", Manifest(stage="transcribe", fingerprint="x", parts=(line,)))


def utterance(start: float = 1.0, end: float = 2.0, *, engine: str = "transcript, by letters", text: str = "Taki waru.") -> Utterance:
    return Utterance(
        origin=f"audio/r0.wav#second={start:.2f}..{end:.2f}",
        collection="audio",
        name="audio/r0",
        text=text,
        language="qtm",
        start=start,
        end=end,
        confidence=0.9,
        engine=engine,
    )


def spoken(recording: int, text: str = "taki", start: float = 0.0) -> Spoken:
    file = RawFile(origin=f"r{recording}.wav", collection="audio", path="", sha256=f"sha{recording}")
    return Spoken(text, file, start, start + 1.0, f"r{recording}.wav#second={start}", "audio")


def material(*utterances: Spoken) -> Material:
    return Material(utterances, ())


# What is there


def test_a_table_that_names_recordings_says_what_is_said_in_them(tmp_path: Path) -> None:
    one, two = found(workspace(tmp_path, "file,qtm,es\nr0.wav,Si'a taki.,Canta.\nr1.wav,Waru.,Mujer.\n")).spoken
    assert (one.text, one.start, one.stop, one.file.origin) == ("Siʼa taki.", 0.0, 3.0, "audio/r0.wav")
    assert (two.text, two.origin, two.collection) == ("Waru.", "audio/transcripts.csv#line=3", "audio")
    assert one.recording != two.recording


def test_only_what_people_wrote_is_trusted(tmp_path: Path) -> None:
    store = workspace(tmp_path)
    engines = ("transcript", "transcript, by letters", "faster-whisper 1.2 abc", "fake 1")
    heard(store, *(utterance(number, number + 1.0, engine=engine, text=f"Taki {engine}.") for number, engine in enumerate(engines[:3])))
    assert [one.text for one in found(store).spoken] == ["Taki transcript.", "Taki transcript, by letters."]


def test_a_stretch_is_decoded_alone(tmp_path: Path) -> None:
    store = workspace(tmp_path)
    heard(store, utterance(1.0, 2.0), utterance(2.2, 2.9, text="Miku."))
    loud, quiet = (one.samples() for one in found(store).spoken)
    assert (len(loud), len(quiet)) == (16_000, 11_200)
    assert np.abs(loud).mean() > 0.03 > 0.001 > np.abs(quiet).mean()


def test_a_recording_with_aligned_sentences_is_not_taken_whole_too(tmp_path: Path) -> None:
    store = workspace(tmp_path, "file,qtm\nr0.wav,Taki waru.\nr1.wav,Waru.\n")
    heard(store, utterance())
    assert [(one.file.origin, one.start) for one in found(store).spoken] == [("audio/r0.wav", 1.0), ("audio/r1.wav", 0.0)]


def test_what_cannot_be_used_is_counted_with_its_reason(tmp_path: Path) -> None:
    store = workspace(tmp_path, "file,qtm\nr0.wav,...\nr1.wav,Waru.\nr9.wav,Taki.\n")
    (tmp_path / "data" / "raw" / "audio" / "long.wav").write_bytes(wav(tone(31.0)))
    (tmp_path / "data" / "raw" / "audio" / "more.tsv").write_text("archivo\ttexto\nlong.wav\tTaki waru miku.\n", encoding="utf-8")
    got = found(store)
    assert got.counts == {"length": 1, "empty": 1, "missing": 1}
    assert any("33.0 s" in one and "make transcribe" in one and one.endswith("audio/more.tsv#line=2") for one in got.rejected)
    assert [one.text for one in got.spoken] == ["Waru."]


def test_a_table_without_recordings_is_not_looked_at(tmp_path: Path) -> None:
    assert found(workspace(tmp_path, "qtm,es\nTaki.,Canta.\n")) == Material((), ())


def test_what_was_withdrawn_is_left_out(tmp_path: Path) -> None:
    store = workspace(tmp_path, "file,qtm\nr0.wav,Taki.\nr1.wav,Waru.\n")
    left = found(store, Withdrawals(sources=(Withdrawal(source="audio/r0.wav"),)))
    assert [one.text for one in left.spoken] == ["Waru."]
    assert left.counts == {"missing": 1}


@pytest.mark.parametrize("table", ["path\tsentence\nr0.wav\tTaki.\nr1.wav\tWaru.\n", "r0.wav\tTaki.\nr1.wav\tWaru.\n"])
def test_a_table_anywhere_is_read_with_a_header_or_without(tmp_path: Path, table: str) -> None:
    workspace(tmp_path)
    path = tmp_path / "data" / "raw" / "audio" / "pairs.tsv"
    path.write_text(table, encoding="utf-8")
    assert [(one.text, one.file.origin, one.collection) for one in from_table(str(path), TAMURI).spoken] == [
        ("Taki.", "r0.wav", "audio"),
        ("Waru.", "r1.wav", "audio"),
    ]


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--pairs: there is no file"):
        from_table(str(tmp_path / "no.tsv"), TAMURI)


# How it is split


def test_a_recording_is_on_one_side() -> None:
    trained, tested = split(material(*(spoken(number % 12, start=float(number)) for number in range(60))), share=0.25, salt="a")
    assert len({one.recording for one in tested}) >= 2
    assert {one.recording for one in trained}.isdisjoint(one.recording for one in tested)
    assert len(trained) + len(tested) == 60


def test_a_copy_under_another_name_is_the_same_recording() -> None:
    one = spoken(3)
    copy = replace(one, file=replace(one.file, origin="copy.wav"), text="waru")
    trained, tested = split(material(*(spoken(number) for number in range(10)), copy), share=0.3, salt="a")
    assert any({one, copy} <= set(side) for side in (trained, tested))


def test_new_recordings_move_no_old_one() -> None:
    few, more = ({one.recording for one in split(material(*map(spoken, range(number))), share=0.2, salt="a")[1]} for number in (40, 60))
    assert few == {name for name in more if int(name.removeprefix("sha")) < 40}
    assert len(more) < 20


def test_another_salt_gives_another_split() -> None:
    sides = {frozenset(split(material(*map(spoken, range(40))), share=0.2, salt=salt)[1]) for salt in "abc"}
    assert len(sides) == 3


def test_too_little_is_refused_with_what_is_missing() -> None:
    check_enough(material(*(spoken(number % 8, start=float(number)) for number in range(20))), recordings=8, utterances=20)
    with pytest.raises(StoreError, match=r"19 utterances with trusted words in 8 recordings, and at least 20 in 8 are needed"):
        check_enough(material(*(spoken(number % 8, start=float(number)) for number in range(19))), recordings=8, utterances=20)
    few = Material(tuple(spoken(number % 7, start=float(number)) for number in range(20)), ("length: 31 s; a.wav",))
    with pytest.raises(StoreError, match=r"20 utterances .* in 7 recordings \(not used: length 1\)"):
        check_enough(few, recordings=8, utterances=20)


def test_a_split_that_would_hold_out_most_of_the_speech_is_refused() -> None:
    first = min(map(spoken, range(8)), key=lambda one: int(digest("a", one.recording), 16) % 1_000_000)
    number = int(first.recording.removeprefix("sha"))
    uneven = material(*map(spoken, range(8)), *(spoken(number, start=float(start)) for start in range(1, 30)))
    with pytest.raises(StoreError, match=r"8 recordings cannot be split .* \(6 utterances against 31\)"):
        split(uneven, share=0.1, salt="a")


def test_held_out_utterances_that_are_trained_on_are_counted() -> None:
    assert repeated([spoken(1, "Taki waru.")], [spoken(2, "taki, waru"), spoken(3, "waru")]) == 1


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real recordings beside the project")
def test_real_recordings_are_read_and_are_too_few(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "raw").symlink_to(REAL)
    quechua = Language(code="quy", name="quechua ayacuchano", short="qu")
    got = from_workspace(Store(str(tmp_path)), str(REAL), quechua, Ingest())
    assert (len(got.spoken), len(got.recordings), got.counts) == (12, 12, {})
    assert all(1.0 < one.stop < 15.0 and len(one.samples()) / 16_000 == pytest.approx(one.stop, abs=0.01) for one in got.spoken)
    with pytest.raises(StoreError, match="12 utterances with trusted words in 12 recordings, and at least 20 in 8"):
        check_enough(got, recordings=8, utterances=20)
