"""The settings of a review by speakers and linguists."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from seshat.config import PathSetting, Section


class Review(Section):
    """What stands on a review sheet, and where filled sheets come back to."""

    samples: PathSetting = "reports/samples.jsonl"
    """What is reviewed: the samples that an evaluation leaves."""
    sentences: int = Field(30, ge=1)
    """Translations of each direction."""
    others: int = Field(10, ge=0)
    """Cases of each other task and direction."""
    reference: bool = False
    """Show the reference beside the translation; without it, reviewers judge by the source, as speakers do."""
    blind: bool = False
    """Mix our answers with references and word-by-word glosses, so that reviewers do not know which is which."""
    delimiter: Literal[",", ";", "\t"] = ","
    """Of the CSV file; Excel set to Spain or most of Latin America opens ``;`` into columns."""
    returned: PathSetting = "data/raw/reviews"
    """Where filled sheets are read from: a folder, or one file."""

    @model_validator(mode="after")
    def _blind_or_reference(self) -> Review:
        if self.blind and self.reference:
            raise ValueError("blind and reference exclude each other: who sees the reference knows which answer it is")
        return self
