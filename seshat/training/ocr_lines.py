"""Lines of scans that people have corrected, and how wrong a reading of them is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seshat.engines.ocr_learnt import ErrorRate
from seshat.errors import ConfigError, DataError
from seshat.records import digest

if TYPE_CHECKING:
    from PIL.Image import Image

TEXT = ".gt.txt"
IMAGES = (".png", ".bin.png", ".nrm.png", ".jpg", ".jpeg", ".tif", ".tiff")
"""What follows a line's name: as it was scanned, or as tools of the field save it in black and white or in grey."""
_RESAMPLES = 2_000


@dataclass(frozen=True)
class CorrectedLine:
    """A picture of one line, and what stands in it."""

    name: str
    text: str
    """In NFC, with single spaces."""
    image: Image
    """Grey."""


def read_lines(folder: str) -> list[CorrectedLine]:
    """The lines of a folder by name: ``NAME.png`` (or ``.bin.png``, ``.jpg`` ...) beside ``NAME.gt.txt``.

    One without the other is refused: a line that is left out in silence would be missed by nobody.
    """
    if not Path(folder).is_dir():
        raise DataError(f"{folder} is no folder: --lines takes the folder with NAME.png and NAME{TEXT} for each line")
    texts = {path.name.removesuffix(TEXT): path for path in sorted(Path(folder).glob(f"*{TEXT}"))}
    images: dict[str, Path] = {}
    for path in sorted(Path(folder).iterdir()):
        suffix = max((one for one in IMAGES if path.name.lower().endswith(one)), key=len, default="")
        if suffix:
            images.setdefault(path.name[: -len(suffix)], path)
    for name in sorted(images.keys() - texts.keys()):
        raise DataError(f"{images[name]} has no text: write what the line says into {name}{TEXT}, or take the image away")
    for name in sorted(texts.keys() - images.keys()):
        raise DataError(f"{texts[name]} has no image: put {name}.png beside it, or take the text away")
    if not texts:
        raise DataError(f"{folder} holds no lines: it needs NAME.png and NAME{TEXT} for each line")
    return [_read(name, texts[name], images[name]) for name in texts]


def divide(lines: Sequence[CorrectedLine], held_out: float) -> tuple[list[CorrectedLine], list[CorrectedLine]]:
    """The lines to learn from, and a share to test on: decided by the text, so that equal lines are on one side."""
    if not 0 <= held_out < 1:
        raise ConfigError(f"command line: --held-out {held_out:g} is no share of the lines: give one from 0 (no test) to below 1")
    tested: set[str] = set()
    for text in sorted({line.text for line in lines}, key=lambda text: digest("ocr-learn", text)):
        if sum(line.text in tested for line in lines) < held_out * len(lines):
            tested.add(text)
    learnt = [line for line in lines if line.text not in tested]
    if lines and not learnt:
        raise DataError(f"of {len(lines)} lines none is left to learn from: hold out less than {held_out:g}, or correct more lines")
    return learnt, [line for line in lines if line.text in tested]


def read_texts(paths: Iterable[str]) -> list[str]:
    """The lines of text files."""
    found: list[str] = []
    for path in paths:
        try:
            lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise DataError(f"{path} is not UTF-8 text: save it as plain text in UTF-8") from None
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}): --text takes text files of the language") from None
        found += [text for line in lines if (text := tidy(line))]
    return found


def apart(texts: Iterable[str], tested: Sequence[CorrectedLine]) -> list[str]:
    """The texts in which none of the lines stands that will be tested on."""
    return [text for text in texts if not any(line.text in text for line in tested)]


def error_rate(read: Sequence[str], meant: Sequence[str]) -> ErrorRate:
    """How wrong lines were read. Without lines it is an error, for there is nothing to say."""
    from rapidfuzz.distance import Levenshtein

    edits = np.array([Levenshtein.distance(tidy(one), other) for one, other in zip(read, meant, strict=True)])
    lengths = np.array([len(one) for one in meant])
    drawn = np.random.default_rng(1).integers(0, len(edits), (_RESAMPLES, len(edits)))
    low, high = np.percentile(edits[drawn].sum(axis=1) / lengths[drawn].sum(axis=1), [2.5, 97.5])
    return ErrorRate(value=float(edits.sum() / lengths.sum()), low=float(low), high=float(high))


def tidy(text: str) -> str:
    """NFC, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _read(name: str, text: Path, image: Path) -> CorrectedLine:
    from PIL import Image, UnidentifiedImageError

    try:
        said = tidy(text.read_text(encoding="utf-8-sig"))
        with Image.open(image) as opened:
            grey = opened.convert("L")
    except UnicodeDecodeError:
        raise DataError(f"{text} is not UTF-8: save it as UTF-8") from None
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"{image} cannot be read as a picture ({error}): take it and its text away, or save it again") from None
    if not said:
        raise DataError(f"{text} is empty: write what the line says, or take it and its image away")
    return CorrectedLine(name, said, grey)
