"""What a recogniser with CTC (Wav2Vec2 and its kin, as transformers stores them) hears in every fiftieth of a second."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seshat.engines.speech import SAMPLE_RATE, Samples
from seshat.errors import EngineError
from seshat.records import digest

_FRAME = 320
"""Samples from one frame to the next; all models of this make have it."""
_WINDOW = 20 * SAMPLE_RATE
_CONTEXT = 2 * SAMPLE_RATE
"""Samples that are heard at once, and what is heard before and after them for their sake."""
_NEEDED = ("config.json", "vocab.json")


class EmissionsEngine(Protocol):
    """A recogniser that says how probable each of its letters is, frame by frame."""

    letters: tuple[str, ...]
    """Of its columns."""
    blank: int

    def emissions(self, samples: Samples) -> NDArray[np.float32]:
        """Log-probabilities of the letters (T, V), all of the recording in frames of 20 ms."""
        ...


class CtcModel:
    """A folder with the weights of a ``...ForCTC`` model, with its ``vocab.json`` (extra: none; nothing is downloaded)."""

    def __init__(self, folder: str) -> None:
        check_folder(folder)
        try:
            from transformers import AutoModelForCTC  # heavy
        except ImportError:
            raise EngineError("Aligning with a CTC model needs the package transformers: run 'make install'") from None
        try:
            model: Any = AutoModelForCTC.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise EngineError(
                f"{folder}: transformers cannot load it as a CTC model ({error}); save it again with save_pretrained"
            ) from None
        self._model = model.eval().requires_grad_(False)
        self._weight = next(iter(self._model.parameters()))
        vocabulary = _vocabulary(folder)
        self.letters = tuple(vocabulary.get(column, f"<{column}>") for column in range(self._model.config.vocab_size))
        self.blank = int(self._model.config.pad_token_id)
        self._normalises = _normalises(folder)

    def emissions(self, samples: Samples) -> NDArray[np.float32]:
        """Window by window with some context, so that memory does not grow with the recording."""
        padded = np.pad(samples.astype(np.float32), (_CONTEXT, _CONTEXT + _WINDOW))
        heard = [self._window(padded[start : start + _WINDOW + 2 * _CONTEXT]) for start in range(0, max(1, len(samples)), _WINDOW)]
        found: NDArray[np.float32] = np.concatenate(heard)[: len(samples) // _FRAME]
        return found

    def _window(self, piece: Samples) -> NDArray[np.float32]:
        if self._normalises:
            piece = (piece - piece.mean()) / np.sqrt(piece.var() + 1e-7)
        logits: NDArray[np.float32] = self._model(self._weight.new_tensor(piece)[None]).logits[0].float().numpy()
        logits = logits[_CONTEXT // _FRAME :][: _WINDOW // _FRAME]
        return logits - np.float32(np.logaddexp.reduce(logits, axis=1, keepdims=True))


def check_folder(folder: str) -> None:
    """Raise an EngineError if a folder holds no such model; nothing is loaded."""
    present = os.listdir(folder) if os.path.isdir(folder) else []
    missing = [name for name in _NEEDED if name not in present]
    if not any(name.endswith(".safetensors") for name in present):
        missing.append("model.safetensors")
    if missing:
        raise EngineError(
            f"{folder} is no CTC model of transformers (no {', '.join(missing)}): give the folder that save_pretrained wrote, "
            "or leave the setting empty to align without a model"
        )


def model_version(folder: str) -> str:
    """What results depend on: the digest of the weights and the letters."""
    check_folder(folder)
    files = sorted(path for path in Path(folder).iterdir() if path.suffix in (".json", ".safetensors"))
    return "ctc " + digest(*(f"{path.name} {_sha256(path)}" for path in files))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _vocabulary(folder: str) -> dict[int, str]:
    letters = json.loads((Path(folder) / "vocab.json").read_text(encoding="utf-8"))
    if not all(isinstance(column, int) for column in letters.values()):
        raise EngineError(f"{folder}/vocab.json holds the letters of several languages: save the model with those of one of them")
    return {column: letter for letter, column in letters.items()}


def _normalises(folder: str) -> bool:
    """Whether the model was trained on recordings of equal loudness."""
    path = Path(folder) / "preprocessor_config.json"
    return bool(json.loads(path.read_text(encoding="utf-8")).get("do_normalize", True)) if path.is_file() else True
