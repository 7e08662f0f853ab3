"""New merges on top of a byte-level BPE vocabulary: what ``tokenizer-extend`` does to ``tokenizer.json``.

Byte-pair encoding (Sennrich, Haddow and Birch, 2016) goes on where the base's stopped: words are cut by the base's own
rules and merges, and the pairs of tokens that are then the most frequent become new merges, behind all old ones. So a text is
always cut as before first, and only then are neighbours joined: no old token changes its id or its use, and every text still
comes back as it was. They are merges and not added tokens, because added tokens are found before words are, inside of words.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from seshat.errors import EngineError
from seshat.training.settings import Extend

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Pair = tuple[str, str]
Word = tuple[str, ...]
"""The tokens of a word, as the vocabulary writes them."""


@dataclass(frozen=True)
class Grown:
    """A tokenizer with new tokens at the end."""

    data: bytes
    """Its ``tokenizer.json``."""
    pieces: Mapping[int, tuple[int, ...]]
    """By each new id, in their order and without a gap, the old ids that it replaces."""
    tokens: tuple[str, ...]
    """The new tokens, as the vocabulary writes them."""


def grow(data: bytes, texts: Iterable[str], known: Mapping[str, int], settings: Extend, name: str) -> Grown:
    """The tokenizer of ``tokenizer.json`` with up to ``settings.tokens`` new ones that are learnt from texts.

    ``known`` has the id of every token that there is, added and control tokens too. EngineError if it is no byte-level BPE.
    """
    from tokenizers import Tokenizer

    layout = json.loads(data)
    _check(layout, name)
    merges = learn(_words(Tokenizer.from_buffer(data), texts), known, settings.tokens, settings.min_count)
    ids = dict(sorted(known.items(), key=lambda token: token[1]))
    pieces: dict[int, tuple[int, ...]] = {place: (place,) for place in known.values()}
    first = max(known.values()) + 1
    for place, (left, right) in enumerate(merges, first):
        ids[left + right] = place
        pieces[place] = pieces[ids[left]] + pieces[ids[right]]
    # Added tokens are in the vocabulary too: the library numbers those that are not from the size of the vocabulary on.
    layout["model"]["vocab"] = ids
    plain = any(isinstance(merge, str) for merge in layout["model"]["merges"])  # as older files write them
    layout["model"]["merges"] += [" ".join(merge) if plain else list(merge) for merge in merges]
    return Grown(
        data=json.dumps(layout, ensure_ascii=False).encode(),
        pieces={place: pieces[place] for place in range(first, first + len(merges))},
        tokens=tuple(left + right for left, right in merges),
    )


def learn(words: Mapping[Word, int], known: Iterable[str], tokens: int, min_count: int) -> list[Pair]:
    """Up to ``tokens`` merges for words that are counted, the most frequent pair first; ties go by the alphabet.

    A merge never makes a token that is already there: with two ways to one token, old merges could apply to what new ones made.
    """
    taken, merges = set(known), list[Pair]()
    cuts, counts = [list(word) for word in words], list(words.values())
    totals, places = Counter[Pair](), defaultdict[Pair, set[int]](set)
    for number, cut in enumerate(cuts):
        for pair in pairwise(cut):
            totals[pair] += counts[number]
            places[pair].add(number)
    heap = [(-total, pair) for pair, total in totals.items()]
    heapq.heapify(heap)
    while heap and len(merges) < tokens:
        negative, best = heapq.heappop(heap)
        if -negative != totals[best] or "".join(best) in taken:
            continue  # an older count of the pair, or a token that is there
        if -negative < min_count:
            break
        merges.append(best)
        taken.add("".join(best))
        changed = set[Pair]()
        for number in places.pop(best):
            before, cuts[number] = cuts[number], _joined(cuts[number], best)
            for pair in pairwise(before):
                totals[pair] -= counts[number]
                changed.add(pair)
            for pair in pairwise(cuts[number]):
                totals[pair] += counts[number]
                places[pair].add(number)
                changed.add(pair)
        for pair in changed:
            heapq.heappush(heap, (-totals[pair], pair))
    return merges


def _joined(cut: list[str], pair: Pair) -> list[str]:
    joined, place = list[str](), 0
    while place < len(cut):
        here = tuple(cut[place : place + 2]) == pair
        joined.append("".join(pair) if here else cut[place])
        place += 2 if here else 1
    return joined


def _words(tokenizer: Tokenizer, texts: Iterable[str]) -> dict[Word, int]:
    """The words of texts as the base cuts them, counted; a word is what merges do not go beyond."""
    found = Counter[str]()
    for text in texts:
        normal = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text
        found.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal))
    cuts = Counter[Word]()
    for word, count in found.items():
        cuts[tuple(token.value for token in tokenizer.model.tokenize(word))] += count
    return cuts


def _check(layout: Mapping[str, Any], name: str) -> None:
    model = layout["model"]
    steps = json.dumps([layout.get("pre_tokenizer"), layout.get("decoder")])
    marks = model.get("continuing_subword_prefix") or model.get("end_of_word_suffix")
    if model.get("type") != "BPE" or model.get("byte_fallback") or steps.count('"ByteLevel"') < 2 or marks:
        kind = "BPE that is not byte-level" if model.get("type") == "BPE" else model.get("type", "a tokenizer of unknown kind")
        raise EngineError(
            f"{name}: this vocabulary is {kind}, and only a byte-level BPE (as of Qwen, Llama 3 or Mistral Nemo) can be extended: "
            "set training.extend.tokens=0, or take another base model"
        )
