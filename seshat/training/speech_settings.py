"""What ``configs/speech/*.yaml`` sets: how a Whisper is taught to hear a language."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from seshat.config import Section
from seshat.training.settings import Name, Training

SPEECH = "models/speech"
WINDOW = 30.0
"""Seconds that Whisper hears at once; a longer utterance cannot be trained on."""


class SpeechLora(Section):
    """The low-rank adapter, on the attention of encoder and decoder."""

    r: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.05, ge=0, lt=1)
    target_modules: tuple[str, ...] = Field(("q_proj", "k_proj", "v_proj", "out_proj"), min_length=1)
    """Names of linear layers of Whisper; ``fc1`` and ``fc2`` are those of the feed-forward parts."""


class SpeechTraining(Section):
    """One fine-tuning of a speech recogniser."""

    name: Name = "whisper"
    """The folder in ``models/speech``."""
    model: str = "openai/whisper-small"
    """A folder in transformers' format, or the name of a model that was fetched from the hub before. Nothing is downloaded."""
    language: str = ""
    """As which of its languages a multilingual Whisper takes the taught one (``es``), in training and later as
    ``transcribe.language``; empty for a Whisper of one language."""
    lora: SpeechLora = SpeechLora()

    test: float = Field(0.2, gt=0, lt=0.5)
    """The share of recordings that is held out; by the content of the recordings, so that new ones move no old one."""
    salt: str = "seshat"
    """Another salt gives another split."""
    least_recordings: int = Field(8, ge=4)
    """With fewer recordings nothing is trained: what came of it could not be measured."""
    least_utterances: int = Field(20, ge=4)
    beam_size: int = Field(5, ge=1)
    """With which the held-out recordings are heard, before and after."""
    resamples: int = Field(1_000, ge=100)
    """Draws of held-out recordings for the intervals."""

    per_device_train_batch_size: int = Field(4, ge=1)
    """Utterances that are computed at once."""
    gradient_accumulation_steps: int = Field(4, ge=1)
    learning_rate: float = Field(5e-4, gt=0)
    warmup_ratio: float = Field(0.1, ge=0, le=1)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    num_train_epochs: float = Field(5.0, gt=0)
    max_steps: int = Field(0, ge=0)
    """Above 0: so many steps, whatever the epochs."""
    timestamps: float = Field(0.5, ge=0, le=1)
    """The share of utterances that are trained with the times of their beginning and end, as transcribing asks for them; without
    any, a Whisper unlearns to tell times."""
    save_steps: int = Field(50, ge=1)
    save_total_limit: int = Field(2, ge=1)
    logging_steps: int = Field(10, ge=1)
    seed: int = 1
    bf16: Literal["auto"] | bool = "auto"
    """``auto``: on a GPU that is fast at it; a processor computes in 32 bits."""
    gradient_checkpointing: bool = False
    use_gpu: Literal["auto"] | bool = "auto"
    cpus_per_worker: float = Field(1.0, gt=0)
    max_failures: int = Field(2, ge=0)
    """How often a lost worker is started again from the newest checkpoint."""

    @property
    def utterances_per_step(self) -> int:
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    @property
    def run(self) -> Training:
        """The same for the optimizer and the worker of ``train``, of which there is one."""
        shared = ("learning_rate", "weight_decay", "max_grad_norm", "gradient_checkpointing", "use_gpu", "cpus_per_worker", "max_failures")
        return Training(**{name: getattr(self, name) for name in shared})

    def decides(self) -> dict[str, Any]:
        """The settings that the weights and scores depend on, beside base and data."""
        return self.model_dump(mode="json", exclude=set(RESOURCES)) | {"utterances_per_step": self.utterances_per_step}


RESOURCES = frozenset(
    {
        *("name", "per_device_train_batch_size", "gradient_accumulation_steps", "gradient_checkpointing"),
        *("use_gpu", "cpus_per_worker", "max_failures", "save_steps", "save_total_limit", "logging_steps"),
        *("least_recordings", "least_utterances"),
    }
)
"""Settings that the result does not depend on."""
