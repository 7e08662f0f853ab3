"""How well the tokenizer of a base model fits the language: ``make tokenizer-analysis``.

Measured on sentence pairs, so that both languages say the same things. *Fertility* is tokens per word; its ratio to the
bridge language is what the rules of thumb are about: below 2 the tokenizer is fine, between 2 and 3 training is slower,
above 3 think about extending the vocabulary. *Parity* is tokens for the same content, which is what training and
translation really pay; it is lower than the ratio of fertilities where words are long and sentences have few of them.

Extending the vocabulary (advanced, ``make tokenizer-extend``; ``seshat/training/extend.py``). New merges are learnt on the
training text of the language and added behind the base's own, with new rows of the embedding and the output layer, each begun
as the mean of the rows of the old tokens that it replaces; these rows are trained with the adapter, all others stay. What it
bought when it was measured for languages of this kind on the Qwen vocabulary (fertility ratios 1.7 to 2.4, parity 1.4 to 1.5):
500 merges save 21-25 % of the tokens, 2,000 save 32-35 %. A gain in quality has not been established, and a
language with little text hardly trains the new rows. So it is offered above a ratio of 3 and never done unasked: measure
chrF++ with and without, and keep what wins.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, computed_field

from seshat.config import Section, to_yaml
from seshat.errors import EngineError, StoreError
from seshat.language import Language, words
from seshat.preview import about_to_make
from seshat.records import SentencePair, digest
from seshat.step import Outcome
from seshat.store import PROCESSED, Manifest, Store

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FOLDER = f"{PROCESSED}/tokenizer"
ANALYSIS = f"{FOLDER}/analysis.json"
FINE, SLOWER = 2.0, 3.0
"""Ratios of fertility: below the first the tokenizer is fine, above the second think about extending the vocabulary."""
OFFERED = 500
"""New tokens to begin with: they save two thirds of what four times as many do."""


class TokenizerAnalysis(Section):
    """How the tokenizer is measured."""

    sample: int = Field(2_000, ge=1)
    """The most sentence pairs that are looked at, taken in the order of their content's digests."""


