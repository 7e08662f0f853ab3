"""The last look before training files are written: what was meant to be impossible stops the run here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from seshat.data.duplicates import NearTexts, bare
from seshat.data.split import OF_ENTRY, is_long
from seshat.errors import DataError
from seshat.records import Example

SHOWN = 3
"""Findings that an error names."""
LEAST_INSTRUCTION = 8
"""Characters of an instruction by which an answer that repeats it is recognised."""


def check_examples(examples: Mapping[str, Sequence[Example]], near: float) -> None:
    """Stop if an answer begins with its instruction, or if a text of the test or validation part is trained on.

    Independent of how the split was made: it sees what is about to be written. ``near`` is the Jaccard index of character n-grams
    from which two texts are near-duplicates. The words of a dictionary are apart: they stand in many sentences.

    Raises:
        DataError: With the number of findings and some of them.
    """
    for one in chain.from_iterable(examples.values()):
        instruction = one.prompt.partition(one.source)[0].strip() if one.source else one.prompt
        if len(instruction) >= LEAST_INSTRUCTION and one.answer.startswith(instruction):
            raise DataError(
                f"format: the answer of example {one.id} ({one.origin}) begins with its instruction ({instruction!r}): the model would "
                "learn to repeat it; look at the prompts and at the source"
            )
    apart = _texts(chain(examples.get("test", ()), examples.get("val", ())))
    trained = _texts(examples.get("train", ()))
    found = [(key, apart[key], trained[key]) for key in trained.keys() & apart.keys()]
    index = NearTexts([key for key in apart if is_long(key)], near)
    asked = [key for key in trained if is_long(key) and key not in apart]
    found += [(asked[place], apart[index.texts[other]], trained[asked[place]]) for place, other in index.near(asked)]
    if found:
        shown = "; ".join(f"{text[:60]!r} of {test.origin} in {train.origin}" for text, test, train in sorted(found, key=_text)[:SHOWN])
        raise DataError(
            f"format: {len(found):,} texts of the training part stand in the test or validation part too, or nearly (Jaccard index of at "
            f"least {near:g}): {shown}. Split by document and content (format), not by example"
        )


def _text(finding: tuple[str, Example, Example]) -> str:
    return finding[0]


def _texts(examples: Iterable[Example]) -> dict[str, Example]:
    """The bare texts that examples are about, each with the first that says it; of a dictionary, what is as long as a sentence."""
    said: dict[str, Example] = {}
    for one in examples:
        if one.task in ("translation", "dictionary"):
            texts: tuple[str, ...] = (one.source, one.answer)
        elif one.task == "completion":
            texts = (f"{one.source} {one.answer}",)
        else:
            texts = (one.source,)
        for text in texts:
            said.setdefault(text, one)
    found: dict[str, Example] = {}
    for text, one in said.items():
        key = bare(text)
        of_entry = one.task == "dictionary" or one.group.startswith(OF_ENTRY)
        if key and (is_long(key) or not of_entry):
            found.setdefault(key, one)
    return found
