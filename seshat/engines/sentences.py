"""Vectors of sentences, near each other if the sentences mean the same, whatever their language (LaBSE; Feng et al., 2022)."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seshat.engines.weights import weights_sha256
from seshat.errors import EngineError

BATCH = 32
"""Sentences encoded at once."""


class SentenceEncoder:
    """A model that sentence-transformers reads, on the GPU if a worker has one."""

    def __init__(self, model: str) -> None:
        """``model`` is a folder, or a name on the hub."""
        try:
            from sentence_transformers import SentenceTransformer  # heavy
        except ImportError:
            raise EngineError(
                "align.embeddings needs sentence-transformers: pip install -c constraints.txt -e '.[embeddings]', or leave the model out"
            ) from None
        try:
            self._model = SentenceTransformer(model)
        except (OSError, ValueError) as error:
            raise EngineError(
                f"align.embeddings.model={model}: not a model of sentence-transformers that can be read here ({error})"
            ) from None

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors in the order of the texts (N, D)."""
        if not texts:
            return np.zeros((0, int(self._model.get_embedding_dimension() or 0)), dtype=np.float32)
        found = self._model.encode(list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)


def identity(model: str) -> str:
    """What results depend on: the weights of a folder, the name of a model on the hub."""
    return weights_sha256(model) if os.path.isdir(model) else model
