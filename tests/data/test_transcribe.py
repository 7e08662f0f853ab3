"""From recordings to utterances; what is doubtful, and what cannot be heard, is rejected alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from seshat.config import load
from seshat.data.doubts import Guards
from seshat.data.transcribe import Transcribe, TranscribeRecordings, check, step
from seshat.engines.speech import FIXTURE, SAMPLE_RATE, Heard, Samples, engine_version, model_folder
from seshat.errors import EngineError
from seshat.language import Language
from seshat.records import RawFile, Record, Utterance
from seshat.sample import speech
from seshat.spelling import SpellingRule
from seshat.stage import guarded
from seshat.step import Step
from seshat.store import Store
from tests.recordings import encoded, tone, wav

TAMURI = Language(code="qtm", name="tamuri", apostrophe="ʼ")
FAKE = Transcribe(engine="fake")
TRUE = Guards()


def audio(tmp_path: Path, **files: bytes) -> str:
    """A raw folder with recordings; ``__`` in a name is a dot."""
    (tmp_path / "raw" / "audio").mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (tmp_path / "raw" / "audio" / name.replace("__", ".")).write_bytes(data)
    return str(tmp_path / "raw")


def transcribed(planned: Step) -> list[Record]:
    """What a step makes of its parts, without a store."""
    return list(guarded(planned.stages[0], [file for part in planned.parts for file in part.inputs if isinstance(file, RawFile)]))


def heard(text: str = "Sisi ñochünenu yayokala.", start: float = 1.0, end: float = 3.0, confidence: float = 0.9, **facts: float) -> Heard:
    return Heard(text=text, start=start, end=end, confidence=confidence, **facts)


# Guards


@pytest.mark.parametrize(
    ("one", "doubt"),
    [
        (heard(), ""),
        (heard("taki taki taki siʼa"), ""),
        (heard("¡Kakaka kakaka kakaka kakaka kakaka!"), "repetition"),
        (heard("Gracias por ver. Gracias por ver. Gracias por ver. Gracias por ver."), "repetition"),
        (heard("".join(chr(97 + n % 3) for n in range(60)) + " e"), "repetition"),
        (heard("Sisi", end=3.9, start=0.0), ""),
        (heard("Si", start=0.0, end=3.9), "rate"),
        (heard("Sisi ñochünenu lamotüma yayokala wukuchan nosima mawirrila.", end=1.5), "rate"),
        (heard(confidence=0.31), "confidence"),
        (heard(no_speech=0.9), "silence"),
        (heard(start=0.0, end=0.9, text="Taki waru."), "silence"),
        (heard("...", confidence=1.0), "empty"),
    ],
)
def test_a_doubtful_utterance_is_named_by_its_doubt(one: Heard, doubt: str) -> None:
    assert TRUE.doubt(one, tone(3.0)).partition(":")[0] == doubt


def test_the_reason_says_the_value_and_the_limit() -> None:
    assert TRUE.doubt(heard(confidence=0.31), tone(3.0)) == "confidence: 0.31 is below 0.5"


# The stage


def test_each_stretch_is_an_utterance_with_its_place(tmp_path: Path) -> None:
    raw = audio(tmp_path, cuento__wav=wav(tone(2.0, 1.5)), relato__spa__wav=wav(tone(1.0)))
    first, second, spanish = transcribed(step(FAKE, TAMURI, raw))
    assert isinstance(first, Utterance)
    assert isinstance(second, Utterance)
    assert isinstance(spanish, Utterance)
    assert (first.origin, first.name) == ("audio/cuento.wav#second=1.00..3.00", "audio/cuento")
    assert (first.text, first.language, first.collection) == ("stretch 1", "qtm", "audio")
    assert (second.start, second.end, second.text) == (4.0, 5.5, "stretch 2")
    assert (spanish.name, spanish.language) == ("audio/relato", "spa")
    assert not any(record.rejected for record in (first, second, spanish))


def test_only_the_taught_language_is_respelt_and_what_was_heard_is_kept(tmp_path: Path) -> None:
    rules = (SpellingRule(pattern="stretch", replacement="strech"),)
    language = Language(code="qtm", name="tamuri", spelling=rules, old_spelling=("audio/*",))
    taught, spanish = transcribed(step(FAKE, language, audio(tmp_path, a__wav=wav(tone(2.0)), b__spa__wav=wav(tone(2.0)))))
    assert isinstance(taught, Utterance)
    assert isinstance(spanish, Utterance)
    assert (taught.text, taught.written) == ("strech 1", "stretch 1")
    assert (spanish.text, spanish.written) == ("stretch 1", "")


def test_one_bad_file_costs_no_other(tmp_path: Path) -> None:
    good = wav(tone(2.0))
    raw = audio(tmp_path, a__wav=good, b__wav=good[:30_000], c__mp3=b"nothing " * 99, d__wav=wav(np.zeros(32_000, np.float32)), e__wav=good)
    results = transcribed(step(FAKE, TAMURI, raw))
    assert [(record.origin.partition("#")[0], record.reason) for record in results] == [
        ("audio/a.wav", ""),
        ("audio/b.wav", "truncated"),
        ("audio/c.mp3", "unreadable"),
        ("audio/d.wav", "silence"),
        ("audio/e.wav", ""),
    ]


def test_an_engine_that_is_unsure_is_not_believed(tmp_path: Path) -> None:
    (utterance,) = transcribed(step(FAKE, TAMURI, audio(tmp_path, faint__wav=wav(tone(2.0, loudness=0.05)))))
    assert isinstance(utterance, Utterance)
    assert utterance.reason == "confidence"
    assert utterance.text == "stretch 1"


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "workspace"))
    raw = audio(tmp_path, a__wav=wav(tone(2.0)), b__flac=encoded(tone(1.0), "flac", "flac", SAMPLE_RATE))
    planned = step(FAKE, TAMURI, raw)
    assert planned.done(store) is None
    lines = [planned.work(part, store) for part in planned.parts]
    assert planned.finish(store).kept == 2
    again = step(FAKE, TAMURI, raw)
    assert again.done(store) is not None
    assert [again.work(part, store) for part in again.parts] == lines
    assert [utterance.text for utterance in store.records("transcribe", Utterance)] == ["stretch 1", "stretch 1"]
    audio(tmp_path, c__wav=wav(tone(1.5)))
    grown = step(FAKE, TAMURI, raw)
    assert grown.done(store) is None
    assert [store.part("transcribe", grown.key(part)) is None for part in grown.parts] == [False, False, True]


def test_results_depend_on_what_changes_them_and_on_nothing_else(tmp_path: Path) -> None:
    raw = audio(tmp_path, a__wav=wav(tone(1.0)))

    def name(**changes: object) -> str:
        return step(FAKE.model_copy(update=changes), TAMURI, raw).fingerprint

    assert name(device="cpu", max_rejected=0.2) == name()
    assert len({name(), name(pause=1.0), name(min_confidence=0.7), name(language="es"), name(beam_size=1)}) == 5


def test_text_in_the_audio_folder_is_left_to_ingest(tmp_path: Path) -> None:
    raw = audio(tmp_path, a__csv=b"qtm,spa\n", b__WAV=wav(tone(1.0)))
    assert [part.inputs[0].id for part in step(FAKE, TAMURI, raw).parts] == [
        RawFile(origin="audio/b.WAV", collection="audio", path="", sha256=_sha256(raw, "audio/b.WAV")).id
    ]


def test_without_recordings_no_model_is_asked_for(tmp_path: Path) -> None:
    raw = audio(tmp_path, a__csv=b"qtm,spa\n")
    assert step(Transcribe(model="no/such/folder"), TAMURI, raw).parts == ()


# Engines


@pytest.mark.parametrize(
    ("model", "cure"),
    [
        ("large-v3", r"hf download Systran/faster-whisper-large-v3"),
        ("someone/whisper-shipibo", r"hf download someone/whisper-shipibo"),
        ("./nowhere", r"there is no folder .*nowhere"),
        ("folder", r"no config\.json, model\.bin, tokenizer\.json.*ct2-transformers-converter"),
    ],
)
def test_a_missing_model_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, cure: str) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(EngineError, match=cure):
        check(Transcribe(model=model), str(tmp_path))


def test_a_folder_typed_on_the_command_line_is_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert load(Transcribe, None, ["model=mine"]).model == str(tmp_path / "mine")
    assert load(Transcribe, None, ["model=large-v3"]).model == "large-v3"


def test_the_fixture_is_small_and_known_by_its_weights() -> None:
    require_fixture()
    folder = Path(model_folder("faster-whisper", "sample"))
    assert sum(path.stat().st_size for path in folder.iterdir()) < 4 * 2**20
    version = engine_version("faster-whisper", str(folder))
    assert version == engine_version("faster-whisper", str(folder))
    assert version.startswith("faster-whisper 1.")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """What the real engine makes of three sentences in one recording, of another one, of noise and of silence."""
    if not speech.available():
        pytest.skip("espeak-ng is not installed")
    require_fixture()
    noise = np.random.default_rng(1).standard_normal(5 * SAMPLE_RATE).astype(np.float32)
    raw = audio(
        tmp_path_factory.mktemp("speech"),
        a__flac=encoded(joined(SENTENCES[:2], "es+m3"), "flac", "flac", SAMPLE_RATE, 1),
        b__mp3=encoded(joined(SENTENCES[2:], "es+f4"), "mp3", "libmp3lame", SAMPLE_RATE, 1),
        c__wav=wav(0.01 * noise),
        d__wav=wav(np.zeros(5 * SAMPLE_RATE, np.float32)),
    )
    return transcribed(step(Transcribe(model="sample"), TAMURI, raw))


def require_fixture() -> None:
    if not FIXTURE.is_dir():
        pytest.skip(f"{FIXTURE} is not there: python -m benchmarks.make_speech_fixture makes it")


SENTENCES = [sentence.text for sentence in speech.spoken_sentences(1)[4:7]]


def joined(sentences: Sequence[str], voice: str) -> Samples:
    rest = np.zeros(SAMPLE_RATE, np.float32)
    return np.concatenate([part for text in sentences for part in (rest, speech.synthesise(text, voice=voice))] + [rest])


def test_the_fixture_transcribes_what_it_knows(spoken: list[Record]) -> None:
    utterances = [record for record in spoken if isinstance(record, Utterance) and not record.rejected]
    assert [utterance.text for utterance in utterances] == SENTENCES
    first, second, third = utterances
    assert (first.name, third.name) == ("audio/a", "audio/b")
    assert 0.5 < first.start < 1.2 < first.end < second.start
    assert min(utterance.confidence for utterance in utterances) > 0.5


def test_silence_and_noise_give_no_utterance(spoken: list[Record]) -> None:
    rest = [record for record in spoken if record.origin.startswith(("audio/c", "audio/d"))]
    assert [record.reason for record in rest] == ["silence", "silence"]


def test_silence_gives_no_utterance_even_without_vad(tmp_path: Path) -> None:
    require_fixture()
    raw = audio(tmp_path, a__wav=wav(np.zeros(5 * SAMPLE_RATE, np.float32)))
    results = transcribed(step(Transcribe(model="sample", vad=False), TAMURI, raw))
    assert results
    assert {record.reason for record in results} == {"silence"}


def test_importing_is_free() -> None:
    code = (
        "import sys, seshat.data.transcribe as t; heavy = {'torch', 'ray', 'faster_whisper', 'av', 'ctranslate2'}; "
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_stage_leaves_its_engine_behind_when_it_travels() -> None:
    import pickle

    stage = TranscribeRecordings(engine="fake", engine_version="fake 1", language=TAMURI)
    assert stage._engine is stage._engine
    copy = pickle.loads(pickle.dumps(stage))
    assert copy == stage
    assert "_engine" not in copy.__dict__


def _sha256(raw: str, origin: str) -> str:
    import hashlib

    return hashlib.sha256((Path(raw) / origin).read_bytes()).hexdigest()
