"""Optical character recognition: what an engine is to Seshat, two engines that need no hub, and one that needs nothing."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from seshat.config import environment
from seshat.engines.threads import LIMIT
from seshat.errors import DataError, EngineError

if TYPE_CHECKING:
    from PIL.Image import Image

EngineName = Literal["tesseract", "rapidocr", "paddleocr", "learnt", "fake"]
GARBAGE: Mapping[EngineName, float] = {"tesseract": 0.6, "rapidocr": 0.82, "paddleocr": 0.82, "learnt": 0.82, "fake": 0.6}
"""What an engine is less sure of is probably nothing it knows: upside-down pages stand at 0.35 with Tesseract and about 0.73 with
PP-OCR, legible ones above 0.9 and 0.95."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of the page's width and height."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text on a page."""

    text: str
    confidence: float
    """From 0 to 1."""
    box: Box

    @property
    def height(self) -> float:
        """A share of the page's height."""
        return self.box[3] - self.box[1]


class OcrEngine(Protocol):
    """A recogniser with its weights loaded."""

    def read(self, image: Image) -> list[Line]:
        """The lines of a page in any order; none for an empty page."""
        ...


def load_engine(name: EngineName, languages: Sequence[str], folder: str = "") -> OcrEngine:
    """The engine of a name, with the weights of a folder if one is named; an EngineError says what to install."""
    if name == "tesseract":
        return Tesseract(languages, folder)
    if name == "paddleocr":
        from seshat.engines.ocr_paddle import PaddleOcr

        return PaddleOcr(folder)
    if name == "learnt":
        from seshat.engines.ocr_learnt import LearntOcr

        return LearntOcr(folder)
    return RapidOcr() if name == "rapidocr" else FakeOcr()


def engine_version(name: EngineName, languages: Sequence[str], folder: str = "") -> str:
    """What results depend on: the library's version and the digest of its weights. Cheap: nothing is loaded."""
    if name == "fake":
        return "fake 1"
    if name == "learnt":
        from seshat.engines.ocr_learnt import learnt_version

        return learnt_version(folder)
    package = {"tesseract": "tesserocr"}.get(name, name)
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise EngineError(f"The OCR engine {name} needs the package {package}: run 'make install', or pip install {package}") from None
    weights = tesseract_weights(languages, folder) if name == "tesseract" else model_files(folder) if folder else rapidocr_weights()
    digests = " ".join(f"{os.path.basename(path)}:{_sha256(path)[:12]}" for path in weights)
    how = "sauvola " if name == "tesseract" else ""
    return f"{package} {version} {how}{digests}".strip()


_SAUVOLA = "2"
"""How Tesseract tells ink from paper: place by place (Sauvola and Pietikäinen, 2000), so that stains stay paper."""


class Tesseract:
    """Tesseract through ``tesserocr`` (its wheel brings the program; the language packs come from the system)."""

    def __init__(self, languages: Sequence[str], tessdata: str = "") -> None:
        try:
            with _one_thread():
                import tesserocr  # heavy
        except ImportError:
            raise EngineError(
                "The OCR engine tesseract needs the package tesserocr: run 'make install', or pip install tesserocr"
            ) from None
        folder = os.path.dirname(tesseract_weights(languages, tessdata)[0])
        self._word, self._line = tesserocr.RIL.WORD, tesserocr.RIL.TEXTLINE
        self._api = tesserocr.PyTessBaseAPI(path=folder, lang="+".join(languages), psm=tesserocr.PSM.AUTO)
        self._api.SetVariable("thresholding_method", _SAUVOLA)

    def read(self, image: Image) -> list[Line]:
        """Tesseract's text lines, cut where a gap is too wide for a space: it runs lines of two columns into one.

        Words of white space (of which it is sure) are left out.
        """
        try:
            self._api.SetImage(image)
            self._api.Recognize()
        except RuntimeError as error:
            raise DataError(f"Tesseract cannot read a picture of {image.width} x {image.height} pixels ({error})") from None
        pieces: list[list[Line]] = []
        found = self._api.GetIterator()
        begins = True
        while found is not None:
            begins = begins or found.IsAtBeginningOf(self._line)
            box = found.BoundingBox(self._word)
            text = (found.GetUTF8Text(self._word) or "").strip() if box else ""
            if text:
                word = Line(text, found.Confidence(self._word) / 100, shares(box, image.width, image.height))
                if not pieces or begins or _is_far(pieces[-1][-1], word, image):
                    pieces.append([])
                    begins = False
                pieces[-1].append(word)
            if not found.Next(self._word):
                break
        self._api.Clear()
        return [_joined(words) for words in pieces]


