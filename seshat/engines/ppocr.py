"""PP-OCR's recogniser up to its last layer: what it sees in a line, before it says which of its characters that is.

The model is the ONNX file that comes with ``rapidocr``. Its last layer is a matrix; a matrix for another alphabet can take its place
(``seshat.engines.ocr_learnt``). Only what is needed of the ONNX format is read here, so that no package for it is.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seshat.engines.ocr import rapidocr_weights
from seshat.engines.weights import sha256
from seshat.errors import EngineError

if TYPE_CHECKING:
    from PIL.Image import Image

HEIGHT = 48
"""Pixels to which every line is scaled."""
_NARROWEST = 16
_GRAPH, _NODE, _INITIALIZER, _OUTPUT = 7, 1, 5, 12
"""Numbers of fields in an ONNX file: of the model's graph, and of the graph's parts."""
_WIRE_VARINT, _WIRE_DOUBLE, _WIRE_BYTES, _WIRE_FLOAT = 0, 1, 2, 5

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LastLayer:
    """The matrix that makes characters of features."""

    characters: tuple[str, ...]
    """Of the columns; the first is the blank of CTC, and empty."""
    weight: Floats
    """[features, characters]"""
    bias: Floats


class PpOcrFeatures:
    """The recogniser without its last layer, on one thread."""

    def __init__(self, path: str = "") -> None:
        """Take the model at ``path``, or the one that comes with ``rapidocr``."""
        try:
            import onnxruntime  # heavy
        except ImportError:
            raise EngineError("Learnt OCR needs the packages rapidocr and onnxruntime: run 'make install'") from None
        self.path = path or recogniser_paths()[0]
        with open(self.path, "rb") as stream:
            self._model = stream.read()
        self._features, self._names = _last_layer(self._model, self.path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(_with_output(self._model, self._features), options)

    def read(self, line: Image) -> Floats:
        """What is seen in a line from left to right: [steps, features]. A step is eight pixels of a line that is 48 high."""
        width = max(_NARROWEST, math.ceil(HEIGHT * line.width / line.height))
        grey = np.asarray(line.convert("L").resize((width, HEIGHT), _bilinear()), dtype=np.float32) / 127.5 - 1
        pixels = np.broadcast_to(grey, (1, 3, HEIGHT, width))
        (found,) = self._session.run([self._features], {self._session.get_inputs()[0].name: np.ascontiguousarray(pixels)})
        return np.asarray(found[0], dtype=np.float32)

    def last_layer(self) -> LastLayer:
        """The layer that was left out."""
        characters = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        weight, bias = (_tensor(self._model, name) for name in self._names)
        return LastLayer(("", *characters, " "), weight, bias)


def recogniser_paths() -> list[str]:
    """The recognition models in the ``rapidocr`` package, by name."""
    found = [path for path in rapidocr_weights() if "_rec_" in os.path.basename(path)]
    if not found:
        raise EngineError("Learnt OCR stands on the models of the package rapidocr, which are not there: run 'make install'")
    return found


def recogniser_path(digest: str) -> str:
    """The model with this SHA-256."""
    for path in recogniser_paths():
        if sha256(path) == digest:
            return path
    raise EngineError(
        f"The OCR model was learnt on top of a recogniser with the SHA-256 {digest[:12]}…, and rapidocr brings another one here: "
        "install the version of rapidocr that the model's card names, or learn again with 'seshat ocr-learn'"
    )


def _bilinear() -> Any:
    from PIL import Image

    return Image.Resampling.BILINEAR


def _last_layer(model: bytes, path: str) -> tuple[str, tuple[str, str]]:
    """The name of what goes into the last matrix product, and the names of its matrix and its bias."""
    graph = next(_fields(model, _GRAPH))
    constants = {_text(initializer, 8) for initializer in _fields(graph, _INITIALIZER)}
    made: dict[str, tuple[str, list[str]]] = {}
    for node in _fields(graph, _NODE):
        inputs = [bytes(name).decode() for name in _fields(node, 1)]
        made.update({bytes(name).decode(): (_text(node, 4), inputs) for name in _fields(node, 2)})
    name, bias = _text(next(_fields(graph, _OUTPUT)), 1), ""
    while name in made:
        operation, inputs = made[name]
        if operation == "MatMul" and inputs[1] in constants and bias:
            return inputs[0], (inputs[1], bias)
        if operation == "Add" and inputs[1] in constants:
            bias = inputs[1]
        elif operation not in ("Softmax", "Identity"):
            break
        name = inputs[0]
    raise EngineError(f"{path} does not end in a linear layer, as PP-OCR's recognisers do: learn on one of those")


def _with_output(model: bytes, name: str) -> bytes:
    """The model with one more output: what is behind a message in protobuf's format is merged into it."""
    return model + _message(_GRAPH, _message(_OUTPUT, _message(1, name.encode())))


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _WIRE_BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def _tensor(model: bytes, name: str) -> Floats:
    """A constant of the graph."""
    for tensor in _fields(next(_fields(model, _GRAPH)), _INITIALIZER):
        if _text(tensor, 8) == name:
            shape = [int(one) for one in _fields(tensor, 1)]
            return np.frombuffer(bytes(next(_fields(tensor, 9))), dtype="<f4").reshape(shape)
    raise AssertionError(name)


def _text(message: Any, field: int) -> str:
    return bytes(next(_fields(message, field))).decode()


def _fields(message: Any, wanted: int) -> Iterator[Any]:
    """The values of one field of a protobuf message: numbers, or views of bytes."""
    view, place = memoryview(message), 0
    while place < len(view):
        key, place = _number(view, place)
        value: Any
        if key & 7 == _WIRE_VARINT:
            value, place = _number(view, place)
        else:
            size = {_WIRE_DOUBLE: 8, _WIRE_FLOAT: 4}.get(key & 7, 0)
            if key & 7 == _WIRE_BYTES:
                size, place = _number(view, place)
            value, place = view[place : place + size], place + size
        if key >> 3 == wanted:
            yield value


def _number(view: memoryview, place: int) -> tuple[int, int]:
    """The number that begins at a place, and the place behind it."""
    number = shift = 0
    while True:
        byte = view[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
