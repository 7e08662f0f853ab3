"""What can be expected of a translation, and where that is kept."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from seshat.confidence import CALIBRATION, Calibration, Curve, card_key, coverage, logprob_of, number_of, pack, read_calibration
from seshat.engines.fakes import TableModel
from seshat.errors import StoreError
from seshat.prompts import Card, ChatTokenizer
from seshat.serving import Bands
from seshat.translate import Translator
from tests.tiny_model import LANGUAGE, make_tokenizer

CARD = Card(name="tiny", language=LANGUAGE, base="tiny", max_seq_length=256)
CURVE = Curve(logprob=10.0, coverage=20.0, sums=(0.0, 20.0), expected=(10.0, 60.0), n=100)
MADE = Calibration(model="m", card=card_key(CARD), curves={"spa-qtm": CURVE}, words={"spa": pack(["la", "casa", "es"])})


def test_a_curve_promises_no_more_than_was_seen_and_less_where_signs_are_worse() -> None:
    curve = CURVE.model_copy(update={"expected": (40.0, 60.0)})
    assert curve.at(0.0, 1.0) == pytest.approx(60.0)
    assert curve.at(-1.0, 1.0) == pytest.approx(50.0)
    assert curve.at(0.0, 2.0) == 60.0
    assert curve.at(-3.0, 1.0) == pytest.approx(30.0), "ten below the least sum that was seen"
    assert curve.at(-9.0, 0.0) == curve.at(-math.inf, 0.0) == 0.0


def test_known_words_are_counted_by_their_digests() -> None:
    known = frozenset(map(number_of, ["la", "casa"]))
    assert [coverage(text, known) for text in ("La casa", "¡La casa duerme bien!", "", "Perro")] == [1.0, 0.5, 1.0, 0.0]
    assert MADE.expected("spa-qtm", "La casa es", -1.0) == pytest.approx(35.0)
    assert MADE.expected("spa-qtm", "El perro corre", -0.5) == pytest.approx(5.0)
    assert MADE.expected("qtm-spa", "Wasi", -1.0) is None


def test_a_probability_of_nothing_has_a_logarithm() -> None:
    assert logprob_of(0.0) == -20.0
    assert logprob_of(0.5) == pytest.approx(math.log(0.5))


def test_bands_are_told_apart_by_their_thresholds() -> None:
    assert [Bands().of(one) for one in (50.0, 49.9, 30.0, 29.9)] == ["green", "yellow", "yellow", "red"]
    with pytest.raises(ValidationError, match="must not be below yellow"):
        Bands(green=20)


def test_a_calibration_of_another_model_is_refused(tmp_path: Path) -> None:
    assert read_calibration(str(tmp_path), CARD) is None
    (tmp_path / CALIBRATION).write_text(MADE.model_dump_json())
    assert read_calibration(str(tmp_path), CARD) == MADE
    with pytest.raises(StoreError, match="measured on another model"):
        read_calibration(str(tmp_path), CARD.model_copy(update={"base_sha256": "other"}))
    (tmp_path / CALIBRATION).write_text("{}")
    with pytest.raises(StoreError, match=r"no calibration of ours.*make eval"):
        read_calibration(str(tmp_path), CARD)


def test_a_text_is_worth_the_mean_of_its_sentences_by_their_length(tmp_path: Path) -> None:
    tokenizer: ChatTokenizer = make_tokenizer(tmp_path)
    echo = TableModel(echo=lambda prompt: (tokenizer.text("a")[0], tokenizer.end), probability=1.0)
    translator = Translator(echo, tokenizer, CARD, calibration=MADE)
    good, bad, empty, both = translator.translate(["La casa es la casa.", "Perro.", "", "La casa es la casa. Perro."], "spa", "qtm")
    assert (good.expected, bad.expected, empty.expected) == (pytest.approx(60.0), pytest.approx(10.0), None)
    assert both.expected == pytest.approx((60 * len("La casa es la casa.") + 10 * len("Perro.")) / 25)
    assert translator.translate(["Wasi."], "qtm", "spa")[0].expected is None
    assert Translator(echo, tokenizer, CARD).translate(["La casa."], "spa", "qtm")[0].expected is None