class RapidOcr:
    """PP-OCR models that come with the ``rapidocr`` package, on the ONNX runtime; they know neither ``¡`` nor ``ẽ``."""

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR  # heavy
        except ImportError:
            raise EngineError(
                "The OCR engine rapidocr needs the packages rapidocr and onnxruntime: pip install rapidocr onnxruntime"
            ) from None
        self._engine = RapidOCR(
            params={"Global.log_level": "error", "Global.use_cls": False, "EngineConfig.onnxruntime.intra_op_num_threads": 1}
        )

    def read(self, image: Image) -> list[Line]:
        """One line for each text box that it detects; a picture of a single line is not searched for others."""
        import numpy as np

        picture = np.asarray(image.convert("RGB"))[:, :, ::-1]
        if is_line(image):
            whole = self._engine(picture, use_det=False, use_cls=False, use_rec=True)
            return [Line(text.strip(), float(score), WHOLE) for text, score in zip(whole.txts or (), whole.scores or ()) if text.strip()]
        found = self._engine(picture)
        if found.boxes is None:
            return []
        lines = []
        for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            if text.strip():
                box = (float(left), float(top), float(right), float(bottom))
                lines.append(Line(text.strip(), float(score), shares(box, image.width, image.height)))
        return lines


class FakeOcr:
    """Reads how dark the rows of a page are and calls every band of ink ``line`` with its number: for tests without weights."""

    def read(self, image: Image) -> list[Line]:
        """One line for each run of rows that hold ink, from top to bottom."""
        import numpy as np

        ink = (np.asarray(image.convert("L")) < 128).any(axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], ink.astype(int), [0]))))
        bands = zip(edges[::2], edges[1::2], strict=True)
        return [
            Line(f"line {number}", 1.0, (0.0, float(top) / image.height, 1.0, float(bottom) / image.height))
            for number, (top, bottom) in enumerate(bands, 1)
        ]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """A library that is loaded here has one thread: Tesseract's cost more than they bring, and workers share the cores.

    The variable must not stay: other libraries, and processes that are started later, compute wrong numbers with it (see ``threads``).
    """
    before = os.environ.get(LIMIT)
    os.environ[LIMIT] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[LIMIT]
        else:
            os.environ[LIMIT] = before


def is_line(image: Image) -> bool:
    """True for a picture of one printed line, as people cut them out to teach or test an engine."""
    return bool(image.height <= _LINE_HEIGHT and image.width > 2 * image.height)


def _is_far(before: Line, after: Line, image: Image) -> bool:
    gap = (after.box[0] - before.box[2]) * image.width
    return bool(gap > _WIDEST_SPACE * max(before.height, after.height) * image.height)


def _joined(words: Sequence[Line]) -> Line:
    length = sum(len(word.text) for word in words)
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    return Line(
        " ".join(word.text for word in words),
        sum(word.confidence * len(word.text) for word in words) / length,
        (min(lefts), min(tops), max(rights), max(bottoms)),
    )


def shares(box: Sequence[float], width: int, height: int) -> Box:
    """A box in pixels as shares of the width and height of its page."""
    left, top, right, bottom = box
    return left / width, top / height, right / width, bottom / height


def tesseract_weights(languages: Sequence[str], tessdata: str) -> list[str]:
    """The files of the language packs, all from the first folder that holds them."""
    folders = [tessdata] if tessdata else [folder for pattern in _TESSDATA for folder in sorted(glob.glob(pattern), reverse=True)]
    prefix = environment("TESSDATA_PREFIX")
    folders = [prefix, *folders] if prefix and not tessdata else folders
    for folder in folders:
        paths = [os.path.join(folder, f"{language}.traineddata") for language in languages]
        if all(os.path.isfile(path) for path in paths):
            return paths
    packs = " ".join(f"tesseract-ocr-{language}" for language in languages)
    raise EngineError(
        f"Tesseract's language packs for {', '.join(languages)} are not in {', '.join(folders) or 'any usual folder'}: "
        f"apt-get install tesseract-ocr {packs} (macOS: brew install tesseract-lang), or set ocr.tessdata to their folder"
    )


WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_LINE_HEIGHT = 160
"""Pixels; a page is higher."""
_WIDEST_SPACE = 2.0
"""Times the height of a line's letters; a wider gap lies between columns."""
_TESSDATA = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)


def model_files(folder: str) -> list[str]:
    """All files of a folder of models, in order."""
    found = sorted(path for path in glob.glob(os.path.join(glob.escape(folder), "**"), recursive=True) if os.path.isfile(path))
    if not found:
        raise EngineError(f"ocr.model: {folder} holds no models: set it to the folder of PaddleOCR's models, or to nothing for rapidocr's")
    return found


def rapidocr_weights() -> list[str]:
    """The models that come with the package rapidocr."""
    package = importlib.util.find_spec("rapidocr")
    folders = list(package.submodule_search_locations or ()) if package else []
    return sorted(path for folder in folders for path in glob.glob(os.path.join(folder, "models", "*.onnx")))


def _sha256(path: str) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
