"""A long recording is heard in parts: nothing twice, nothing never, nobody cut in a word, and never all of it in memory."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from seshat.data.readers import RefusedError, raw_file, raw_stream
from seshat.data.readers import spans as module
from seshat.data.readers.audio import decode, decode_tracks, seconds_of
from seshat.data.readers.spans import quietest, span, stretch
from seshat.data.transcribe import Transcribe, measure, ranges, step
from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.errors import StoreError
from seshat.language import Language
from seshat.records import RawFile, Utterance
from seshat.store import Store
from tests.data.test_audio import FORMATS
from tests.recordings import encoded, tone, wav

TAMURI = Language(code="qtm", name="tamuri")
MORE = {"aac": ("adts", "aac", 16_000), "mp3 of 44.1 kHz": ("mp3", "libmp3lame", 44_100)}


def tones(rate: int = SAMPLE_RATE, number: int = 25) -> Samples:
    """Some minutes of tones of any length and loudness, with pauses between them."""
    rng = np.random.default_rng(1)
    pieces = [tone(*rng.uniform(0.3, 2, 4), loudness=rng.uniform(0.2, 0.9), pause=rng.uniform(0.3, 1), rate=rate) for _ in range(number)]
    return np.concatenate(pieces)


@pytest.mark.parametrize("name", [*FORMATS, *MORE])
@pytest.mark.parametrize("jump", [True, False], ids=["seek", "decode and drop"])
def test_a_stretch_is_what_the_whole_has_there(name: str, jump: bool) -> None:
    container, codec, rate = {**FORMATS, **MORE}[name]
    data = encoded(tones(rate, 5), container, codec, rate)
    whole = decode(data, max_seconds=600)[20 * SAMPLE_RATE : 24 * SAMPLE_RATE]
    part = module._decoded(io.BytesIO(data), 20.0, 24.0, "mix", jump=jump)[0]
    assert len(part) == len(whole)
    differences = [float(np.abs(np.roll(part, shift) - whole)[100:-100].mean()) for shift in range(-16, 17)]
    assert min(differences) < 0.002, "no more than a millisecond away"


@pytest.mark.heavy
def test_neighbours_meet_at_the_same_quiet_place() -> None:
    data = encoded(tones(48_000), "ogg", "libopus", 48_000)
    seconds = seconds_of(io.BytesIO(data))
    cuts = [0, 60, 120, -1]
    parts = [stretch(io.BytesIO(data), first, last, seconds=seconds) for first, last in pairwise(cuts)]
    whole = decode(data, max_seconds=600)
    for (start, sound), (following, _) in pairwise(parts):
        assert start + sound.shape[1] / SAMPLE_RATE == pytest.approx(following, abs=1e-3)
        around = whole[round((following - 0.09) * SAMPLE_RATE) : round((following + 0.09) * SAMPLE_RATE)]
        assert np.abs(around).max() < 0.01, "nobody speaks there"
    assert sum(sound.shape[1] for _, sound in parts) == pytest.approx(len(whole), abs=SAMPLE_RATE / 10)


def test_of_equally_quiet_moments_the_nearest_is_taken() -> None:
    assert quietest(io.BytesIO(wav(np.zeros(80 * SAMPLE_RATE, np.float32))), 40) == pytest.approx(40, abs=0.01)


def test_a_hole_in_a_recording_is_silence_there() -> None:
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as file:
        stream = file.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        for second in (*range(10), *range(20, 30)):
            frame = av.AudioFrame.from_ndarray(np.full((1, SAMPLE_RATE), 8_000, np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, second * SAMPLE_RATE
            file.mux(stream.encode(frame))
    loud = np.abs(span(buffer, 5.0, 25.0)[0]) > 0.1
    assert seconds_of(buffer) == pytest.approx(30.0, abs=0.1)
    assert (len(loud), loud[: 5 * SAMPLE_RATE - 99].all(), loud[5 * SAMPLE_RATE + 99 : 15 * SAMPLE_RATE - 99].any()) == (
        20 * SAMPLE_RATE,
        True,
        False,
    )
    assert loud[15 * SAMPLE_RATE + 99 :].all()


@pytest.mark.parametrize(("container", "codec"), [("flac", "flac"), ("mp3", "libmp3lame"), ("wav", "pcm_s16le"), ("ogg", "libopus")])
def test_a_long_recording_that_is_cut_off_is_refused_whole(container: str, codec: str) -> None:
    rate = 48_000 if codec == "libopus" else SAMPLE_RATE
    data = encoded(np.tile(tones(rate, 5), 10), container, codec, rate, 1)
    assert seconds_of(io.BytesIO(data)) > 320
    with pytest.raises(RefusedError, match=r"^truncated:"):
        seconds_of(io.BytesIO(data[: len(data) * 6 // 10]))


def test_a_part_behind_the_end_of_the_sound_is_refused() -> None:
    data = wav(tones())
    with pytest.raises(RefusedError, match=r"^truncated: the sound ends before 785 s"):
        stretch(io.BytesIO(data), 800, -1, seconds=900.0)


# Channels


def test_each_channel_is_heard_by_itself() -> None:
    import av

    left, right = tone(2.0), 0.3 * tone(2.0)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="wav") as file:
        stream = file.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray((np.stack([left, right], axis=1).reshape(1, -1) * 32_000).astype(np.int16), "s16", "stereo")
        frame.sample_rate = SAMPLE_RATE
        file.mux(stream.encode(frame))
    level = {name: decode_tracks(buffer, max_seconds=60, channels=name).max(axis=1).tolist() for name in ("mix", "left", "right", "split")}
    for channels, loudest in {"mix": [0.32], "left": [0.49], "right": [0.15], "split": [0.49, 0.15]}.items():
        assert level[channels] == pytest.approx(loudest, abs=0.01)
    assert span(buffer, 0.0, 3.0, channels="split").shape == (2, 3 * SAMPLE_RATE)


def test_one_channel_has_no_sides() -> None:
    data = io.BytesIO(wav(tone(1.0)))
    assert decode_tracks(data, max_seconds=60, channels="split").shape[0] == 1
    with pytest.raises(RefusedError, match=r"^channels: there is no left one among 1; set transcribe\.channels"):
        decode_tracks(data, max_seconds=60, channels="left")


# Parts


def recorded(tmp_path: Path, data: bytes, name: str = "a.wav") -> RawFile:
    (tmp_path / "raw" / "audio").mkdir(parents=True)
    (tmp_path / "raw" / "audio" / name).write_bytes(data)
    return raw_file(str(tmp_path / "raw" / "audio" / name))


@pytest.mark.parametrize(
    ("minutes", "cuts"),
    [(1.4, [(0, -1)]), (1.6, [(0, 60), (60, -1)]), (2.6, [(0, 60), (60, 120), (120, -1)]), (6.0, [(0, -1)])],
    ids=["short", "long", "longer", "longer than allowed"],
)
def test_a_long_recording_is_cut_and_a_short_one_stays_whole(tmp_path: Path, minutes: float, cuts: list[tuple[int, int]]) -> None:
    file = recorded(tmp_path, wav(np.zeros(round(60 * minutes) * SAMPLE_RATE, np.float32)))
    asked = Transcribe(minutes_per_part=1, max_minutes=5)
    found = list(ranges(file, asked, measure(asked)))
    assert [(piece.start, piece.stop) for piece in found] == cuts
    assert [piece.id == file.id for piece in found] == [cuts == [(0, -1)]] * len(found)


def test_what_cannot_be_heard_stays_whole_to_be_refused(tmp_path: Path) -> None:
    file = recorded(tmp_path, b"no sound at all " * 200)
    assert list(ranges(file, Transcribe(), measure(Transcribe()))) == [file]


def test_in_parts_as_much_is_heard_as_at_once_and_a_kill_costs_one_part(tmp_path: Path) -> None:
    recorded(tmp_path, encoded(tones(), "flac", "flac", SAMPLE_RATE, 1), "a.flac")
    raw = str(tmp_path / "raw")
    heard = []
    for name, minutes in (("whole", 10), ("parts", 1)):
        store = Store(str(tmp_path / name))
        planned = step(Transcribe(engine="fake", minutes_per_part=minutes), TAMURI, raw)
        planned.run(store)
        heard.append([(one.start, one.end, one.origin) for one in store.records("transcribe", Utterance)])
        assert len(planned.parts) == (1 if name == "whole" else 3)
    assert len(heard[0]) > 50
    assert [one[2] for one in heard[1]] == [f"audio/a.flac#second={start:.2f}..{end:.2f}" for start, end, _ in heard[1]]
    assert np.abs(np.array([one[:2] for one in heard[0]]) - np.array([one[:2] for one in heard[1]])).max() < 0.03
    killed = Store(str(tmp_path / "killed"))
    planned = step(Transcribe(engine="fake", minutes_per_part=1), TAMURI, raw)
    planned.work(planned.parts[1], killed)
    again = step(Transcribe(engine="fake", minutes_per_part=1), TAMURI, raw)
    assert [again.committed(part, killed) is not None for part in again.parts] == [False, True, False]


# Raw files that are too large to be held


def test_a_stream_is_the_file_that_was_there_when_the_run_began(tmp_path: Path) -> None:
    file = recorded(tmp_path, b"first")
    with raw_stream(file) as stream:
        assert stream.read() == b"first"
    Path(file.path).write_bytes(b"other")
    with pytest.raises(StoreError, match="has changed since the run began"), raw_stream(file):
        pass
    Path(file.path).unlink()
    with pytest.raises(StoreError, match="cannot be now"), raw_stream(file):
        pass


def test_a_member_of_an_archive_can_be_read_at_any_place(tmp_path: Path) -> None:
    import zipfile

    from seshat.data.readers import raw_files

    (tmp_path / "audio").mkdir()
    with zipfile.ZipFile(tmp_path / "audio" / "box.zip", "w") as box:
        box.writestr("a.wav", wav(tone(2.0)))
    (file,) = raw_files(str(tmp_path), ("audio",))
    with raw_stream(file) as stream:
        assert seconds_of(stream) == 4.0
    with raw_stream(replace(file, sha256="")) as stream:
        assert span(stream, 1.0, 3.0).shape == (1, 2 * SAMPLE_RATE)
