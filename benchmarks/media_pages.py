"""How well and how fast pages are read: python -m benchmarks.media_pages [--pages 300] [--engines tesseract,rapidocr] [PART ...]

PART is quality (character error rate by degradation), speed (beside the tesseract program on the same pages), memory (a PDF of 2,000
pages) or scaling (one worker and two); all of them by default. Pages are printed in three fonts, half of them in two columns, from the
Spanish and Shipibo texts beside the project, or from the sample language where they are missing, and degraded in three degrees.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rapidfuzz.distance import Levenshtein

from seshat.sample.fonts import Font
from seshat.sample.scans import Printed, Scanner, save_image, save_pdf

SHARED = Path(__file__).parents[2] / "shared" / "data" / "languages" / "shp" / "raw"
TEXTS = ("translations/ley_artesano.shp.txt", "translations/ley_artesano.spa.txt", "transcriptions/monolingual.shp.txt")
FONTS: tuple[Font, ...] = ("DejaVuSerif", "DejaVuSans", "STIXGeneral")
GOALS = {"clean": 0.005, "mild": 0.01, "heavy": 0.03}
PARTS = ("quality", "speed", "memory", "scaling")
SAME = ("divide_background=false", "deskew=false", "despeckle=false", "turn=false")
"""What the tesseract program does not do."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as a picture, with what stands on it."""

    name: str
    degree: str
    columns: int
    gold: str


