"""New merges: a text is cut as before first, and only then are neighbours joined."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from seshat.errors import EngineError
from seshat.training.settings import Extend
from seshat.training.small import QWEN_SPLIT
from seshat.training.vocabulary import Grown, grow, learn

SPANISH = ["La casa es grande y el perro corre.", "El perro come en la casa."] * 20
TAUGHT = ["Wawëʼkuna wasipi puñun.", "Wasipi wawëʼ takin.", "<|end|> wasipi <|end|>", "ʼñañaka ʼñañaka wawëʼ"] * 20
TEXTS = st.text() | st.lists(st.sampled_from(["wasi", "wawëʼ", " wawëʼ", "ʼñañaka", "pi", " la casa", "<|end|>", "👩‍👧", "\n"])).map(
    "".join
)


@cache
def base() -> Tokenizer:
    """Cut like Qwen's, with its control tokens outside of the vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    cut = pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(SPANISH, trainers.BpeTrainer(vocab_size=290, initial_alphabet=alphabet, show_progress=False))
    tokenizer.add_special_tokens(["<|text|>", "<|end|>"])
    tokenizer.encode_special_tokens = True  # as what a person wrote is encoded
    return tokenizer


@cache
def grown(tokens: int = 40) -> Grown:
    return grow(base().to_str().encode(), TAUGHT, base().get_vocab(), Extend(tokens=tokens), "here")


@cache
def extended() -> Tokenizer:
    tokenizer = Tokenizer.from_buffer(grown().data)
    tokenizer.encode_special_tokens = True
    return tokenizer


@given(TEXTS)
def test_every_text_comes_back_from_both(text: str) -> None:
    assert base().decode(base().encode(text).ids, skip_special_tokens=False) == text
    assert extended().decode(extended().encode(text).ids, skip_special_tokens=False) == text


@given(TEXTS)
def test_new_tokens_stand_for_the_old_ones_that_they_replace(text: str) -> None:
    pieces = grown().pieces
    assert [old for new in extended().encode(text).ids for old in pieces.get(new, (new,))] == base().encode(text).ids


def test_the_texts_of_the_language_take_fewer_tokens() -> None:
    before, after = (sum(len(one.ids) for one in tokenizer.encode_batch(TAUGHT)) for tokenizer in (base(), extended()))
    assert after < 0.5 * before
    assert [len(tokenizer.encode("La casa es grande.").ids) for tokenizer in (base(), extended())] == [5, 5]


def test_old_tokens_keep_their_ids_and_new_ones_follow() -> None:
    old, new = base().get_vocab(), extended().get_vocab()
    assert {token: new[token] for token in old} == old
    assert old["<|end|>"] == len(old) - 1, "control tokens stand behind the vocabulary"
    assert [new[token] for token in grown().tokens] == list(grown().pieces) == list(range(len(old), len(old) + len(grown().tokens)))
    assert extended().get_added_tokens_decoder().keys() == base().get_added_tokens_decoder().keys()


def test_new_tokens_are_merges_and_no_added_tokens() -> None:
    layout = json.loads(grown().data)
    assert ["".join(merge) for merge in layout["model"]["merges"][-len(grown().tokens) :]] == list(grown().tokens)
    assert not {token["content"] for token in layout["added_tokens"]} & set(grown().tokens)


def test_text_that_looks_like_a_control_token_stays_text() -> None:
    assert extended().get_vocab()["<|end|>"] not in extended().encode("wasipi <|end|>").ids
    assert "<|end|>" not in grown().tokens


def test_merges_in_the_old_way_of_writing_are_added_in_that_way() -> None:
    layout = json.loads(base().to_str())
    layout["model"]["merges"] = [" ".join(merge) for merge in layout["model"]["merges"]]
    found = grow(json.dumps(layout).encode(), TAUGHT, base().get_vocab(), Extend(tokens=40), "here")
    assert found.tokens == grown().tokens
    assert Tokenizer.from_buffer(found.data).encode(TAUGHT[0]).tokens == extended().encode(TAUGHT[0]).tokens


@pytest.mark.parametrize(
    ("words", "known", "tokens", "expected"),
    [
        ({("a", "b"): 5, ("b", "c"): 9}, "", 2, [("b", "c"), ("a", "b")]),  # the most frequent first
        ({("b", "c"): 5, ("a", "b"): 5}, "", 1, [("a", "b")]),  # ties by the alphabet
        ({("a", "b", "c"): 5, ("b", "c"): 3}, "", 9, [("b", "c"), ("a", "bc")]),  # what was joined is joined again
        ({("a", "b"): 5, ("a", "c"): 2}, "", 9, [("a", "b")]),  # what is rare is left alone
        ({("a", "b"): 5, ("b", "c"): 4}, ("ab",), 9, [("b", "c")]),  # no second way to an old token
        ({("ab", "c"): 9, ("a", "bc"): 5}, "", 9, [("ab", "c")]),  # nor to a new one
        ({("a", "a", "a", "a"): 5}, "", 9, [("a", "a"), ("aa", "aa")]),
        ({("a", "b", "a", "b"): 3, ("x", "a"): 4, ("b", "a", "y"): 3}, "", 1, [("a", "b")]),  # by uses, not by words
        ({("a",): 9, (): 9}, "", 9, []),
    ],
)
def test_the_merges_that_are_learnt(words: dict[tuple[str, ...], int], known: str, tokens: int, expected: list[tuple[str, str]]) -> None:
    assert learn(words, known, tokens, min_count=3) == expected


def wordpiece() -> Tokenizer:
    return Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))


def unigram() -> Tokenizer:
    return Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0)], 0))


def sentencepiece() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")], byte_fallback=True))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.ByteFallback()
    return tokenizer


def letters() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


@pytest.mark.parametrize(
    ("make", "kind"), [(wordpiece, "WordPiece"), (unigram, "Unigram"), (sentencepiece, "not byte-level"), (letters, "not byte-level")]
)
def test_another_kind_of_vocabulary_is_refused(make: object, kind: str) -> None:
    tokenizer = make()  # type: ignore[operator]
    with pytest.raises(EngineError, match=rf"^models/x: .*{kind}.*only a byte-level BPE.*training\.extend\.tokens=0"):
        grow(tokenizer.to_str().encode(), ["ab ab"], tokenizer.get_vocab(), Extend(tokens=4), "models/x")
