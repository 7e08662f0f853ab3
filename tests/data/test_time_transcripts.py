"""Where a transcript lies beside a recording, it is aligned, and neither a recogniser nor ingest reads it a second time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from seshat.data import ingest
from seshat.data.ingest import Ingest
from seshat.data.time_transcripts import Timing
from seshat.data.timed_text import Line, write_timed
from seshat.data.transcribe import Transcribe, step
from seshat.data.transcripts import beside
from seshat.engines.speech import SAMPLE_RATE
from seshat.errors import EngineError
from seshat.language import Language
from seshat.records import Document, RawFile, Record, SentencePair, Utterance
from seshat.stage import guarded
from seshat.step import Step
from seshat.store import Store
from tests.data.test_timing import SPOKEN, needs_voice, said
from tests.recordings import tone, wav

TAMURI = Language(code="qtm", name="tamuri", apostrophe="ʼ")
FAKE = Transcribe(engine="fake")
NO_ENGINE = Transcribe(model="no/such/folder")
SAMPLES = tone(2.0, 0.5, 1.0)
TEXT = "Kaya mala tawa naka sala.\nTaka.\nMala taka wa.\n"


def raw(tmp_path: Path, **files: bytes | str) -> str:
    """A raw folder with files in audio/; ``__`` in a name is a dot."""
    folder = tmp_path / "raw" / "audio"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("__", ".")).write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(tmp_path / "raw")


def results(planned: Step) -> list[Record]:
    files = [file for part in planned.parts for file in part.inputs if isinstance(file, RawFile)]
    return list(guarded(planned.stages[0], files)) if planned.stages else []


def lines(records: list[Record]) -> list[tuple[str, float, float, str]]:
    return [(one.text, one.start, one.end, one.language) for one in records if isinstance(one, Utterance) and not one.rejected]


def read_by_ingest(folder: str) -> list[str]:
    planned = ingest.step(Ingest(), TAMURI, folder)
    return [file.origin for part in planned.parts for file in part.inputs if isinstance(file, RawFile)]


# Which transcripts belong to a recording


def test_a_transcript_has_the_stem_of_its_recording_with_or_without_its_language() -> None:
    names = ["a.wav", "a.txt", "a.spa.srt", "ab.txt", "b.mp3", "b.qtm.TextGrid", "c.wav", "c.csv", "d.txt", "e.spa.wav", "e.spa.eaf"]
    assert beside([f"audio/{name}" for name in names], TAMURI) == {
        "audio/a.wav": ["audio/a.spa.srt", "audio/a.txt"],
        "audio/b.mp3": ["audio/b.qtm.TextGrid"],
        "audio/e.spa.wav": ["audio/e.spa.eaf"],
    }


def test_a_text_elsewhere_is_no_transcript() -> None:
    assert beside(["translations/a.wav", "translations/a.txt", "audio/a.wav", "audio/more/a.txt"], TAMURI) == {}


# Utterances from transcripts


def test_a_text_gives_utterances_with_times_and_no_engine_is_asked(tmp_path: Path) -> None:
    found = results(step(NO_ENGINE, TAMURI, raw(tmp_path, a__wav=wav(SAMPLES), a__txt="Kaya mala tawa naka sala. Taka.\nMala taka wa.\n")))
    first = found[0]
    assert isinstance(first, Utterance)
    assert (first.name, first.engine, first.language, first.collection) == ("audio/a", "transcript, by letters", "qtm", "audio")
    assert [(one.text, round(one.start, 1), round(one.end, 1)) for one in found if isinstance(one, Utterance)] == [
        ("Kaya mala tawa naka sala.", 1.0, 3.0),
        ("Taka.", 4.0, 4.5),
        ("Mala taka wa.", 5.5, 6.5),
    ]
    assert first.origin == f"audio/a.wav#second={first.start:.2f}..{first.end:.2f}"


@pytest.mark.parametrize("form", ["eaf", "textgrid", "srt", "vtt"])
def test_times_that_a_transcript_says_are_kept(tmp_path: Path, form: str) -> None:
    text = write_timed({"tx": [Line("Kaya mala tawa naka sala.", 1.1, 2.9), Line("Taka.", 3.9, 4.6)]}, form)  # type: ignore[arg-type]
    found = results(step(NO_ENGINE, TAMURI, raw(tmp_path, **{"a__wav": wav(SAMPLES), f"a__{form}": text})))
    assert lines(found) == [("Kaya mala tawa naka sala.", 1.1, 2.9, "qtm"), ("Taka.", 3.9, 4.6, "qtm")]
    assert {one.engine for one in found if isinstance(one, Utterance)} == {"transcript, by times"}


def test_of_several_transcripts_the_one_with_times_is_read(tmp_path: Path) -> None:
    text = write_timed({"tx": [Line("Taka.", 3.9, 4.6)]}, "srt")
    found = results(step(NO_ENGINE, TAMURI, raw(tmp_path, a__wav=wav(SAMPLES), a__srt=text, a__txt=TEXT)))
    assert lines(found) == [("Taka.", 3.9, 4.6, "qtm")]


@needs_voice
@pytest.mark.parametrize("first", ["qtm", "spa"])
def test_a_story_and_its_retelling_are_found_in_the_order_in_which_they_are_told(tmp_path: Path, first: str) -> None:
    taught, spanish = SPOKEN[:3], ["El perro grande vino de noche.", "Nadie lo vio."]
    samples, borders = said([*taught, *spanish] if first == "qtm" else [*spanish, *taught])
    files = {"a__wav": wav(samples), "a__qtm__txt": "\n".join(taught), "a__spa__txt": "\n".join(spanish)}
    found = lines(results(step(NO_ENGINE, TAMURI, raw(tmp_path, **files))))
    assert [code for *_, code in found] == (["qtm"] * 3 + ["spa"] * 2 if first == "qtm" else ["spa"] * 2 + ["qtm"] * 3)
    middles = [(one[2] + other[1]) / 2 for one, other in pairwise(found)]
    assert np.abs(np.array(middles) - borders).max() < 0.3


def test_only_the_taught_language_is_respelt(tmp_path: Path) -> None:
    text = write_timed({"tx": [Line("Ta'ka kaya.", 1.1, 2.9)]}, "srt")
    (found,) = results(step(NO_ENGINE, TAMURI, raw(tmp_path, a__wav=wav(SAMPLES), a__srt=text)))
    assert isinstance(found, Utterance)
    assert (found.text, found.written) == ("Taʼka kaya.", "Ta'ka kaya.")


# What cannot be is rejected with its reason


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a__txt", "", "empty"),
        ("a__txt", " \n\n", "empty"),
        ("a__txt", "...\n", "empty"),
        ("a__txt", TEXT * 40, "length"),
        ("a__srt", "Kaya.\n", "empty"),
        ("a__TextGrid", "Kaya.\n", "damaged"),
        ("a__eaf", "<html/>", "unreadable"),
        ("a__srt", write_timed({"": [Line("Kaya mala.", 200.0, 202.0)]}, "srt"), "times"),
        ("a__srt", write_timed({"": [Line("Kaya mala.", 3.1, 3.9)]}, "srt"), "silence"),
        ("a__srt", write_timed({"": [Line("Kaya mala tawa naka sala.", 1.1, 1.4)]}, "srt"), "rate"),
        ("a__srt", write_timed({"": [Line("K.", 1.0, 6.0)]}, "srt"), "rate"),
    ],
)
def test_a_transcript_that_cannot_be_that_of_the_recording(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (found,) = results(step(NO_ENGINE, TAMURI, raw(tmp_path, **{"a__wav": wav(SAMPLES), name: text})))
    assert found.reason == reason
    assert type(found) in (RawFile, Utterance)


def test_a_recording_in_which_nobody_speaks(tmp_path: Path) -> None:
    (found,) = results(step(NO_ENGINE, TAMURI, raw(tmp_path, a__wav=wav(np.zeros(SAMPLE_RATE, np.float32)), a__txt=TEXT)))
    assert found.reason == "silence"


@needs_voice
def test_the_transcript_of_another_recording_is_not_believed(tmp_path: Path) -> None:
    samples, _ = said([*SPOKEN, *SPOKEN[::-1], *SPOKEN])
    other = ["Kiru nepo sulamechi ropi.", "Oso, eme ichi.", "Fulano pidió que le trajeran agua.", "Ururu pipi wowo."] * 4
    found = results(step(NO_ENGINE, TAMURI, raw(tmp_path, a__wav=wav(samples), a__txt="\n".join(other))))
    assert {one.reason for one in found} <= {"alignment", "rate"}


# Nothing is read twice, and nothing is left out


def test_recordings_without_a_transcript_are_listened_to(tmp_path: Path) -> None:
    folder = raw(tmp_path, a__wav=wav(SAMPLES), a__txt=TEXT, b__wav=wav(tone(1.0)))
    found = results(step(FAKE, TAMURI, folder))
    assert [one.text for one in found if isinstance(one, Utterance)][-1] == "stretch 1"
    assert len(found) == 4


def test_without_an_engine_a_note_says_what_is_left_out(tmp_path: Path) -> None:
    planned = step(NO_ENGINE, TAMURI, raw(tmp_path, a__wav=wav(SAMPLES), a__txt=TEXT, b__wav=wav(tone(1.0))))
    assert planned.note.startswith("1 recordings without a transcript left out: ")
    assert len(planned.parts) == 1
    with pytest.raises(EngineError):
        step(NO_ENGINE, TAMURI, raw(tmp_path / "other", b__wav=wav(tone(1.0))))


def test_another_transcript_makes_another_part_and_nothing_else_anew(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "workspace"))
    folder = raw(tmp_path, a__wav=wav(SAMPLES), a__txt=TEXT, b__wav=wav(tone(1.0)))
    planned = step(FAKE, TAMURI, folder)
    for part in planned.parts:
        planned.work(part, store)
    assert planned.finish(store).kept == 4
    assert [one.start for one in store.records("transcribe", Utterance)]
    raw(tmp_path, a__txt=TEXT + "Wa.\n")
    again = step(FAKE, TAMURI, folder)
    assert [again.committed(part, store) is None for part in again.parts] == [True, False]


def test_ingest_leaves_transcripts_of_one_language_to_transcribe(tmp_path: Path) -> None:
    text = write_timed({"tx": [Line("Taka.", 3.9, 4.6)]}, "eaf")
    folder = raw(
        tmp_path, a__wav=wav(SAMPLES), a__qtm__txt=TEXT, b__wav=wav(SAMPLES), b__eaf=text, c__qtm__txt=TEXT, d__csv="qtm,spa\nTaka,Sol\n"
    )
    assert read_by_ingest(folder) == ["audio/c.qtm.txt", "audio/d.csv"]


def test_what_has_a_translation_becomes_pairs_and_has_times_too(tmp_path: Path) -> None:
    tiers = {
        "qtm": [Line("Kaya mala tawa.", 1.1, 2.9), Line("Taka.", 3.9, 4.6)],
        "spa": [Line("El sol sale.", 1.0, 2.8), Line("Ya.", 3.8, 4.6)],
    }
    folder = raw(
        tmp_path, a__wav=wav(SAMPLES), a__TextGrid=write_timed(tiers, "textgrid"), b__wav=wav(SAMPLES), b__qtm__txt=TEXT, b__spa__txt=TEXT
    )
    assert read_by_ingest(folder) == ["audio/a.TextGrid", "audio/b.qtm.txt", "audio/b.spa.txt"]
    read = results(ingest.step(Ingest(), TAMURI, folder))
    assert [(one.text, one.translation) for one in read if isinstance(one, SentencePair)] == [
        ("Kaya mala tawa.", "El sol sale."),
        ("Taka.", "Ya."),
    ]
    assert {(one.name, one.language) for one in read if isinstance(one, Document)} == {("audio/b", "qtm"), ("audio/b", "spa")}
    assert lines(results(step(NO_ENGINE, TAMURI, folder)))[:2] == [("Kaya mala tawa.", 1.1, 2.9, "qtm"), ("Taka.", 3.9, 4.6, "qtm")]


def test_tiers_that_do_not_overlap_are_of_the_language_that_they_are_called_by(tmp_path: Path) -> None:
    tiers = {"qtm": [Line("Kaya mala tawa.", 1.1, 2.9)], "spa": [Line("El sol sale ya.", 5.5, 6.5)]}
    found = results(step(NO_ENGINE, TAMURI, raw(tmp_path, a__wav=wav(SAMPLES), a__eaf=write_timed(tiers, "eaf"))))
    assert lines(found) == [("Kaya mala tawa.", 1.1, 2.9, "qtm"), ("El sol sale ya.", 5.5, 6.5, "spa")]


def test_a_folder_without_a_model_is_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="leave the setting empty"):
        Timing(model="no/such/folder").aligner(str(tmp_path))
