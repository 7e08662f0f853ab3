"""A limit of threads under which PyTorch computes wrong numbers without a word.

Measured with torch 2.13 on a processor with AVX512-BF16: where ``OMP_THREAD_LIMIT`` is below the number of threads that PyTorch has, a
product of two bfloat16 matrices is wrong by its whole size, or not a number. Tesseract's users set that variable.
"""

from __future__ import annotations

from seshat.config import environment
from seshat.errors import EngineError

LIMIT = "OMP_THREAD_LIMIT"


def check_threads(num_threads: int) -> None:
    """Refuse to compute with ``num_threads`` where fewer may run."""
    limit = environment(LIMIT)
    if limit.isdecimal() and int(limit) < num_threads:
        raise EngineError(
            f"{LIMIT}={limit} is set, and PyTorch has {num_threads} threads: its products of 16-bit matrices would be wrong. "
            f"Take the variable away, and set OMP_NUM_THREADS={limit} instead"
        )
