"""How an answer is chosen from what a model finds likely."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seshat.config import Section


class Decoding(Section):
    """The search for an answer, and its parameters; those of another method than the one that is set do nothing.

    Eikema and Aziz (2020), "Is MAP Decoding All You Need?", and Freitag et al. (2022), "High Quality Rather than High Model
    Probability", for mbr.
    """

    method: Literal["greedy", "beam", "mbr"] = "greedy"
    """greedy takes the most likely token each time, as serving does; beam keeps the likeliest beginnings; mbr (minimum Bayes risk)
    takes the candidate whose chrF++ is highest in expectation, if one of the candidates is the reference."""
    beams: int = Field(5, ge=2)
    """Beginnings that beam search keeps."""
    length_penalty: float = 1.0
    """Beam search divides the log-probability of an answer by its length to this power: more favours longer answers."""
    candidates: Literal["samples", "beams"] = "samples"
    """What mbr chooses from: random samples, all alike likely, or what beam search ends with, each as likely as the model says."""
    samples: int = Field(16, ge=2)
    """Candidates of mbr, if they are samples."""
    temperature: float = Field(0.7, gt=0)
    """Of the samples: 1 draws as the model says, less draws what is likely more often."""
    seed: int = 12345
    """Of the samples; what is drawn for a sentence depends on this and the sentence alone."""

    @property
    def num_samples(self) -> int:
        """How many answers are drawn at random; 0: none."""
        return self.samples if self.method == "mbr" and self.candidates == "samples" else 0

    @property
    def num_beams(self) -> int:
        """How many beginnings beam search keeps; 0: it is not used."""
        return self.beams if self.method == "beam" or (self.method == "mbr" and self.candidates == "beams") else 0

    @property
    def used(self) -> str:
        """The parameters that answers depend on, and no others, for keys of results."""
        names = {"method"}
        names |= {"samples", "temperature", "seed"} if self.num_samples else set()
        names |= {"beams", "length_penalty"} if self.num_beams else set()
        return self.model_dump_json(include=names)

    def __str__(self) -> str:
        search = f"beam search with {self.beams} beams"
        if self.method != "mbr":
            return search if self.method == "beam" else "greedy"
        return "minimum Bayes risk over " + (f"{self.samples} samples" if self.num_samples else f"the answers of {search}")


GREEDY = Decoding()
