"""Lines of a language set in the fonts that are installed, and what printing and scanning do to lines."""

from __future__ import annotations

import glob
import importlib.util
import os
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import regex

if TYPE_CHECKING:
    from PIL.Image import Image

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/Library/Fonts", "/System/Library/Fonts")
_LEAST_COVERED = 0.8
"""A font that has fewer of the letters is no font for the language; what it lacks comes from another."""
_MOST_FONTS = 40
_SIZES = (44, 52, 60)
_HEIGHT = 96
"""Pixels: twice what the recogniser takes."""
DIGITS = "0123456789"


@dataclass(frozen=True)
class Font:
    """A font file and the letters that it has."""

    path: str
    family: str
    letters: frozenset[str]


class Typesetter:
    """Sets lines in fonts that have most of the letters; a letter that a font lacks is taken from another."""

    def __init__(self, letters: Collection[str]) -> None:
        """Look for fonts in the system's folders and in matplotlib, which brings some."""
        self._fonts = _installed(frozenset(letters))
        self.missing = sorted(letter for letter in letters if not any(letter in font.letters for font in self._fonts))
        """Letters that no font has."""
        covering = [font for font in self._fonts if len(font.letters.intersection(letters)) >= _LEAST_COVERED * len(letters)]
        step = max(1.0, len(covering) / _MOST_FONTS)
        covering = [covering[int(place * step)] for place in range(int(len(covering) / step))]
        self._families = [[font for font in covering if font.family == name] for name in sorted({font.family for font in covering})]

    @property
    def num_fonts(self) -> int:
        """How many fonts lines are set in."""
        return sum(map(len, self._families))

    def can_set(self, text: str) -> bool:
        """True if every letter is in some font."""
        return bool(self._families) and not set(text).intersection(self.missing)

    def set(self, text: str, rng: random.Random) -> Image:
        """A picture of the line, black on white, in any font, size and spacing, cut out as a reader of lines would."""
        from PIL import Image, ImageDraw

        main = rng.choice(rng.choice(self._families))
        size, track, space = rng.choice(_SIZES), rng.choice((0, 0, 0, -1, 1, 2)), rng.uniform(0.8, 2.5)
        image = Image.new("L", (int(len(text) * size * 1.5) + 200, 3 * size), 255)
        draw, across, instead = ImageDraw.Draw(image), 40.0, dict[str, Font]()
        for letter in regex.findall(r"\X", text):
            if letter == " ":
                across += 0.28 * size * space
                continue
            others = [font for font in self._fonts if font.letters.issuperset(letter)]
            font = main if main.letters.issuperset(letter) or not others else instead.setdefault(letter, rng.choice(others))
            face = _face(font.path, size)
            draw.text((round(across), 2 * size), letter, font=face, fill=0, anchor="ls")
            across += face.getlength(letter) + track
        left, top, right, bottom = image.point(lambda grey: 255 - grey).getbbox() or (0, 0, 1, 1)
        top, bottom = top - rng.randint(0, size // 4), bottom + rng.randint(0, size // 4)
        if rng.random() < 0.6:  # the whole height of a line, whatever letters are in it
            top, bottom = min(top, 2 * size - int(0.85 * size)), max(bottom, 2 * size + int(0.3 * size))
        return image.crop((left - rng.randint(0, 12), top, right + rng.randint(0, 30), bottom))


def distort(line: Image, rng: random.Random) -> Image:
    """Another print and another scan of a line: narrower or wider, slanted, thicker or thinner, blurred, with noise, cut otherwise."""
    from PIL import Image, ImageFilter

    scale = _HEIGHT / line.height * rng.uniform(0.9, 1.1)
    width, height = max(8, int(line.width * scale * rng.uniform(0.85, 1.2))), max(8, int(line.height * scale))
    slant, rise = rng.uniform(-0.12, 0.12) if rng.random() < 0.6 else 0.0, rng.uniform(-0.006, 0.006)
    move = (1, slant, -slant * height / 2, rise, 1, -rise * width / 2 + rng.uniform(-4, 4))
    image = line.convert("L").resize((width, height), Image.Resampling.BILINEAR)
    image = image.transform(image.size, Image.Transform.AFFINE, move, resample=Image.Resampling.BILINEAR, fillcolor=255)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.8)))
    grey = np.asarray(image, dtype=np.float32)
    if rng.random() < 0.6:  # black and white: a low threshold makes letters thin, a high one thick
        grey = np.where(grey < rng.uniform(80, 200), 0, 255).astype(np.float32)
    if rng.random() < 0.5:
        noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(2, 30), grey.shape)
        grey = grey + noise.astype(np.float32)
    margins = ((rng.randint(0, 6), rng.randint(0, 6)), (rng.randint(0, 20), rng.randint(0, 40)))
    return Image.fromarray(np.pad(np.clip(grey, 0, 255), margins, constant_values=255).astype(np.uint8))


def invented(letters: Sequence[str], rng: random.Random) -> str:
    """A line of words that nobody ever said: every letter is as frequent as any other, so that rare ones are learnt, too."""
    small = [letter for letter in letters if letter.isalpha() and letter == letter.lower()]
    large = [letter for letter in letters if letter.isalpha() and letter != letter.lower()]
    marks = [letter for letter in letters if not letter.isalnum() and not letter.isspace() and not regex.match(r"\p{M}", letter)]
    said = []
    for _ in range(rng.randint(2, 6)):
        word = "".join(rng.choice(small) for _ in range(rng.randint(2, 9)))
        if large and rng.random() < 0.25:
            word = rng.choice(large) + word[1:]
        if rng.random() < 0.04:
            word = "".join(rng.choice(DIGITS) for _ in range(rng.randint(1, 4)))
        if marks and rng.random() < 0.25:
            word += rng.choice(marks)
        said.append(word)
    return " ".join(said)


@lru_cache
def _face(path: str, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(path, size)


@lru_cache
def _installed(letters: frozenset[str]) -> tuple[Font, ...]:
    """The upright fonts that have any of the letters, by file name."""
    from fontTools.ttLib import TTFont, TTLibError

    folders = [os.path.expanduser(folder) for folder in _FOLDERS]
    matplotlib = importlib.util.find_spec("matplotlib")
    folders += [os.path.join(folder, "mpl-data", "fonts") for folder in (matplotlib.submodule_search_locations or () if matplotlib else ())]
    files = {
        os.path.basename(path): path for folder in folders for path in glob.glob(os.path.join(folder, "**", "*.[to]tf"), recursive=True)
    }
    found = []
    for name in sorted(files):
        try:
            with TTFont(files[name], lazy=True) as font:
                has = letters.intersection(map(chr, font.getBestCmap() or ()))
                family, odd = str(font["name"].getDebugName(1)), bool(font["post"].isFixedPitch or font["post"].italicAngle)
        except (TTLibError, KeyError, OSError):
            continue  # no font that can be set
        if has and not odd and "LastResort" not in name:
            found.append(Font(files[name], family, has))
    return tuple(found)
