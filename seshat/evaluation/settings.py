"""The settings of an evaluation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from seshat.config import PathSetting, Section
from seshat.engines.decoding import Decoding


class TestFiles(Section):
    """An external test set: two text files, line by line the same sentences."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    text: PathSetting = ""
    """The side in the language that is taught."""
    translation: PathSetting = ""
    """The side in the bridge language."""

    @model_validator(mode="after")
    def _both_or_none(self) -> TestFiles:
        if bool(self.text) != bool(self.translation):
            raise ValueError("text and translation must be given together: two files, line by line the same sentences")
        return self

    def __bool__(self) -> bool:
        return bool(self.text)


class Published(Section):
    """What others have scored in one direction, to be shown beside the floors. Only figures on the same test set compare."""

    scores: dict[Literal["chrf++", "bleu"], Annotated[float, Field(ge=0, le=100)]] = Field(min_length=1)
    """By metric: chrf++, bleu or both."""
    source: str = Field(min_length=1)
    """Which system, who published it, on which test set."""


class Generation(Section):
    """Where answers are made, and how many at once."""

    engine: Literal["auto", "transformers", "vllm"] = "auto"
    """auto is vLLM where it is installed and there is a GPU, else transformers."""
    actors: int = Field(0, ge=0)
    """How many copies of the model work side by side, each in memory; 0: one for each GPU, without any one for each machine."""
    cpus: int = Field(0, ge=0)
    """Cores of each of them; 0: one beside a GPU; without one they share all cores of their machines."""
    batch_size: int = Field(0, ge=0)
    """Prompts that a model is given at once; 0: 32 for transformers, 256 for vLLM."""


class Evaluation(Section):
    """What is scored, on what, and how surely."""

    test: TestFiles = TestFiles()
    """An external test set in place of the translations of ``data/training/test.jsonl``."""
    max_test: int = Field(1_000, ge=1)
    """The most test sentences of one direction of translation; a larger set is sampled by content."""
    max_other: int = Field(200, ge=1)
    """The most test cases of one direction of any other task."""
    decoding: Decoding = Decoding()
    """How the model searches for its answers."""
    generation: Generation = Generation()
    """Where and how many at once; of this, results depend on the engine alone."""
    calibration: int = Field(500, ge=0)
    """How many validation translations of each direction confidence is learnt from; 0 leaves it out."""
    base_sample: int = Field(100, ge=0)
    """How many test translations of each direction the base model without training is asked for; 0 leaves it out."""
    perplexity_sample: int = Field(200, ge=0)
    """How many monolingual texts the perplexity is measured on; 0 leaves it out."""
    monolingual: PathSetting = ""
    """Unseen text of the language, one a line, for the perplexity; empty: the test sentences."""
    gloss_minimum: float = Field(0.05, ge=0, le=1)
    """The gloss floor drops words whose best translation is weaker than this (function words, mostly)."""
    phrases: bool = True
    """Whether phrase-based translation is among the floors: a minute of a processor for 30,000 pairs, a tenth of a second a sentence."""
    published: dict[str, Published] = {}
    """By direction (``spa-shp``): the figure that ours is measured against; skill is how far we are from the gloss to it."""
    samples: int = Field(40, ge=0)
    """How many translations of each direction the report shows."""
    bootstrap: int = Field(1_000, ge=100)
    """How many resamples the 95 % intervals rest on."""
    seed: int = 12345