def scanner(degree: str, seed: int) -> Scanner:
    """What a scan of a degree does to a page."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sign = 1 if seed % 2 else -1
    if degree == "clean":
        return Scanner(noise=2.0, shadow=0.0, rng=rng)
    if degree == "mild":
        return Scanner(skew=0.7 * sign, noise=8.0, shadow=0.25, blur=0.6, rng=rng)
    return Scanner(skew=2.0 * sign, noise=14.0, shadow=0.5, blur=0.9, specks=0.0015, stains=3, through=0.12, rng=rng)


def printed(number: int, folder: Path) -> list[Sheet]:
    """So many pages as PNG files, the same ones every time."""
    rng = random.Random(7)
    paragraphs = list(_paragraphs())
    sheets = []
    for place in range(number):
        degree, font = list(GOALS)[place % 3], FONTS[place // 3 % 3]
        columns = 1 + place // 9 % 2
        width, height = (46, 30) if columns == 1 else (26, 30)
        lines: list[str] = []
        while len(lines) < columns * height:
            lines += [*textwrap.wrap(rng.choice(paragraphs), width, break_long_words=False, break_on_hyphens=False)]
        page = Printed(
            columns=tuple(tuple(lines[start : start + height]) for start in range(0, columns * height, height)),
            size=30 if columns == 1 else 26,
            font=font,
        )
        name = f"{place:03}-{degree}-{font}-{columns}"
        save_image(folder / f"{name}.png", scanner(degree, place).scan(page))
        sheets.append(Sheet(name, degree, columns, page.text))
    return sheets


def _paragraphs() -> Iterator[str]:
    for name in TEXTS:
        path = SHARED / name
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            yield from (" ".join(line.split()) for line in lines[:400] if 40 < len(line) < 600)
    if not SHARED.is_dir():
        from seshat.sample.make import make

        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), seed=1)
            for path in sorted(Path(folder).glob("translations/*.txt")):
                yield from (line for line in path.read_text(encoding="utf-8").splitlines() if len(line) > 40)


def quality(sheets: Sequence[Sheet], folder: Path, engines: Sequence[str]) -> None:
    """Character error rates, and how many pages of two columns are read in order."""
    for engine in engines:
        out = folder / f"read-{engine.replace('+', '-')}"
        first, _, second = engine.partition("+")
        seconds = read(folder, out, f"engine={first}", *([f"second={second}"] if second else []), "min_confidence=0")
        errors: dict[str, list[tuple[int, int]]] = {degree: [] for degree in GOALS}
        in_order = 0
        worst: list[tuple[float, str]] = []
        for sheet in sheets:
            text = " ".join((out / f"{sheet.name}.txt").read_text(encoding="utf-8").split())
            gold = " ".join(sheet.gold.split())
            distance = Levenshtein.distance(gold, text)
            errors[sheet.degree].append((distance, len(gold)))
            worst.append((distance / len(gold), sheet.name))
            in_order += sheet.columns == 2 and distance < 0.25 * len(gold)
        two = sum(sheet.columns == 2 for sheet in sheets)
        rates = ", ".join(
            f"{degree} {sum(d for d, _ in found) / max(1, sum(n for _, n in found)):.4f} (goal {GOALS[degree]:g})"
            for degree, found in errors.items()
        )
        print(f"{engine}: CER {rates}; {in_order} of {two} pages of two columns in order; {len(sheets) / seconds:.2f} pages/s")
        print("  worst: " + ", ".join(f"{name} {rate:.3f}" for rate, name in sorted(worst, reverse=True)[:3]))


def read(folder: Path, out: Path, *settings: str) -> float:
    """Read the pages of a folder with the command that users type; how many seconds it took."""
    started = time.perf_counter()
    files = sorted(folder.glob("*.png")) or sorted(folder.glob("*.pdf"))
    command = [sys.executable, "-m", "jobs.ocr_files", "--output", str(out), *settings, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not list(out.glob("*.json")):
        raise SystemExit(done.stderr)
    return time.perf_counter() - started


def speed(folder: Path, number: int) -> None:
    """Beside the tesseract program, two at a time, on the same pages."""
    files = sorted(folder.glob("*.png"))
    environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
    with tempfile.TemporaryDirectory() as other:
        started = time.perf_counter()
        names = "\0".join(map(str, files)).encode()
        command = [
            "xargs",
            "-0",
            "-P2",
            "-I{}",
            "sh",
            "-c",
            f'tesseract "{{}}" "{other}/$(basename {{}})" -l spa -c thresholding_method=2 2>/dev/null',
        ]
        subprocess.run(command, input=names, check=True, env=environment)
        theirs = time.perf_counter() - started
        ours = read(folder, Path(other) / "ours", "engine=tesseract", *SAME)
    print(f"speed: {number} pages, xargs -P2 tesseract {number / theirs:.2f} pages/s, ours {number / ours:.2f}: {theirs / ours:.2f} times")


def scaling(folder: Path, number: int) -> None:
    """Two workers beside one: of all pages, with what Ray takes to start, and of what three quarters of them add to the first quarter."""
    seconds: dict[tuple[int, str], float] = {}
    with tempfile.TemporaryDirectory() as other:
        few = Path(other) / "few"
        few.mkdir()
        for path in sorted(folder.glob("*.png"))[: number // 4]:
            (few / path.name).symlink_to(path)
        for workers in (1, 2):
            for name, pages in (("few", few), ("all", folder)):
                out = Path(other) / f"{name}-{workers}"
                seconds[workers, name] = read(pages, out, f"resources.workers={workers}", "cluster.cpus=2")
    one, two = seconds[1, "all"], seconds[2, "all"]
    steady = (one - seconds[1, "few"]) / (two - seconds[2, "few"]) / 2
    print(
        f"scaling: {number} pages, one worker {one:.1f} s, two {two:.1f} s: efficiency {one / two / 2:.2f}; "
        f"without what a run costs whatever its length {steady:.2f} (goal 0.9)"
    )


def memory(pages: int = 2_000) -> None:
    """The most that a worker and its watched process take for a PDF of many pages."""
    with tempfile.TemporaryDirectory() as folder:
        small = [scanner("mild", seed).scan(Printed(columns=(("una página",) * 25,))).resize((583, 827)) for seed in range(8)]
        save_pdf(Path(folder) / "long.pdf", [small[place % 8] for place in range(pages)])
        size = (Path(folder) / "long.pdf").stat().st_size / 1e6
        command = [
            sys.executable,
            "-m",
            "jobs.ocr_files",
            "--output",
            f"{folder}/out",
            "engine=fake",
            "cluster.cpus=2",
            f"{folder}/long.pdf",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        most: dict[str, float] = {}
        while process.poll() is None:
            for one in _family(process.pid):
                most[one[0]] = max(most.get(one[0], 0.0), one[1])
            time.sleep(0.2)
        told: dict[str, Any] = json.loads((Path(folder) / "out" / "long.json").read_text(encoding="utf-8"))
    assert len(told["pages"]) == pages
    listed = ", ".join(f"{name} {used:.0f} MB" for name, used in sorted(most.items(), key=lambda item: -item[1]))
    print(f"memory: a PDF of {pages:,} pages and {size:.0f} MB: {listed}")


def _family(pid: int) -> Iterator[tuple[str, float]]:
    """What the workers and the processes that they watch take now, in MB."""
    for process in psutil.Process(pid).children(recursive=True) if psutil.pid_exists(pid) else []:
        try:
            line, used = " ".join(process.cmdline()), process.memory_info().rss / 1e6
        except psutil.Error:
            continue
        if "seshat.watched" in line:
            yield "reader", used
        elif "MapWorker" in line:
            yield "worker", used


def main(argv: Sequence[str] | None = None) -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--engines", default="tesseract,rapidocr")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []], default=[])
    asked = parser.parse_args(argv)
    parts = asked.parts or PARTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sheets = printed(asked.pages, folder)
        print(f"{len(sheets)} pages from {'the texts beside the project' if SHARED.is_dir() else 'the sample language'}")
        if "quality" in parts:
            quality(sheets, folder, asked.engines.split(","))
        if "speed" in parts:
            speed(folder, len(sheets))
        if "scaling" in parts:
            scaling(folder, len(sheets))
    if "memory" in parts:
        memory()


if __name__ == "__main__":
    main()
