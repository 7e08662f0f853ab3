"""Code-switching: stretches of another language inside a text."""

from __future__ import annotations

import pytest

from seshat.identify import Identifier
from seshat.sample.grammar import Grammar
from seshat.switching import Span, code_switching

SENTENCES = Grammar(seed=1).sentences(800)
TAUGHT, SPANISH = [one.text for one in SENTENCES], [one.translation for one in SENTENCES]
IDENTIFIER = Identifier.train({"qtm": TAUGHT[:600], "spa": SPANISH[:600]})


def switched(*texts: str) -> list[list[str]]:
    """The stretches of Spanish as they stand in the texts."""
    found = code_switching(texts, IDENTIFIER, "qtm")
    assert all(span.code == "spa" for spans in found for span in spans)
    return [[text[span.start : span.stop] for span in spans] for text, spans in zip(texts, found, strict=True)]


LONG = "tusa tuta tümeʼpa sororila"


@pytest.mark.parametrize(
    ("text", "stretches"),
    [
        (f"{LONG} la mujer cansada {LONG}.", ["la mujer cansada"]),
        (f"¡La mujer! {LONG}.", ["La mujer"]),
        (f"{LONG} «está muy cansada».", ["está muy cansada"]),
        (f"{LONG}, la mujer teje, {LONG} {LONG}, en el jardín.", ["la mujer teje", "en el jardín"]),
        (f"{LONG} mujer {LONG}", []),  # a loan
        (f"{LONG} mujer", []),
        (f"Mujer {LONG}", []),
        (f"{LONG} 1999 3 {LONG}", []),
        ("La mujer teje la canasta.", ["La mujer teje la canasta"]),
        ("", []),
    ],
)
def test_stretches_of_another_language(text: str, stretches: list[str]) -> None:
    assert switched(text) == [stretches]


def test_a_stretch_counts_its_words() -> None:
    assert code_switching(["tusa tuta, la mujer."], IDENTIFIER, "qtm") == [(Span(11, 19, "spa", 2),)]


def test_texts_in_one_language_have_none() -> None:
    assert not [found for found in switched(*TAUGHT[600:]) if found]
    assert not [found for found in code_switching(SPANISH[600:], IDENTIFIER, "spa") if found]


def test_each_text_is_decoded_alone_whatever_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{taught} {spanish}" if number % 2 else taught for number, (taught, spanish) in enumerate(zip(TAUGHT, SPANISH))][600:]
    whole = switched(*texts)
    assert [bool(found) for found in whole[::2]] == [False] * 100
    assert sum(map(bool, whole[1::2])) > 95
    monkeypatch.setattr("seshat.switching.CHUNK_TEXTS", 7)
    assert switched(*texts) == whole
    assert [switched(text)[0] for text in texts[:20]] == whole[:20]


def test_any_language_may_be_at_home_and_short_texts_stand_beside_long_ones() -> None:
    texts = [f"la mujer teje {LONG}", f"la mujer teje la canasta en el jardín {LONG} {LONG}"]
    found = code_switching(texts, IDENTIFIER, "spa")
    assert [[text[span.start : span.stop] for span in spans] for text, spans in zip(texts, found)] == [[LONG], [f"{LONG} {LONG}"]]


def test_no_texts() -> None:
    assert code_switching([], IDENTIFIER, "qtm") == []
