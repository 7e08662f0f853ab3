"""The job for plain files: what it writes, and what it says about files that cannot be aligned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jobs.time_transcripts import main
from seshat.data.readers import Options, formats
from seshat.engines.speech import SAMPLE_RATE
from tests.recordings import tone, wav

ROOT = Path(__file__).parents[2]
SAMPLES = tone(2.0, 0.5, 1.0)
TEXT = "Kaya mala tawa naka sala.\nTaka.\nMala taka wa.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording with its transcript."""
    (tmp_path / "story.wav").write_bytes(wav(SAMPLES))
    (tmp_path / "story.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_a_folder_gives_files_with_times(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--output", folder / "out", "--formats", "eaf,textgrid,srt,vtt", folder) == 0
    assert "3 sentences (by letters), 0 doubtful" in capsys.readouterr().out
    assert {path.name for path in (folder / "out").iterdir()} == {"story.eaf", "story.TextGrid", "story.srt", "story.vtt"}
    content = formats()[".srt"].read((folder / "out" / "story.srt").read_bytes(), Options())
    assert [paragraph.text for paragraph in content.paragraphs] == TEXT.splitlines()
    assert content.paragraphs[1].place.startswith("second=4.0")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other.csv", "start,qta\n,Kaya mala tawa naka sala.\n,Taka.\n,Mala taka wa.\n"),
        ("other.tsv", "text\ttranslation\nKaya mala tawa naka sala.\tEl sol.\nTaka.\tYa.\nMala taka wa.\tSí.\n"),
        ("other.txt", TEXT),
    ],
)
def test_a_transcript_may_have_another_name_and_be_a_table(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    assert run("--output", folder / "out", "--language", "qta", f"{folder / 'story.wav'}={folder / name}") == 0
    assert "Mala taka wa." in (folder / "out" / "story.srt").read_text(encoding="utf-8")


def test_doubts_are_a_tier_of_their_own_that_is_not_read_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "story.txt").unlink()
    (folder / "story.srt").write_text("00:00:01,000 --> 00:00:01,300\nKaya mala tawa naka sala.\n\n00:00:04,000 --> 00:00:04,500\nTaka.\n")
    assert run("--output", folder / "out", folder) == 0
    assert "1.00..1.30: rate: 25 characters in 0.3 s" in capsys.readouterr().out
    written = (folder / "out" / "story.eaf").read_bytes()
    assert b'TIER_ID="notes"' in written
    (table,) = formats()[".eaf"].read(written, Options()).tables
    assert [row.values["text"] for row in table.rows] == ["Kaya mala tawa naka sala.", "Taka."]
    assert "rate" not in (folder / "out" / "story.srt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "sound", "reason"),
    [
        (None, wav(SAMPLES), "transcript: there is none"),
        ("", wav(SAMPLES), "empty: "),
        (TEXT * 40, wav(SAMPLES), "length: "),
        (TEXT, wav(np.zeros(SAMPLE_RATE, np.float32)), "silence: "),
        (TEXT, wav(SAMPLES)[:40_000], "truncated: "),
        (TEXT, b"", "empty: "),
    ],
)
def test_what_cannot_be_aligned_is_said_and_costs_no_other(
    folder: Path, text: str | None, sound: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.wav").write_bytes(sound)
    if text is not None:
        (folder / "bad.txt").write_text(text, encoding="utf-8")
    assert run("--output", folder / "out", folder) == 1
    printed = capsys.readouterr().out
    assert f"bad.wav: refused: {reason}" in printed
    assert "Traceback" not in printed
    assert {path.stem for path in (folder / "out").iterdir()} == {"story"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--formats", "doc"], "known are eaf, textgrid, srt, vtt"),
        (["--language", "español"], "--language"),
        (["--model", "no/such"], "no/such is no CTC model"),
    ],
)
def test_a_wrong_argument_is_said_before_anything_runs(
    folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--output", folder / "out", *arguments, folder) in (1, 2)
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_two_recordings_of_one_name_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "story.flac").write_bytes(b"")
    assert run("--output", folder / "out", folder) == 2
    assert "two recordings are called 'story'" in capsys.readouterr().err


def test_a_folder_without_recordings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--output", tmp_path / "out", tmp_path) == 2
    assert "no recording" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--output", tmp_path / "out", tmp_path / "a.wav", tmp_path / "a.txt") == 1
    assert "cannot be opened" in capsys.readouterr().out


def test_it_runs_as_a_program(folder: Path) -> None:
    command = [sys.executable, "-m", "jobs.time_transcripts", "--output", str(folder / "out"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "story.TextGrid" in done.stdout
