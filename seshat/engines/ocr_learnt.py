"""An engine for an alphabet that no engine knows: PP-OCR's eyes, and a last layer that was learnt (``seshat ocr-learn``)."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from seshat.config import Section
from seshat.engines.ocr import WHOLE, Line, is_line, shares
from seshat.engines.ppocr import Floats, PpOcrFeatures, recogniser_path
from seshat.engines.weights import sha256
from seshat.errors import EngineError

if TYPE_CHECKING:
    from PIL.Image import Image

CARD, WEIGHTS = "ocr_card.json", "ocr_head.safetensors"
BLANK = 0


class ErrorRate(Section):
    """Edits for each character of the truth, over all lines, and the 95 % bootstrap interval over the lines."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} (95 %: {self.low:.4f} to {self.high:.4f})"


class Card(Section):
    """What a folder with a learnt last layer says about itself."""

    language: str
    alphabet: tuple[str, ...]
    """The characters of the layer's rows, behind the blank of CTC."""
    base: str
    """The file of the recogniser below it."""
    base_sha256: str
    rapidocr: str
    """The version of the package that brought the recogniser."""
    weights_sha256: str
    num_lines: int
    """Corrected lines that it learnt from."""
    num_rendered: int
    """Lines that were set in fonts."""
    not_rendered: tuple[str, ...] = ()
    """Letters that no font had: known from the corrected lines alone, if from there."""
    tested_on: str
    """In words: on what, or that on nothing."""
    before: ErrorRate | None = None
    """Of the recogniser as it came, on the lines that it was tested on."""
    after: ErrorRate | None = None
    seed: int

    def __str__(self) -> str:
        missing = f"\nnot set, for no font has them: {' '.join(self.not_rendered)}" if self.not_rendered else ""
        rates = f"\ncharacter error rate: before {self.before}, after {self.after}" if self.after else ""
        learnt = f"learnt from {self.num_lines} corrected lines and {self.num_rendered} lines set in fonts"
        return f"{learnt}{missing}\ntested on {self.tested_on}{rates}"


class Head:
    """The learnt last layer, and how its answers become text."""

    def __init__(self, alphabet: tuple[str, ...], weight: Floats, bias: Floats) -> None:
        """Rows of ``weight`` [1 + letters, features] and ``bias``: the blank of CTC, then the letters."""
        self.alphabet, self.weight, self.bias = alphabet, weight, bias

    def decode(self, features: Floats) -> tuple[str, float]:
        """The best letter of every step, repeated ones and blanks left out, and how sure it is of them on average."""
        logits = features @ self.weight.T + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        best = logits.argmax(axis=1)
        sure = 1 / np.exp(logits).sum(axis=1)
        kept = (best != BLANK) & (best != np.concatenate(([BLANK], best[:-1])))
        text = "".join(self.alphabet[letter - 1] for letter in best[kept]).strip()
        return text, float(sure[kept].mean()) if text else 0.0


class LearntOcr:
    """PP-OCR finds the lines; what it sees in them is read by the learnt layer."""

    def __init__(self, folder: str) -> None:
        card = read_card(folder)
        self._head = read_head(folder, card)
        self._features = PpOcrFeatures(recogniser_path(card.base_sha256))
        from rapidocr import RapidOCR  # heavy

        self._detector = RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1})

    def read(self, image: Image) -> list[Line]:
        """One line for each text box that is found; a picture of a single line is not searched for others."""
        if is_line(image):
            text, sure = self.read_line(image)
            return [Line(text, sure, WHOLE)] if text else []
        found = self._detector(np.asarray(image.convert("RGB"))[:, :, ::-1], use_det=True, use_cls=False, use_rec=False)
        lines = []
        for corners in found.boxes if found.boxes is not None else ():
            text, sure = self.read_line(_cut(image, corners))
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            box = shares((float(left), float(top), float(right), float(bottom)), image.width, image.height)
            if text:
                lines.append(Line(text, sure, box))
        return lines

    def read_line(self, image: Image) -> tuple[str, float]:
        """The text of a picture of one line, and how sure it is."""
        return self._head.decode(self._features.read(image))


def learnt_version(folder: str) -> str:
    """What results depend on: the learnt weights, the recogniser below them, and the package that finds the lines."""
    card = read_card(folder)
    identity = hashlib.sha256(card.model_dump_json(include={"alphabet", "base_sha256", "weights_sha256"}).encode()).hexdigest()
    return f"learnt {identity[:12]} rapidocr {importlib.metadata.version('rapidocr')}"


def write_model(folder: str, card: Card, head: Head) -> Card:
    """Save a learnt layer, and its card with the digest of the weights."""
    from safetensors.numpy import save

    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, WEIGHTS)
    weights = {"weight": np.ascontiguousarray(head.weight), "bias": np.ascontiguousarray(head.bias)}
    Path(path).write_bytes(save(weights))  # safetensors' own files are for their owner's eyes only
    card = card.model_copy(update={"weights_sha256": sha256(path)})
    Path(folder, CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return card


def read_card(folder: str) -> Card:
    """The card of a learnt model, whose weights are those that it names."""
    if not folder:
        raise EngineError("The OCR engine learnt needs a model of yours: make one with 'seshat ocr-learn', and set ocr.model to its folder")
    try:
        card = Card.model_validate_json(Path(folder, CARD).read_text(encoding="utf-8"))
        weights = sha256(os.path.join(folder, WEIGHTS))
    except FileNotFoundError as error:
        raise EngineError(
            f"{error.filename} is not there: make the model with 'seshat ocr-learn', and set ocr.model to its folder"
        ) from None
    except ValidationError as error:
        raise EngineError(
            f"{folder}/{CARD} is no card of ours ({error.error_count()} errors): learn again with 'seshat ocr-learn'"
        ) from None
    if weights != card.weights_sha256:
        raise EngineError(f"{folder}/{WEIGHTS} is not what its card was written for: learn again with 'seshat ocr-learn'")
    return card


def read_head(folder: str, card: Card) -> Head:
    """The learnt layer of a folder."""
    from safetensors.numpy import load_file

    tensors = load_file(os.path.join(folder, WEIGHTS))
    return Head(card.alphabet, tensors["weight"], tensors["bias"])


def _cut(image: Image, corners: Floats) -> Image:
    """The quadrilateral of a text box, level."""
    from PIL import Image

    top_left, top_right, bottom_right, bottom_left = corners.astype(float)
    width = max(np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_right - bottom_left))
    height = max(np.linalg.norm(bottom_left - top_left), np.linalg.norm(bottom_right - top_right))
    quad = (*top_left, *bottom_left, *bottom_right, *top_right)
    size = max(1, round(width)), max(1, round(height))
    return image.convert("L").transform(size, Image.Transform.QUAD, quad, resample=Image.Resampling.BICUBIC, fillcolor=255)
