"""The vocabulary of the small Whisper: all that is said can be decoded, and every moment knows what is said in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seshat.sample.grammar import Grammar
from seshat.training.speech import SpeechTokens

TEXTS = [sentence.text for sentence in Grammar(1).sentences(300)]


@pytest.fixture(scope="module")
def tokens() -> SpeechTokens:
    return SpeechTokens(TEXTS)


def test_no_token_of_a_text_is_one_that_decoding_forbids(tokens: SpeechTokens) -> None:
    from faster_whisper.tokenizer import Tokenizer

    forbidden = set(Tokenizer(tokens.tokenizer, False, task="transcribe", language="en").non_speech_tokens)
    said = {token for text in TEXTS for token in tokens.spoken(text, 0.0, 1.0)}
    assert tokens.blank in said  # before words whose beginning is no token with it
    assert not said & forbidden


@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_any_text_can_be_said(tokens: SpeechTokens, text: str) -> None:
    start, _, *said, _, end = tokens.spoken(text, 0.5, 2.0)
    assert (start, end) == (tokens.start, tokens.end)
    assert tokens.tokenizer.decode(said) == f" {text}"


def test_tokens_are_spread_over_the_time_in_which_they_are_said(tokens: SpeechTokens) -> None:
    ids = tokens.spoken(TEXTS[0], 0.5, 2.0)
    moments = tokens.moments(ids, 150)
    assert set(moments[:25]) == set(moments[100:]) == {tokens.end}
    assert list(dict.fromkeys(moments[25:100])) == list(dict.fromkeys(ids[2:-2]))
    assert set(tokens.moments(tokens.silence(), 50)) == {tokens.end}
