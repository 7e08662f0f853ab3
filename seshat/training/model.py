"""The model that is trained: a base in 4, 16 or 32 bits with a LoRA on all linear layers.

Legend of the shapes: B rows of the batch, T tokens, D size of the model, V vocabulary, N target tokens, H heads, K size of a head.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from seshat.errors import EngineError
from seshat.training.settings import Lora, Training

EMBEDDINGS = ("embed_tokens", "lm_head")
IGNORED = -100
"""The label of a token that is not trained."""
BY_EXAMPLE = "seshat-by-example"
"""What transformers knows our attention by."""
SPECIAL = ("is_causal", "sliding_window", "softcap", "position_bias", "cache")
"""What some models ask of attention beside being causal; they get it from transformers."""


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 saves time here; a processor without its instructions is several times slower with it."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


def uses_bf16(training: Training, device: torch.device) -> bool:
    """The setting ``bf16`` on this device."""
    return has_fast_bf16(device) if training.bf16 == "auto" else training.bf16


def load_base(folder: str, training: Training, device: torch.device) -> Any:
    """The base model, frozen and in training mode."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    dtype = torch.bfloat16 if uses_bf16(training, device) else torch.float32
    quantization = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            quantization_config=quantization if training.precision == "nf4" else None,
            device_map={"": str(device)},
            attn_implementation="sdpa",
            local_files_only=True,
        )
    except (OSError, ValueError) as error:
        raise EngineError(f"{folder}: the base model cannot be loaded ({error}); run 'make download-model' again") from None
    keep_four_bits(model)
    for weight in model.parameters():
        weight.requires_grad_(False)
    return model.train()


def keep_four_bits(model: nn.Module) -> None:
    """Forbid bitsandbytes to repack 4-bit weights in place for AVX512-BF16.

    It does so in the first forward pass in eval mode, and every gradient after that is wrong while the loss looks right.
    """
    import bitsandbytes as bnb

    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False


def add_lora(model: Any, lora: Lora, rows: Sequence[int] = (), *, seed: int = 1, gradient_checkpointing: bool = False) -> Any:
    """The model with a trainable adapter; with ``train_embeddings`` its embeddings and head are trained whole, in fp32.

    Without, only those of their ``rows`` are trained that belong to new tokens (see ``seshat.training.extend``).
    """
    from peft import LoraConfig, get_peft_model

    tied = bool(getattr(model.config, "tie_word_embeddings", False))
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        modules_to_save=list(EMBEDDINGS[:1] if tied else EMBEDDINGS) if lora.train_embeddings else None,
        trainable_token_indices={name: list(rows) for name in EMBEDDINGS} if rows and not lora.train_embeddings else None,
        ensure_weight_tying=lora.train_embeddings and tied,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)  # LoRA's first matrices are drawn
    adapted = get_peft_model(model, config)
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    if gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    return adapted


def trainable(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The weights that are trained, by name; one that is tied appears once."""
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)


def attend_by_example(causal: Any, body: Any) -> bool:
    """Let a model attend within the examples of packed rows only, instead of masking what is between them; whether it can.

    Not on a GPU: it is not made for so many small calls. A model that knows nothing of ``lengths`` gets its mask.
    """
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    hands_on = any(parameter.kind is parameter.VAR_KEYWORD for parameter in inspect.signature(body.forward).parameters.values())
    if causal.device.type != "cpu" or causal.config._attn_implementation not in ("sdpa", BY_EXAMPLE) or not hands_on:
        return False
    ALL_ATTENTION_FUNCTIONS.register(BY_EXAMPLE, _attend)
    ALL_MASK_ATTENTION_FUNCTIONS.register(BY_EXAMPLE, sdpa_mask)
    causal.set_attn_implementation(BY_EXAMPLE)
    return True


def _attend(
    module: nn.Module,
    query_BHTK: torch.Tensor,
    key_BHTK: torch.Tensor,
    value_BHTK: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    lengths: list[int] | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention in each of the examples, which have these ``lengths`` over all rows; with the mask if there are none."""
    if lengths is None or not getattr(module, "is_causal", True) or any(others.get(name) is not None for name in SPECIAL):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        attended: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query_BHTK, key_BHTK, value_BHTK, mask, scaling=scaling, dropout=dropout, **others
        )
        return attended
    rows, heads, tokens, _ = query_BHTK.shape
    grouped = heads != key_BHTK.shape[1]
    examples = (x.transpose(1, 2).flatten(0, 1).transpose(0, 1)[None].split(lengths, dim=2) for x in (query_BHTK, key_BHTK, value_BHTK))
    out = [
        nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=grouped)
        for q, k, v in zip(*examples, strict=True)
    ]
    return torch.cat(out, dim=2).transpose(1, 2).reshape(rows, tokens, heads, -1), None


class Objective(nn.Module):
    """The sum of the losses of a batch's target tokens, with logits computed for those tokens only."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        causal = model.get_base_model() if hasattr(model, "peft_config") else model
        self._parts = (getattr(causal, causal.base_model_prefix), causal.get_output_embeddings())
        """Body and head, in a tuple so that they are not registered a second time."""
        self._by_example = attend_by_example(causal, self._parts[0])

    def forward(self, ids_BT: torch.Tensor, positions_BT: torch.Tensor, labels_BT: torch.Tensor) -> torch.Tensor:
        """Without an attention mask: positions that start again at 0 are where a row's next example begins."""
        body, head = self._parts
        more = {"lengths": _lengths(positions_BT)} if self._by_example else {}
        hidden_BTD = body(input_ids=ids_BT, position_ids=positions_BT, use_cache=False, **more).last_hidden_state
        wanted_BT = labels_BT != IGNORED
        logits_NV = head(hidden_BTD[wanted_BT])
        return nn.functional.cross_entropy(logits_NV.float(), labels_BT[wanted_BT], reduction="sum")


def _lengths(positions_BT: torch.Tensor) -> list[int]:
    """Of the examples of all rows, in their order; what fills up a row counts as one."""
    starts = torch.nonzero(positions_BT.flatten() == 0).flatten()
    ends = torch.cat([starts[1:], starts.new_tensor([positions_BT.numel()])])
    found: list[int] = (ends - starts).tolist()
    return found
