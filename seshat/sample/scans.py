"""Pages as a scanner sees them: a little crooked, grey, with noise and a shadow."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import gmtime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seshat.sample.fonts import Font, font_path

if TYPE_CHECKING:
    from PIL.Image import Image

DPI = 200
_WIDTH, _HEIGHT = 1_165, 1_654
"""A5 at 200 dots an inch."""
_MARGIN = 110
_EPOCH = gmtime(1_577_836_800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A page as it was set: columns of lines. An empty line is a gap between paragraphs."""

    columns: tuple[tuple[str, ...], ...]
    size: int = 30
    """Of the letters, in pixels."""
    font: Font = "DejaVuSerif"

    @property
    def text(self) -> str:
        """The lines in reading order, without the gaps: the gold text."""
        return "\n".join(line for column in self.columns for line in column if line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """What a scan does to a page."""

    skew: float = 0.0
    """Degrees."""
    noise: float = 6.0
    """Standard deviation of the grey values, of 255."""
    shadow: float = 0.15
    """How much darker the paper is on its dark side."""
    blur: float = 0.0
    """Of the lens, in pixels."""
    specks: float = 0.0
    """Which share of the page is dirt, a pixel or two across."""
    stains: int = 0
    """How many spots of coffee there are."""
    through: float = 0.0
    """How strongly the print of the other side shines through."""
    rng: np.random.Generator = field(default_factory=lambda: np.random.Generator(np.random.PCG64(0)))

    def scan(self, page: Printed) -> Image:
        """The grey image of a page."""
        from PIL import Image, ImageFilter

        paper = _set(page).rotate(self.skew, resample=Image.Resampling.BICUBIC, fillcolor=255)
        grey = self._used(np.asarray(paper.filter(ImageFilter.GaussianBlur(self.blur)) if self.blur else paper, dtype=np.float32))
        across = np.linspace(0, 1, grey.shape[1], dtype=np.float32)[None, :] ** 2
        down = np.linspace(0.6, 1, grey.shape[0], dtype=np.float32)[:, None]
        light = 1 - self.shadow * across * down
        speckled = grey * light * 0.96 + self.rng.normal(0, self.noise, grey.shape).astype(np.float32)
        return Image.fromarray(np.clip(speckled, 0, 255).astype(np.uint8))

    def _used(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        """A page with the print of its other side, stains and dirt."""
        if self.through:
            grey = (grey * (1 - self.through * (1 - grey[:, ::-1] / 255))).astype(np.float32)
        down, across = (np.arange(size, dtype=np.float32) for size in grey.shape)
        for _ in range(self.stains):
            y, x, radius = self.rng.uniform(0, grey.shape[0]), self.rng.uniform(0, grey.shape[1]), self.rng.uniform(60, 200)
            distance = np.hypot(down[:, None] - y, across[None, :] - x)
            grey = (grey * np.where(distance < radius, 0.75, 1)).astype(np.float32)
        if self.specks:
            dirt = self.rng.random(grey.shape) < self.specks / 2
            dirt |= np.roll(dirt, 1, axis=1)
            grey = np.where(dirt, self.rng.uniform(0, 120, grey.shape), grey).astype(np.float32)
        return grey


def pages(paragraphs: Sequence[str], *, width: int = 46, height: int = 30) -> list[Printed]:
    """Paragraphs set into pages: lines of at most ``width`` letters, at most ``height`` lines a page, a gap between paragraphs."""
    filled: list[list[str]] = [[]]
    for paragraph in paragraphs:
        lines = textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
        if filled[-1] and len(filled[-1]) + 1 + len(lines) > height:
            filled.append([])
        filled[-1] += ["", *lines] if filled[-1] else lines
    return [Printed(columns=(tuple(lines),)) for lines in filled]


def columns(lines: Sequence[str], *, height: int = 40) -> Printed:
    """A page of a dictionary: two columns, read one after the other."""
    return Printed(columns=(tuple(lines[:height]), tuple(lines[height : 2 * height])), size=24, font="DejaVuSans")


def save_pdf(path: Path, images: Sequence[Image]) -> None:
    """A PDF that holds nothing but the images."""
    first, *others = images
    first.save(
        path, save_all=True, append_images=others, resolution=DPI, quality=75, creationDate=_EPOCH, modDate=_EPOCH, producer="seshat"
    )


def save_image(path: Path, image: Image) -> None:
    """A PNG or a JPEG, by the name. The PNG has 32 greys, which is a third of the bytes."""
    if path.suffix == ".png":
        image = image.point([value // 8 * 8 for value in range(256)])
    image.save(path, dpi=(DPI, DPI), quality=80)


def _set(page: Printed) -> Image:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (_WIDTH, _HEIGHT), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(font_path(page.font)), page.size, layout_engine=ImageFont.Layout.BASIC)
    step = round(page.size * 1.5)
    column_width = (_WIDTH - 2 * _MARGIN) // len(page.columns)
    for index, lines in enumerate(page.columns):
        y = _MARGIN
        for line in lines:
            draw.text((_MARGIN + index * (column_width + 20), y), line, font=font, fill=25)
            y += step if line else step // 2
    return image
