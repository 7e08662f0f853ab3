"""The model that is trained: a base in 4, 16 or 32 bits with a LoRA on all linear layers.

Legend of the shapes: B rows of the batch, T tokens, D size of the model, V vocabulary, N target tokens.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from seshat.errors import EngineError
from seshat.training.attention import attend_by_example, lengths
from seshat.training.settings import Lora, Training
from seshat.training.targets import narrow_last_layer

EMBEDDINGS = ("embed_tokens", "lm_head")
IGNORED = -100
"""The label of a token that is not trained."""


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
    """The base model in training mode; frozen, unless every weight is to be trained."""
    from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    if getattr(AutoConfig.from_pretrained(folder, local_files_only=True), "quantization_config", None):
        raise EngineError(f"{folder} holds quantised weights: take the 16-bit model of that name; precision=nf4 quantises it by itself")
    dtype = torch.bfloat16 if uses_bf16(training, device) and training.precision != "full" else torch.float32
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
        weight.requires_grad_(training.precision == "full")
    return model.train()


def build(folder: str, training: Training, device: torch.device, rows: Sequence[int] = ()) -> Any:
    """The base model of a folder as it is trained: with its adapter, or whole. ``rows`` are those of new tokens."""
    base = load_base(folder, training, device)
    return base if training.precision == "full" else add_lora(base, training.lora, rows, seed=training.seed)


def keep_four_bits(model: nn.Module) -> None:
    """Forbid bitsandbytes to repack 4-bit weights in place for AVX512-BF16.

    It does so in the first forward pass in eval mode, and every gradient after that is wrong while the loss looks right.
    """
    import bitsandbytes as bnb

    for module in model.modules():
        if isinstance(module, bnb.nn.Linear4bit):
            module.support_avx512bf16_for_cpu = False


def add_lora(model: Any, lora: Lora, rows: Sequence[int] = (), *, seed: int = 1) -> Any:
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
    return adapted


def fuse_lora(model: nn.Module) -> None:
    """Let each LoRA add its product to the layer's while it is computed, instead of scaling and adding a result of that size.

    Every weight is read in its own module, where the shares of FSDP and ZeRO are gathered.
    """
    from peft.tuners.lora import LoraLayer

    for layer in [module for module in model.modules() if isinstance(module, LoraLayer)]:
        if not isinstance(layer.get_base_layer(), nn.Linear) or layer.lora_variant or len(layer.lora_B) != 1:
            continue
        [(name, second)] = layer.lora_B.items()
        second.forward = partial(_add_product, second, layer.scaling[name])
        layer.forward = partial(_with_lora, layer.get_base_layer(), layer.lora_dropout[name], layer.lora_A[name], second)


def _with_lora(base: nn.Module, dropout: nn.Module, first: nn.Module, second: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    added: torch.Tensor = second(first(dropout(hidden)), base(hidden))
    return added


def _add_product(layer: nn.Linear, scaling: float, hidden: torch.Tensor, onto: torch.Tensor) -> torch.Tensor:
    return torch.addmm(onto.flatten(0, -2), hidden.flatten(0, -2), layer.weight.t(), alpha=scaling).view_as(onto)


def trainable(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The weights that are trained, by name; one that is tied appears once."""
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)


class Objective(nn.Module):
    """The sum of the losses of a batch's target tokens, with logits computed for those tokens only."""

    def __init__(self, model: Any, *, bf16: bool = False) -> None:
        """``bf16``: compute in bfloat16, keep what is trained in float32."""
        super().__init__()
        self.model = model
        self._bf16 = bf16
        causal = model.get_base_model() if hasattr(model, "peft_config") else model
        self._parts = (causal, getattr(causal, causal.base_model_prefix), causal.get_output_embeddings())
        """Model without adapter, body and head, in a tuple so that they are not registered a second time."""
        hands_on = any(one.kind is one.VAR_KEYWORD for one in inspect.signature(self._parts[1].forward).parameters.values())
        self._by_example = hands_on and attend_by_example(causal)
        fuse_lora(model)
        self._narrow = hands_on and narrow_last_layer(self._parts[1])

    @property
    def causal(self) -> Any:
        """The model of transformers, without peft's wrapping."""
        return self._parts[0]

    def checkpoint_activations(self) -> None:
        """From now on compute activations again in the backward pass instead of keeping them (Chen et al., 2016)."""
        self.causal.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})

    def forward(self, ids_BT: torch.Tensor, positions_BT: torch.Tensor, labels_BT: torch.Tensor) -> torch.Tensor:
        """Without an attention mask: positions that start again at 0 are where a row's next example begins."""
        _, body, head = self._parts
        targets_N = torch.nonzero(labels_BT.flatten() != IGNORED).flatten()
        more: dict[str, Any] = {"lengths": lengths(positions_BT)} if self._by_example else {}
        if self._narrow and len(targets_N):
            more["targets"] = targets_N
        with torch.autocast(ids_BT.device.type, torch.bfloat16, enabled=self._bf16):  # here, because DeepSpeed turns it off around us
            hidden_BTD = body(input_ids=ids_BT, position_ids=positions_BT, use_cache=False, **more).last_hidden_state
            logits_NV = head(hidden_BTD.flatten(0, 1)[targets_N])
            return nn.functional.cross_entropy(logits_NV.float(), labels_BT.flatten()[targets_N], reduction="sum")
