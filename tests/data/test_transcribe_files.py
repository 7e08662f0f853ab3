"""Plain recordings to JSON and text: nothing is needed but the files, and a bad one costs no other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seshat.data.transcribe import Transcribe
from seshat.data.transcribe_files import Bad, Recording, transcribe_files
from seshat.engines.speech import SAMPLE_RATE
from seshat.plain import WORKSPACE, Given, named, on_ray, settings_of
from seshat.store import Store
from tests.recordings import encoded, tone, wav

PROJECT = Path(__file__).resolve().parents[2]


def job(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jobs.transcribe_files", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings good and bad."""
    good = wav(tone(2.0, 1.5))
    (tmp_path / "good.wav").write_bytes(good)
    (tmp_path / "faint.flac").write_bytes(encoded(np.concatenate([tone(2.0), tone(1.0, loudness=0.05)]), "flac", "flac", SAMPLE_RATE, 1))
    (tmp_path / "cut.wav").write_bytes(good[:30_000])
    (tmp_path / "text.mp3").write_bytes(b"no sound at all " * 200)
    (tmp_path / "silence.wav").write_bytes(wav(np.zeros(2 * SAMPLE_RATE, np.float32)))
    return tmp_path


def run(paths: list[Path], output: Path, **settings: Any) -> tuple[dict[str, Any], list[str], list[Recording | Bad]]:
    """The pages by stem, the stems with a text, and what was yielded."""

    store = Store(str(output / WORKSPACE))
    asked = Transcribe(engine="fake", **{"words": True, "max_rejected": 1.0, **settings})
    came = list(transcribe_files(asked, named(paths), store, Store(str(output)), lambda step: step.run(store)))
    return {path.stem: json.loads(path.read_text()) for path in output.glob("*.json")}, sorted(p.stem for p in output.glob("*.txt")), came


def test_the_job_writes_what_it_can_and_names_what_it_cannot(folder: Path) -> None:
    out = folder / "out"
    done = job("--engine", "fake", "min_confidence=0.4", "execution=local", "--output", out, *sorted(folder.iterdir()), folder / "gone.wav")
    assert done.returncode == 1
    reasons = dict(line.removeprefix(f"{folder}/").split(": ", 1) for line in done.stderr.splitlines())
    assert {name: reason.partition(":")[0] for name, reason in reasons.items()} == {
        "cut.wav": "truncated",
        "text.mp3": "unreadable",
        "gone.wav": "missing",
    }
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [".seshat", *(f"{stem}.{kind}" for stem in ("good", "faint", "silence") for kind in ("json", "txt"))]
    )
    assert (out / "good.txt").read_text() == "stretch 1\nstretch 2\n"
    assert (out / "silence.txt").read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "out"], "no files: name at least one file"),
        (["a.wav"], "usage"),
        (["--output", "out", "engine=fake"], "no files: name at least one file"),
        (["--output", "out", "a.wav", "modle=x"], "modle: unknown key; did you mean 'model'?"),
        (["--output", "out", "--engine", "telepathy", "a.wav"], "engine: "),
        (["--output", "out", "--engine", "fake", "x/a.wav", "y/A.wav"], "x/a.wav and y/A.wav would both become A.wav.json"),
    ],
)
def test_a_wrong_command_is_a_matter_of_usage(arguments: list[str], message: str) -> None:
    done = job(*arguments)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_a_page_has_everything_and_the_text_what_is_trusted(folder: Path) -> None:
    pages, texts, (came,) = run([folder / "faint.flac"], folder / "out")
    page = pages["faint"]
    first, second = page["utterances"]
    assert (page["file"], page["duration"], page["engine"], page["left_out"]) == (str(folder / "faint.flac"), 7.0, "fake 1", [])
    assert (first["text"], first["start"], first["end"], first["rejected"], first["channel"]) == ("stretch 1", 1.0, 3.0, "", 0)
    assert [(word["text"], word["start"], word["end"]) for word in first["words"]] == [("stretch", 1.0, 2.0), ("1", 2.0, 3.0)]
    assert second["rejected"].startswith("confidence: 0.1")
    assert isinstance(came, Recording)
    assert (came.kept, came.rejected, texts) == (1, 1, ["faint"])
    assert (folder / "out" / "faint.txt").read_text() == "stretch 1\n"


def test_silence_is_no_bad_file(folder: Path) -> None:
    pages, texts, (came,) = run([folder / "silence.wav"], folder / "out")
    assert isinstance(came, Recording)
    assert (pages["silence"]["utterances"], texts) == ([], ["silence"])
    assert pages["silence"]["left_out"] == [
        {"start": 0, "end": 2.0, "reason": "silence: nobody speaks in the recording, as far as can be heard"}
    ]


def test_each_channel_is_a_turn(tmp_path: Path) -> None:
    import av

    left, right = np.concatenate([tone(1.0), np.zeros(32_000, np.float32)]), np.concatenate([np.zeros(32_000, np.float32), tone(1.0)])
    with av.open(str(tmp_path / "talk.wav"), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray((np.stack([left, right], axis=1).reshape(1, -1) * 32_000).astype(np.int16), "s16", "stereo")
        frame.sample_rate = SAMPLE_RATE
        file.mux(stream.encode(frame))
    pages, _, _ = run([tmp_path / "talk.wav"], tmp_path / "out", channels="split")
    assert [(one["channel"], one["start"], one["end"]) for one in pages["talk"]["utterances"]] == [(1, 1.0, 2.0), (2, 3.0, 4.0)]


def test_a_second_run_listens_to_nothing_again(folder: Path) -> None:
    first, _, _ = run([folder / "good.wav"], folder / "out")
    parts = folder / "out" / ".seshat" / "data" / "processed" / "transcribe"
    before = {path: path.stat().st_mtime_ns for path in parts.glob("part-*")}
    again, _, _ = run([folder / "good.wav", folder / "silence.wav"], folder / "out")
    assert again["good"] == first["good"]
    assert before
    assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())


def test_ray_is_started_only_where_there_is_much_to_do() -> None:
    for overrides, expected in (((), [False, False, True]), (("execution=ray",), [True] * 3), (("execution=local",), [False] * 3)):
        given = Given((), Path("out"), overrides)
        assert [on_ray(settings_of("transcribe", given), given, number) for number in (1, 7, 8)] == expected


@pytest.mark.slow
@pytest.mark.ray
def test_on_ray_the_same_is_heard(folder: Path) -> None:
    for execution in ("ray", "local"):
        done = job("--engine", "fake", f"execution={execution}", "--output", folder / execution, folder / "good.wav", folder / "faint.flac")
        assert done.returncode == 0, done.stderr
    assert [(folder / "ray" / name).read_bytes() for name in ("good.json", "faint.txt")] == [
        (folder / "local" / name).read_bytes() for name in ("good.json", "faint.txt")
    ]
