"""What speaks against a back-translation, and what does not."""

from __future__ import annotations

import pytest

from seshat.records import Example
from seshat.rounds.checks import Checks

PAIRS = [
    ("allku mikun kay wasipi", "el perro come en esta casa"),
    ("misi mikun kay wasipi", "el gato come en esta casa"),
    ("allku puñun kay wasipi", "el perro duerme en esta casa"),
    ("misi puñun kay punkupi", "el gato duerme en esta puerta"),
    ("runa mikun kay punkupi", "el hombre come en esta puerta"),
    ("runa puñun kay wasipi", "el hombre duerme en esta casa"),
] * 6


def example(task: str, source: str, answer: str, synthetic: str = "") -> Example:
    facts = {"group": "g", "split": "train", "parent": source, "origin": "o", "collection": "c", "prompt": source}
    return Example(task=task, direction="qtm-spa", source=source, answer=answer, synthetic=synthetic, **facts)


TRAINING = [
    *(example("translation", *pair) for pair in PAIRS),
    example("dictionary", "yaku", "agua; río"),
    *(example("translation", "yaku hatun", "el gato come", synthetic="bad") for _ in range(20)),
]


@pytest.fixture(scope="module")
def checks() -> Checks:
    # every word of so small a text is frequent: weigh all
    made = Checks(TRAINING, "qtm-spa", lengths=2.0, copied=0.5, lexicon=0.6)
    made._counts.clear()
    return made


@pytest.mark.parametrize(
    ("source", "said", "reason"),
    [
        ("misi mikun kay punkupi", "el gato come en esta puerta", ""),
        ("misikuna mikunku kay punkupi", "los gatos comen en esta puerta", ""),
        ("misi mikun kay punkupi", "¡...!", "empty"),
        ("misi mikun kay punkupi", "Nada de esto.", "leak"),
        ("misi mikun kay punkupi", "misi mikun kay en", "copy"),
        ("misi mikun kay punkupi", "el gato come y come en esta puerta, y come mucho, y otra vez come y come", "ratio"),
        ("misi mikun kay punkupi", "runa puñun wasipi", "language"),
        ("misi mikun kay punkupi", "la luna nueva de la noche", "lexicon"),
    ],
)
def test_what_speaks_against_a_translation(checks: Checks, source: str, said: str, reason: str) -> None:
    assert checks.why_not(source, said, {"nada de esto"}).partition(":")[0] == reason


def test_a_word_is_translated_by_dictionary_lexicon_or_itself(checks: Checks) -> None:
    assert checks.supported("yaku", "el agua") == 1
    assert checks.supported("yaku", "la casa") == 0
    assert checks.supported("yaku Lima 12", "Lima") == 0.5
    assert checks.supported("misi yaku", "el gato") == 0.5
    assert checks.supported("12", "la casa") == 1


def test_back_translations_teach_the_lexicon_nothing(checks: Checks) -> None:
    assert checks.supported("hatun", "el gato come") == 0
