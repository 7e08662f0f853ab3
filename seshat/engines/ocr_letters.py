"""Which letters an engine can write at all: what its weights do not know it writes as something else, and is sure of it."""

from __future__ import annotations

import glob
import os
import struct
import unicodedata
from collections.abc import Iterable, Sequence

from seshat.engines.ocr import EngineName, model_files, rapidocr_weights, tesseract_weights
from seshat.engines.ocr_learnt import read_card
from seshat.errors import EngineError

_LSTM_LETTERS = 21
"""The place of the letters of the network among the components of a ``traineddata`` file."""


def letters_of(engine: EngineName, languages: Sequence[str], folder: str = "") -> frozenset[str]:
    """The characters that an engine may write, in NFC; none if its weights do not say it."""
    if engine == "tesseract":
        return frozenset(letter for path in tesseract_weights(languages, folder) for letter in _tesseract(path))
    if engine in ("rapidocr", "paddleocr"):
        paths = [path for path in (model_files(folder) if folder else rapidocr_weights()) if path.endswith(".onnx")]
        return frozenset(letter for path in paths for letter in _onnx(path))
    if engine == "learnt":
        return frozenset(read_card(folder).alphabet)
    return frozenset()


def unknown_letters(alphabet: Iterable[str], known: frozenset[str]) -> list[str]:
    """The letters, small or capital, that cannot be written with what an engine knows, in the order of the alphabet."""
    both = (form for letter in alphabet for form in dict.fromkeys((letter, letter.upper())))
    return list(dict.fromkeys(form for form in both if not _is_written(form, known)))


def packs_with(letters: Sequence[str], folder: str = "") -> list[str]:
    """Tesseract's language packs on this machine that know all of some letters."""
    try:
        there = os.path.dirname(tesseract_weights(("eng",), folder)[0])
    except EngineError:
        return []
    packs = sorted(glob.glob(os.path.join(glob.escape(there), "*.traineddata")))
    return [
        os.path.basename(path).removesuffix(".traineddata") for path in packs if not unknown_letters(letters, frozenset(_tesseract(path)))
    ]


def _is_written(letter: str, known: frozenset[str]) -> bool:
    """A letter can be written whole, as its parts (a letter and a combining mark), or character by character (a digraph)."""
    forms = (unicodedata.normalize(form, letter) for form in ("NFC", "NFD"))
    return any(form in known or all(character in known for character in form) for form in forms)


def _tesseract(path: str) -> list[str]:
    """The letters of the network in a language pack; its header says where they are."""
    with open(path, "rb") as stream:
        head = stream.read(4)
        count = int.from_bytes(head, "little") if len(head) == 4 else 0
        table = stream.read(8 * count) if _LSTM_LETTERS < count < 100 else b""
        if not table or len(table) < 8 * count:
            return []  # an old pack without a network, or none at all
        offsets = struct.unpack(f"<{count}q", table)
        start = offsets[_LSTM_LETTERS]
        if start < 0:
            return []
        stop = min((offset for offset in offsets if offset > start), default=-1)
        stream.seek(start)
        data = stream.read(stop - start if stop > 0 else -1)
    lines = data.decode("utf-8", "replace").split("\n")[1:]
    return [unicodedata.normalize("NFC", line.split(" ")[0]) for line in lines if line]


def _onnx(path: str) -> list[str]:
    try:
        import onnxruntime
    except ImportError:
        return []  # whoever wants to read with it is told so
    described = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_modelmeta().custom_metadata_map
    return [unicodedata.normalize("NFC", letter) for letter in described.get("character", "").split("\n") if letter]
