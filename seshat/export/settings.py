"""What a user may set about merging and writing GGUF."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seshat.config import Section
from seshat.rights import Use

Quantization = Literal["Q4_0", "Q8_0", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K"]


class Export(Section):
    """The section ``export:``."""

    quantizations: tuple[Quantization, ...] = ("Q8_0", "Q4_K_M")
    """Smaller files beside F16: Q8_0 is as good as F16, Q5_K_M a third of it, Q4_K_M a quarter."""
    val_sentences: int = Field(100, ge=0)
    """How many sentences of the validation set every file translates: one that loses more chrF++ than 0.5 (Q8_0) or 2 against F16
    is left out. 0: none."""
    stored: Literal["float16", "bfloat16"] = "float16"
    """The type of the merged weights. With float16 the F16 file holds exactly the same numbers; bfloat16 rounds more coarsely."""
    compute: Literal["float32", "bfloat16"] = "float32"
    """The type in which the adapter is added: float32 takes 4 bytes of memory for each weight (14B: 56 GB), bfloat16 half of it."""
    tolerance: float = Field(0.25, gt=0)
    """The largest difference of a logit between the merged model and base plus adapter; a larger one fails the export."""
    compare_nf4_below: int = Field(2_000_000_000, ge=0)
    """Bytes of base weights up to which the merged model is also compared with the NF4 weights of training, for information."""
    near_tie: float = Field(0.05, ge=0)
    """Two best tokens whose logits differ by less are a tie: there rounding may decide otherwise in another program or type."""
    num_prompts: int = Field(64, ge=1)
    """To how many prompts the merged model must answer as base plus adapter, taken from the validation set first."""
    gguf_prompts: int = Field(12, ge=1)
    """To how many of them each GGUF file is compared; llama.cpp takes them one after the other."""
    answer_tokens: int = Field(48, ge=1)
    """How many tokens of each answer are compared."""
    uses: tuple[Use, ...] = ()
    """What the files are for, beside use on this machine: publish_model, serve_public, commercial, publish_text. Refused if a
    source does not allow it."""
    threads: int = Field(0, ge=0, description="of llama.cpp; 0: one for each core")
    min_free: float = Field(1.2, ge=1)
    """Free disk space to have before starting, as a multiple of what will be written."""
