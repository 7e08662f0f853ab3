"""How well lines in an alphabet that no engine knows are read, before and after learning: python -m benchmarks.media_ocr_learn [FOLDER]

FOLDER holds NAME.png (or .bin.png) and NAME.gt.txt for each line. Every row is tested on both halves of the lines (every second one,
by name); what learns or chooses does so on the other half, and never sees the one that it is tested on. The alphabet is given: a
language's letters are known before anybody corrects a line.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps

from seshat.data.confusions import learn as learn_confusions
from seshat.engines.ocr import engine_version, tesseract_weights
from seshat.engines.ppocr import PpOcrFeatures
from seshat.errors import EngineError
from seshat.training.ocr import alphabet, learn, untrained
from seshat.training.ocr_lines import CorrectedLine, error_rate, read_lines
from seshat.training.ocr_rendered import Typesetter, distort, invented
from seshat.training.ocr_settings import OcrLearning

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "media" / "una_lines"
LETTERS = tuple("aāæвcçdeəєfghꜧijklļmnņŋoɵpqrŗsşꞩtţuvwxyzƶь")
"""The Unified Northern Alphabet (1931), as its letters are typed today."""
NUM_RENDERED = 300
Lines = Sequence[CorrectedLine]
Read = Sequence[str]
Reading = tuple[str, float]
"""The text of a line, and how sure the engine is."""
VARIANTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda image: image,
    "wider": lambda image: image.resize((round(image.width * 1.15), image.height), Image.Resampling.BILINEAR),
    "softened": lambda image: image.filter(ImageFilter.GaussianBlur(1.5)),
    "with margins": lambda image: ImageOps.expand(image, (20, 8), 255),
    "inverted": ImageOps.invert,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each way of reading."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        print(f"skipped: {folder} is not there")
        return
    lines = read_lines(str(folder))
    halves = (lines[::2], lines[1::2])
    print(f"{len(lines)} lines, {sum(len(line.text) for line in lines)} characters; CER on each half, and on both with its 95 % interval\n")
    print(f"| {'':<58} | half 1 | half 2 | mean   | both                             | seconds |\n|---|---|---|---|---|---|")
    engines = Engines(lines)
    for name, read in rows(engines).items():
        start, found = time.perf_counter(), [list(read(halves[1 - half], halves[half])) for half in (0, 1)]
        meant = [[line.text for line in half] for half in halves]
        each = [error_rate(one, other).value for one, other in zip(found, meant, strict=True)]
        both = error_rate(found[0] + found[1], meant[0] + meant[1])
        seconds = time.perf_counter() - start + engines.seconds.get(name, 0.0)
        print(f"| {name:<58} | {each[0]:.4f} | {each[1]:.4f} | {sum(each) / 2:.4f} | {both} | {seconds:7.1f} |", flush=True)


class Engines:
    """What engines that have learnt nothing read, computed once."""

    def __init__(self, lines: Lines) -> None:
        self.base = PpOcrFeatures()
        self.known = untrained(self.base.last_layer())
        self.readings: dict[str, dict[str, Reading]] = {}
        self.seconds: dict[str, float] = {}
        for name, change in VARIANTS.items():
            self.add(f"PP-OCR, {name}", lambda change=change: {line.name: self.ppocr(change(line.image)) for line in lines})
        for pack in ("spa", "script/Latin"):
            try:
                engine_version("tesseract", (pack,))
            except EngineError:
                continue
            self.add(f"Tesseract {pack}", lambda pack=pack: tesseract(lines, pack))
            either = self.readings["PP-OCR, as it is"], self.readings[f"Tesseract {pack}"]
            vote = {line.name: max((one[line.name] for one in either), key=lambda reading: reading[1]) for line in lines}
            self.readings[f"the surer of PP-OCR and Tesseract {pack}"] = vote

    def add(self, name: str, read: Callable[[], dict[str, Reading]]) -> None:
        """Read all lines in one way."""
        start = time.perf_counter()
        self.readings[name] = read()
        self.seconds[name] = time.perf_counter() - start

    def ppocr(self, image: Image.Image) -> Reading:
        """What PP-OCR reads in the picture of a line."""
        return self.known.decode(self.base.read(image))

    def texts(self, name: str, lines: Lines) -> list[str]:
        """What one way of reading makes of lines."""
        return [self.readings[name][line.name][0] for line in lines]

    def best(self, lines: Lines) -> str:
        """The way of reading that is best on lines."""
        meant = [line.text for line in lines]
        return min(self.readings, key=lambda name: (error_rate(self.texts(name, lines), meant).value, name))


def rows(engines: Engines) -> dict[str, Callable[[Lines, Lines], Read]]:
    """Ways of reading: given the half to learn from and the half to read."""
    fixed = {name: (lambda _, tested, name=name: engines.texts(name, tested)) for name in engines.readings}
    tables = {
        f"{name}, confusions of the other half": lambda known, tested, name=name: corrected(engines, name, known, tested)
        for name in engines.readings
        if name == "PP-OCR, as it is" or name.startswith("Tesseract")
    }
    return {
        **fixed,
        "best of these on the other half": lambda known, tested: engines.texts(engines.best(known), tested),
        "PP-OCR, confusions of lines set in fonts": lambda _, tested: from_fonts(engines, tested),
        **tables,
        "learnt from alphabet and fonts, no corrected line": lambda _, tested: learnt((), tested, OcrLearning()),
        "learnt from the other half, no fonts": lambda known, tested: learnt(known, tested, OcrLearning(num_rendered=0)),
        "learnt from the other half and fonts": lambda known, tested: learnt(known, tested, OcrLearning()),
    }


def corrected(engines: Engines, name: str, known: Lines, tested: Lines) -> Read:
    """Readings put right by a table that other lines taught."""
    table = learn_confusions(zip(engines.texts(name, known), (line.text for line in known), strict=True))
    return [table.apply(text)[0] for text in engines.texts(name, tested)]


def from_fonts(engines: Engines, tested: Lines) -> Read:
    """Readings put right by a table that invented lines taught, set in the fonts that are installed."""
    characters, rng = alphabet([], LETTERS), random.Random(1)
    setter = Typesetter(characters)
    texts = [invented([one for one in characters if setter.can_set(one)], rng) for _ in range(NUM_RENDERED)]
    table = learn_confusions([(engines.ppocr(distort(setter.set(text, rng), rng))[0], text) for text in texts])
    return [table.apply(text)[0] for text in engines.texts("PP-OCR, as it is", tested)]


def learnt(known: Lines, tested: Lines, plan: OcrLearning) -> Read:
    """What a new last layer reads."""
    model = learn(known, LETTERS, [], plan)
    return [model.read(line) for line in tested]


def tesseract(lines: Lines, pack: str) -> dict[str, Reading]:
    """What Tesseract reads in lines that are scaled to the height that it likes."""
    import tesserocr

    folder = tesseract_weights((pack,), "")[0].removesuffix(f"{pack}.traineddata")
    found = {}
    with tesserocr.PyTessBaseAPI(path=folder, lang=pack, psm=tesserocr.PSM.SINGLE_LINE) as api:
        for line in lines:
            small = line.image.resize((line.image.width // 2, line.image.height // 2), Image.Resampling.LANCZOS)
            api.SetImage(ImageOps.expand(small, 10, 255))
            found[line.name] = (api.GetUTF8Text().strip(), api.MeanTextConf() / 100)
    return found


if __name__ == "__main__":
    main()
