"""What makes a photographed or yellowed page legible to an engine: no specks, an even background, and level lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

_SHRINK = 8
"""The background is looked for on a page so many times smaller."""
_STEPS = 81
_WIDTH = 800
"""Pixels of the small page on which the skew is measured."""


_SPECKS = 0.0004
"""So large a share of a page are specks if it is full of them; dots and marks of letters are larger, and far fewer."""


def despeckle(image: Image) -> Image:
    """Paint over the specks of a grey page that is full of them: ink of at most three pixels across with none beside it."""
    from PIL import Image, ImageFilter

    grey = np.asarray(image)
    ink = (grey < 0.6 * float(np.median(grey))).astype(np.uint8)
    specks = (ink == 1) & (_around(ink, 2) == _around(ink, 1))
    if specks.mean() < _SPECKS:
        return image
    smooth = np.asarray(image.filter(ImageFilter.MedianFilter(5)))
    return Image.fromarray(np.where(specks, smooth, grey).astype(np.uint8))


def _around(ink: NDArray[np.uint8], reach: int) -> NDArray[np.int32]:
    """How many pixels of a square around each are ink."""
    size = 2 * reach + 1
    sums = np.pad(ink, ((reach + 1, reach), (reach + 1, reach))).astype(np.int32).cumsum(axis=0).cumsum(axis=1)
    around: NDArray[np.int32] = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return around


def divide_background(image: Image) -> Image:
    """Divide a grey page by its own paper: shadows, stains and yellowing go, ink stays.

    The paper is what is left of the page when ink is painted over by its surroundings.
    """
    from PIL import Image, ImageFilter

    small = image.resize((max(1, image.width // _SHRINK), max(1, image.height // _SHRINK)), Image.Resampling.BOX)
    paper = small.filter(ImageFilter.MaxFilter(7)).filter(ImageFilter.GaussianBlur(6)).resize(image.size, Image.Resampling.BILINEAR)
    ratio = np.asarray(image, dtype=np.float32) / np.maximum(np.asarray(paper, dtype=np.float32), 1.0)
    return Image.fromarray(np.clip(ratio * 255, 0, 255).astype(np.uint8))


def skew(image: Image, *, widest: float = 5.0) -> float:
    """By how many degrees the lines of a page rise to the right; 0.0 if there is too little ink to tell.

    The right angle is the one at which the sums over the rows differ most (Postl, 1986).
    """
    scale = min(1.0, _WIDTH / image.width)
    small = np.asarray(image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale)))), dtype=np.float32)
    rows, columns = np.nonzero(small < 0.6 * small.mean())
    if len(rows) < 200:
        return 0.0

    def sharpness(angle: float) -> float:
        level = rows + columns * np.tan(np.radians(angle))
        counts = np.bincount((level - level.min()).astype(np.int64))
        return float((counts.astype(np.float64) ** 2).sum())

    angles = np.linspace(-widest, widest, _STEPS)
    best = max(angles, key=lambda angle: (sharpness(float(angle)), -abs(angle)))
    fine = np.linspace(best - 0.125, best + 0.125, 11)
    return float(max(fine, key=lambda angle: sharpness(float(angle))))


def straighten(image: Image) -> Image:
    """Turn a page so that its lines are level; a page that is level within a tenth of a degree is left alone."""
    from PIL import Image

    angle = skew(image)
    return image.rotate(-angle, resample=Image.Resampling.BICUBIC, fillcolor=255) if abs(angle) > 0.1 else image
