"""What makes a photographed or yellowed page legible to an engine: nothing around it, no specks, an even background, and level lines."""

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


_DARK = 0.6
"""What lies around a page is darker than so much of the paper."""
_WIDENED = 2
"""Pixels of the small copy by which paper is widened, so that ink between it goes."""
_SMALLEST = 0.25
"""A page takes at least so much of its photograph."""


def clear_edges(image: Image) -> Image:
    """Paint the dark table, lid or edge around a grey page like its paper; nothing changes if nothing around it is dark.

    Paper and table are told apart by Otsu's threshold (1979) on a small copy without ink. Only whole rows and columns at the edges
    go, of which less than half is paper, so a dark picture on the page stays.
    """
    from PIL import Image, ImageFilter

    size = (max(1, image.width // _SHRINK), max(1, image.height // _SHRINK))
    small = np.asarray(image.resize(size, Image.Resampling.BOX).filter(ImageFilter.MaxFilter(2 * _WIDENED + 1)))
    paper = small > _otsu(small)
    if paper.all() or not paper.any() or small[~paper].mean() > _DARK * small[paper].mean():
        return image
    left, right = _ends(paper.mean(axis=0))
    top, bottom = _ends(paper[:, left:right].mean(axis=1))
    if not _SMALLEST * paper.size <= (right - left) * (bottom - top) < paper.size:
        return image
    across = slice(left * _SHRINK, image.width if right == size[0] else right * _SHRINK)
    down = slice(top * _SHRINK, image.height if bottom == size[1] else bottom * _SHRINK)
    whole = np.asarray(image)
    painted = np.full_like(whole, np.median(whole[down, across]))
    painted[down, across] = whole[down, across]
    return Image.fromarray(painted)


def _ends(paper: NDArray[np.float64]) -> tuple[int, int]:
    """From the first row (or column) of which enough is paper to one past the last; what the filter has widened is taken back."""
    enough = np.flatnonzero(paper >= 0.5 * paper.max())
    first, last = int(enough[0]), int(enough[-1]) + 1
    return first + (_WIDENED if first else 0), last - (_WIDENED if last < len(paper) else 0)


def _otsu(grey: NDArray[np.uint8]) -> int:
    """The level that parts the darker pixels from the lighter ones so that their means differ most, weighted by their numbers."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    darker, sums = counts.cumsum(), (counts * np.arange(256)).cumsum()
    both = np.maximum(darker * (darker[-1] - darker), 1e-9)
    return int(np.argmax((sums[-1] * darker - darker[-1] * sums) ** 2 / both))


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
