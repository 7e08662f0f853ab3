import random

import pytest
import torch

from benchmarks.pointer.learn import learn
from benchmarks.pointer.model import HINTS, Pointer, _cased, _forbid_repetition, _item
from benchmarks.pointer.network import Network
from benchmarks.pointer.pieces import Pieces
from seshat.language import words
from seshat.phrases.surface import Surface
from seshat.records import Example
from tests.test_hints import example

LETTERS = "bdfgklmnprst"


def word(rng: random.Random) -> str:
    return "".join(rng.choice(LETTERS) + rng.choice("aeiou") for _ in range(3))


def corpus(number: int = 700) -> list[Example]:
    """Sentences of two words that are translated in the other order; there are far more words than a network learns by heart."""
    rng = random.Random(1)
    meanings = {word(rng): word(rng) for _ in range(200)}
    pairs = [rng.sample(sorted(meanings), 2) for _ in range(number)]
    return [example(f"{one} {other}", f"{meanings[other]} {meanings[one]}", group=f"{one} {other}") for one, other in pairs]


def test_hints_stand_behind_their_words() -> None:
    pieces = Pieces(["la casa, grande es verde", "wasi hatun kuraq"] * 3, 60)
    item = _item("La casa, grande", [(), ("wasi",), ("hatun", "kuraq")], pieces)
    assert pieces.decode(item.source) == "la casa, wasi grande hatun kuraq"
    assert [piece for piece, hint in zip(item.source, item.hint, strict=True) if hint] == [
        piece for said in ("wasi", "hatun", "kuraq") for piece in pieces.text(said)
    ]
    assert len(item.hint) == len(item.source)
    assert _item("La casa", None, pieces).hint == (0,) * len(pieces.text("La casa"))


@pytest.mark.parametrize("text", ["¿dónde está (hoy) la «casa», 123?", "jo\u02bcn ja\u0303: 2,5"])
def test_a_text_comes_back_from_its_pieces(text: str) -> None:
    pieces = Pieces([text] * 3, 100)
    assert words(pieces.decode(pieces.text(text))) == words(text.lower().replace("a\u0303", "ã"))


def test_no_run_of_three_is_said_twice() -> None:
    likely = torch.ones(2, 9)
    _forbid_repetition(likely, torch.tensor([[1, 4, 5, 6, 4, 5], [1, 4, 5, 6, 7, 8]]))
    assert likely[0].tolist() == [1, 1, 1, 1, 1, 1, 0, 1, 1]
    assert likely[1].tolist() == [1] * 9


@pytest.mark.slow
def test_a_network_points_at_the_hints_of_new_sentences() -> None:
    examples = corpus()
    known, asked = examples[40:], examples[:40]
    pointer = Pointer.train(known, "spa-qtm", hints=HINTS.model_copy(update={"frequent": 1.0}), tokens=200_000)
    said = pointer.translate([one.source for one in asked])
    right = sum(len(set(words(one.answer)) & set(words(text))) for one, text in zip(asked, said, strict=True))
    assert right > len(asked), "more than one word of two, in sentences that were not trained on"


def test_names_and_the_beginning_of_sentences_have_capitals() -> None:
    source = Surface.read("Ayer vino Pedro. ¿Dónde está?")
    assert _cased("pedro mita. ¿mai pedrora?", source) == "Pedro mita. ¿Mai pedrora?"
    assert _cased("mita", Surface.read("vino")) == "mita"


def test_without_examples_nothing_is_learnt() -> None:
    assert learn(Network(9, dropout=0.0), [], 1_000, seed=1) == 0.0