class LanguageFigures(Section):
    """What the tokenizer does to one of the two languages."""

    model_config = ConfigDict(extra="ignore")  # what is computed is written for other readers, and computed again

    code: str
    num_words: int
    num_characters: int
    num_tokens: int
    partial_bytes: float
    """The share of tokens that are only a part of a character."""
    unknown: float
    """The share of tokens that stand for something the vocabulary lacks."""
    whole_words: float
    """The share of words that are one token, as they stand in running text."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def fertility(self) -> float:
        """Tokens per word."""
        return self.num_tokens / max(1, self.num_words)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def characters_per_token(self) -> float:
        """Higher is cheaper."""
        return self.num_characters / max(1, self.num_tokens)


class Letter(Section):
    """A letter of the language, alone."""

    letter: str
    tokens: int
    """How many tokens it takes; 1 if it is handled natively."""
    uses: int
    """How often it stands in the sample."""


class Analysis(Section):
    """The result of an analysis; ``data/processed/tokenizer/analysis.json``."""

    model_config = ConfigDict(extra="ignore")

    tokenizer: str
    vocabulary: int
    byte_level: bool
    """Whatever is not in the vocabulary is spelt in bytes, so that there is no unknown token."""
    num_pairs: int
    language: LanguageFigures
    bridge: LanguageFigures
    letters: tuple[Letter, ...]
    """Those of the alphabet, or those of the sample if the language has no alphabet; small and capital."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float:
        """Fertility of the language over fertility of the bridge language."""
        return self.language.fertility / max(1e-9, self.bridge.fertility)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def parity(self) -> float:
        """Tokens of the language over tokens of the bridge language, for the same content."""
        return self.language.num_tokens / max(1, self.bridge.num_tokens)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def coverage(self) -> float:
        """The share of letters in the sample that are handled natively, counted as often as they are used."""
        uses = sum(letter.uses for letter in self.letters)
        return sum(letter.uses for letter in self.letters if letter.tokens == 1) / max(1, uses)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def recommendation(self) -> str:
        """What the rules of thumb say."""
        cost = f"A sentence takes {self.parity:.2f} times the tokens of its {self.bridge.code} translation."
        if self.ratio < FINE:
            return f"The tokenizer is fine: proceed. {cost}"
        if self.ratio <= SLOWER:
            return f"Acceptable, but training will be slower. {cost}"
        return (
            f"Consider extending the vocabulary (advanced): make tokenizer-extend ARGS='extend.tokens={OFFERED}', and the same "
            "setting for make train. It makes texts shorter; that it helps quality has not been established: measure chrF++ with and "
            f"without it. {cost}"
        )

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def tokenizer_analysis(settings: TokenizerAnalysis, language: Language, store: Store, base: str) -> tuple[Outcome, Analysis]:
    """Analyse the tokenizer in the folder ``base`` on the pairs that ``align`` kept, and store the result.

    A second run on the same tokenizer, pairs and settings reads what is stored.
    """
    begun = perf_counter()
    pairs = store.require("align", needed_by="tokenizer-analysis")
    path = os.path.join(base, "tokenizer.json")
    data = _read(path)
    fingerprint = digest(pairs.fingerprint, data, language.model_dump_json(), settings.model_dump_json())
    if store.done(FOLDER, fingerprint):
        analysis = Analysis.model_validate_json(store.read(ANALYSIS))
        return _outcome(analysis, perf_counter() - begun, done_before=True), analysis
    about_to_make("tokenizer-analysis", FOLDER, store)
    name = os.path.basename(os.path.normpath(base))
    analysis = analyse(settings, language, store.records("align", SentencePair), Pieces(data), name)
    file = store.write(ANALYSIS, analysis.model_dump_json(indent=1).encode())
    inputs = {"align": pairs.fingerprint, "tokenizer.json": digest(data)}
    store.finish(
        FOLDER,
        Manifest(
            stage="tokenizer-analysis",
            fingerprint=fingerprint,
            inputs=inputs,
            files=(file,),
            settings=to_yaml(settings),
            rows_in=analysis.num_pairs,
            kept=analysis.num_pairs,
        ),
    )
    return _outcome(analysis, perf_counter() - begun), analysis


def analyse(settings: TokenizerAnalysis, language: Language, pairs: Iterable[SentencePair], pieces: Pieces, name: str = "") -> Analysis:
    """Measure a tokenizer on sentence pairs; at least one pair is needed."""
    sample = sorted(pairs, key=lambda pair: pair.digest)[: settings.sample]
    if not sample:
        raise StoreError("align kept no sentence pairs, so there is nothing to measure a tokenizer on: run 'make align'")
    texts = [pair.text for pair in sample]
    return Analysis(
        tokenizer=name,
        vocabulary=pieces.size,
        byte_level=pieces.byte_level,
        num_pairs=len(sample),
        language=_figures(language.code, texts, pieces),
        bridge=_figures(language.bridge.code, [pair.translation for pair in sample], pieces),
        letters=tuple(_letters(language, texts, pieces)),
    )


