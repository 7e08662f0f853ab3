"""A long recording: how much memory it takes to transcribe it, and how many times faster than real time it goes.

    python -m benchmarks.media_speech [--hours 3] [--format flac] [--keep FOLDER] [key=value ...]

It writes a synthetic recording (sentences of the sample language in espeak-ng's voices; tones without espeak-ng), starts
``python -m jobs.transcribe_files`` on it, and watches that process and its children. The settings are those of the job: by default
the sample's own checkpoint, in one process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.sample import speech

CODECS = {"flac": ("flac", SAMPLE_RATE, "mono"), "wav": ("pcm_s16le", 44_100, "stereo"), "mp3": ("libmp3lame", SAMPLE_RATE, "mono")}
"""By format: codec, samples a second, channels. The WAV file is as a recorder writes it, 635 MB an hour."""
DEFAULTS = ("model=sample", "execution=local")


def main() -> None:
    """Write, transcribe, watch, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--format", choices=CODECS, default="flac")
    parser.add_argument("--keep", type=Path, help="a folder for the recording and its parts: the same call goes on where it stopped")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    asked = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        recording = folder / f"long.{asked.format}"
        if not recording.is_file():
            write(recording, spoken(), asked.hours * 3600)
        command = [sys.executable, "-m", "jobs.transcribe_files", "--output", str(folder / "out"), str(recording)]
        rc, peak, seconds = watched([*command, *DEFAULTS, *asked.overrides])
        if rc:
            sys.exit(rc)
        page = json.loads((folder / "out" / "long.json").read_text())
    trusted = sum(not utterance["rejected"] for utterance in page["utterances"])
    print(f"recording      {page['duration'] / 3600:>9.2f} h   {asked.format}")
    print(f"engine         {page['engine']}")
    print(f"utterances     {len(page['utterances']):>9,}     {trusted:,} trusted")
    print(f"peak RSS       {peak / 1e6:>9,.0f} MB")
    print(f"wall           {seconds:>9,.1f} s   {page['duration'] / seconds:.1f} times real time")


def spoken() -> Samples:
    """Two minutes that are repeated: every sentence of the sample once, with pauses."""
    rest = np.zeros(SAMPLE_RATE, np.float32)
    if speech.available():
        said = [speech.synthesise(one.text, voice=speech.VOICES[number % 4]) for number, one in enumerate(speech.spoken_sentences())]
    else:
        moments = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
        said = [(0.4 * np.sin(2 * np.pi * (200 + 10 * number) * moments)).astype(np.float32) for number in range(36)]
    return np.concatenate([piece for one in said for piece in (rest, one)])


def write(path: Path, loop: Samples, seconds: float) -> None:
    """The loop again and again, block by block."""
    import av

    codec, rate, layout = CODECS[path.suffix[1:]]
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate)
        for _ in range(round(seconds * SAMPLE_RATE / len(loop)) or 1):
            frame = av.AudioFrame.from_ndarray(loop[None], format="fltp", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            for block in resampler.resample(frame):
                file.mux(stream.encode(block))
        for block in resampler.resample(None):
            file.mux(stream.encode(block))
        file.mux(stream.encode(None))


def watched(command: list[str]) -> tuple[int, int, float]:
    """The exit code of a program, the most memory that it and its children had at once (bytes), and its seconds."""
    start, peak, running = time.monotonic(), 0, subprocess.Popen(command)
    while running.poll() is None:
        peak = max(peak, _memory(running.pid))
        time.sleep(0.1)
    return running.returncode, peak, time.monotonic() - start


def _memory(pid: int) -> int:
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


if __name__ == "__main__":
    main()
