"""Words in pieces, for both languages together: byte pair encoding of text in small letters (Sennrich, Haddow and Birch, 2016)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import regex

PAD, BEGIN, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<begin>", "<end>", "<unknown>")
SEEN = 2
"""How often a piece must stand in the text at least."""
_BEFORE = regex.compile(r" ([\p{Pe}\p{Pf}.,;:!?…])")
_BEHIND = regex.compile(r"([\p{Ps}\p{Pi}¡¿]) ")


class Pieces:
    """A vocabulary of pieces. A word begins with a mark for the space before it; digits and punctuation are pieces by themselves."""

    def __init__(self, texts: Iterable[str], size: int) -> None:
        """Learn at most ``size`` pieces."""
        from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

        self._inner: Any = Tokenizer(models.BPE(unk_token=SPECIAL[UNKNOWN]))
        self._inner.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
        self._inner.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
        )
        self._inner.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=list(SPECIAL), min_frequency=SEEN, show_progress=False)
        self._inner.train_from_iterator(texts, trainer)
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return int(self._inner.get_vocab_size())

    def word(self, word: str) -> list[int]:
        """The pieces of what stands between two spaces."""
        if word not in self._known:
            self._known[word] = self._inner.encode(word).ids
        return self._known[word]

    def text(self, text: str) -> list[int]:
        """The pieces of a text."""
        return [piece for word in text.split() for piece in self.word(word)]

    def decode(self, pieces: Sequence[int]) -> str:
        """The text, in small letters, with its punctuation in place; letters that training never had are lost."""
        text = str(self._inner.decode([piece for piece in pieces if piece > UNKNOWN]))
        return _BEHIND.sub(r"\1", _BEFORE.sub(r"\1", text)).strip()
