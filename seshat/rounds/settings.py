"""The settings of back-translation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from seshat.config import Section


class BackTranslate(Section):
    """What is translated, by what, and which of its translations are good enough to train on."""

    engine: Literal["model", "phrases"] = "model"
    """``model``: the adapter that ``training.name`` names; ``phrases``: phrase-based translation (``seshat.phrases``) that learns from
    the training pairs in a minute, without a GPU."""
    text: Literal["taught", "bridge", "both"] = "taught"
    """In which language the sentences of people are that are translated: they teach to translate into that language."""
    ratio: float = Field(1.0, gt=0)
    """The most sentences that are translated, for each pair of people in training: more would drown these."""
    minimum: int = Field(3, ge=1)
    """Words of a sentence."""
    maximum: int = Field(40, ge=1)
    lengths: float = Field(2.0, gt=1)
    """A translation may be so many times as long, or as short, for its source as is usual in training, in characters."""
    copied: float = Field(0.5, ge=0, le=1)
    """The largest share of a translation's words that stand in its source as well."""
    lexicon: float = Field(0.4, ge=0, le=1)
    """The smallest share of content words of which the translation has a word that dictionary or lexicon give for them."""
    round_trip: float = Field(40.0, ge=0, le=100)
    """The smallest chrF++ of the sentence that the engine makes of its translation against the one that it began with."""
    least: float = Field(20.0, ge=0, le=100)
    """The chrF++ on val that the direction which writes the translations must reach, beside being better than its best floor."""
    val: int = Field(300, ge=1)
    """The most sentences of val that are translated in each direction to know that."""
    batch: int = Field(200, ge=1)
    """Sentences that are committed together."""
    force: bool = False
    """Go on though the engine is no better than its floors, or though the last round made val worse."""

    @model_validator(mode="after")
    def _some_length(self) -> BackTranslate:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum: {self.minimum} words are more than maximum={self.maximum}")
        return self