@dataclass(frozen=True)
class Pieces:
    """A fast tokenizer, read from the bytes of its ``tokenizer.json``."""

    data: bytes

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer  # heavy

        return Tokenizer.from_buffer(self.data)

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return int(self._tokenizer.get_vocab_size())

    @cached_property
    def byte_level(self) -> bool:
        """Whatever the vocabulary lacks is spelt in bytes."""
        layout = json.loads(self.data)
        kinds = json.dumps([layout.get("decoder"), layout.get("pre_tokenizer")])
        return '"ByteLevel"' in kinds or bool(layout["model"].get("byte_fallback"))

    def cut(self, text: str) -> list[str]:
        """The tokens of a text, as the vocabulary writes them."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).tokens)

    def unknown(self, token: str) -> bool:
        """The token stands for something that the vocabulary lacks."""
        return token == getattr(self._tokenizer.model, "unk_token", None)

    def partial(self, token: str) -> bool:
        """The token is only a part of a character."""
        if not self.byte_level:
            return False
        if token.startswith("<0x") and token.endswith(">"):
            return int(token[3:-1], 16) > 0x7F
        return all(letter in _BYTES for letter in token) and not _is_text(token)


def _figures(code: str, texts: list[str], pieces: Pieces) -> LanguageFigures:
    cuts = [pieces.cut(text) for text in texts]
    tokens = Counter(token for cut in cuts for token in cut)
    total = max(1, tokens.total())
    found = Counter(word for text in texts for word in words(text))
    whole = sum(count for word, count in found.items() if len(pieces.cut(f" {word}")) == 1)
    return LanguageFigures(
        code=code,
        num_words=found.total(),
        num_characters=sum(map(len, texts)),
        num_tokens=tokens.total(),
        partial_bytes=sum(count for token, count in tokens.items() if pieces.partial(token)) / total,
        unknown=sum(count for token, count in tokens.items() if pieces.unknown(token)) / total,
        whole_words=whole / max(1, found.total()),
    )


def _letters(language: Language, texts: list[str], pieces: Pieces) -> Iterator[Letter]:
    uses = Counter(letter for text in texts for letter in text)
    named = language.alphabet + language.apostrophe
    small = {letter for letter in named.lower() if not letter.isspace()} or {letter for letter in uses if letter.isalpha()}
    for letter in sorted(small | {letter.upper() for letter in small if len(letter.upper()) == 1}):
        yield Letter(letter=letter, tokens=len(pieces.cut(letter)), uses=uses[letter])


def _byte_letters() -> dict[str, int]:
    """The letter that stands for each byte in a byte-level vocabulary (Radford et al., 2019), backwards."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTES = _byte_letters()


def _is_text(token: str) -> bool:
    try:
        bytes(_BYTES[letter] for letter in token).decode()
    except UnicodeDecodeError:
        return False
    return True


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        raise EngineError(f"{path}: no tokenizer can be read ({error}); run 'make download-model' first") from None


def _outcome(analysis: Analysis, seconds: float, *, done_before: bool = False) -> Outcome:
    note = f"fertility {analysis.ratio:.2f} x {analysis.bridge.code}, parity {analysis.parity:.2f}"
    count = analysis.num_pairs
    return Outcome(stage="tokenizer-analysis", rows_in=count, kept=count, seconds=seconds, done_before=done_before, note=note)


def _lines(analysis: Analysis) -> Iterator[str]:
    """The analysis as a table for the terminal."""
    yield f"{analysis.tokenizer}: {analysis.vocabulary:,} tokens, measured on {analysis.num_pairs:,} sentence pairs"
    yield f"{'':<22}{analysis.language.code:>10}{analysis.bridge.code:>10}{'ratio':>10}"
    for label, name in (("tokens per word", "fertility"), ("characters per token", "characters_per_token")):
        ours, theirs = getattr(analysis.language, name), getattr(analysis.bridge, name)
        yield f"{label:<22}{ours:>10.2f}{theirs:>10.2f}{ours / max(1e-9, theirs):>10.2f}"
    yield f"{'tokens (parity)':<22}{analysis.language.num_tokens:>10,}{analysis.bridge.num_tokens:>10,}{analysis.parity:>10.2f}"
    for label, name in (("one-token words", "whole_words"), ("partial bytes", "partial_bytes"), ("unknown tokens", "unknown")):
        yield f"{label:<22}{getattr(analysis.language, name):>10.1%}{getattr(analysis.bridge, name):>10.1%}"
    if analysis.byte_level:
        yield "Unknown tokens are 0 by construction: what the vocabulary lacks is spelt in bytes (see partial bytes)."
    several = [letter for letter in analysis.letters if letter.tokens > 1]
    yield f"Letters handled natively: {analysis.coverage:.1%} of those in the text"
    if several:
        yield "In several tokens: " + " ".join(f"{letter.letter} ({letter.tokens})" for letter in several)
    yield f"Rules of thumb for the ratio of tokens per word: under {FINE:g} fine, to {SLOWER:g} slower, above extend the vocabulary."
    yield analysis.recommendation
