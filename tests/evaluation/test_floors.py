import pytest

from seshat.evaluation.floors import Floors, gloss
from seshat.language import words
from seshat.lexicon import Lexicon

PAIRS = [
    ("El perro come.", "Allku mikun."),
    ("El gato come.", "Misi mikun."),
    ("El gato duerme.", "Misi puñun."),
    ("Un perro corre.", "Allku pawan."),
    ("Un gato corre.", "Misi pawan."),
]
LEXICON = Lexicon.estimate((words(source), words(target)) for source, target in PAIRS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Perro, gato.", "Allku, misi."),
        ("¿Gato corre? «gato»", "¿Misi pawan? «misi»"),
        ("Pedro corre 20 km - gato", "Pedro pawan 20 km - misi"),
        ("gato el, corre", "misi, pawan"),
        ("el gato", "misi"),
        ("", ""),
    ],
)
def test_gloss_word_by_word(text: str, expected: str) -> None:
    strength = dict(LEXICON.translations("el", limit=1))
    assert max(strength.values()) < 0.5
    assert gloss(text, LEXICON, minimum=0.5) == expected


def test_floors_copy_and_remember() -> None:
    said = Floors(PAIRS, LEXICON, gloss_minimum=0.5).translate(["El perro comía.", "Gato corre."])
    assert said["copy"] == ["El perro comía.", "Gato corre."]
    assert said["nearest"] == ["Allku mikun.", "Misi pawan."]
    assert said["gloss"] == ["Allku comía.", "Misi pawan."]


def test_phrases_are_translated_where_they_are_asked_for() -> None:
    said = Floors(PAIRS * 2, LEXICON, gloss_minimum=0.5, phrases=True, entries=[("pez", "challwa")]).translate(["El gato come.", "Pez."])
    assert said["phrases"] == ["Misi mikun.", "Challwa."]
    assert "phrases" not in Floors(PAIRS, LEXICON, gloss_minimum=0.5).translate(["Pez."])


def test_without_training_pairs_only_the_copy_is_left() -> None:
    assert set(Floors([], Lexicon.estimate([]), gloss_minimum=0.1, phrases=True).translate(["a"])) == {"copy"}


def test_the_gloss_reaches_the_known_floor_on_shipibo(shared) -> None:
    """IBM Model 1 on the loose pairs alone (29.7); with dictionary examples and religious text it is 28.6, published 28.7."""
    import csv

    from seshat.evaluation.metrics import score

    folder = shared / "languages" / "shp"
    with open(folder / "raw" / "transcriptions" / "flashcards.csv", encoding="utf-8-sig") as stream:
        pairs = [(row["es"], row["shp"]) for row in csv.DictReader(stream)]
    lexicon = Lexicon.estimate((words(source), words(target)) for source, target in pairs)
    sources, references = ((folder / f"dev.{code}").read_text(encoding="utf-8").splitlines() for code in ("spa", "shp"))
    found = score("chrf++", [gloss(source, lexicon, 0.05) for source in sources], references, resamples=100)
    assert 28 < found.score < 31
