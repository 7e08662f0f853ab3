"""What the spelling rules did: how often each one fired, on how many texts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from seshat.config import Section
from seshat.language import Language
from seshat.records import Document, Entry, Record, SentencePair, Utterance


class RuleUse(Section):
    """What one spelling rule did."""

    pattern: str
    replacement: str
    fired: int
    """How often."""
    texts: int
    """In how many headwords, variants, sentences, paragraphs and utterances. 0: is the rule needed, and is its order right?"""

    def __str__(self) -> str:
        return f"{self.pattern} -> {self.replacement or '(nothing)'}: {self.fired:,} times in {self.texts:,} texts"


def rule_uses(records: Iterable[Record], language: Language) -> tuple[RuleUse, ...]:
    """One for each rule of the language, in their order, from what the records keep of their sources' spelling.

    Rejected records count too. Give what ``ingest`` and ``transcribe`` stored, and documents that stand on scanned pages:
    what ``align`` stored says the same again.
    """
    fired, texts = np.zeros(len(language.spelling), dtype=np.int64), np.zeros(len(language.spelling), dtype=np.int64)
    for record in records:
        for written in _written(record) if language.is_old(record.origin.partition("#")[0]) else ():
            used = np.array(language.rules_used(written), dtype=np.int64)
            fired += used
            texts += used > 0
    return tuple(
        RuleUse(pattern=rule.pattern, replacement=rule.replacement, fired=int(often), texts=int(many))
        for rule, often, many in zip(language.spelling, fired, texts, strict=True)
    )


def _written(record: Record) -> tuple[str, ...]:
    """The texts of a record that its source spells another way; empty ones were not changed."""
    if isinstance(record, Entry):
        return tuple(filter(None, (record.written, *record.written_variants)))
    if isinstance(record, SentencePair):
        return tuple(filter(None, (record.written, record.written_morphemes)))
    if isinstance(record, Document):
        return tuple(filter(None, record.written))
    return (record.written,) if isinstance(record, Utterance) and record.written else ()
