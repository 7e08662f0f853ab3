from dataclasses import replace

import pytest

from seshat.evaluation.results import Sample
from seshat.evaluation.weak import Case, band, cases, file_of, groups, qualities
from seshat.records import Example
from tests.evaluation.conftest import example


def some(
    number: int, score: float, *, task: str = "translation", direction: str = "spa-qtm", file: str = "a", num_words: int = 7
) -> list[Case]:
    return [Case(direction, task, file, num_words, score + place % 5) for place in range(number)]


def training(number: int, origin: str, source: str = "uno dos tres cuatro cinco seis siete") -> list[Example]:
    return [replace(example("translation", "spa-qtm", "", source, "huk", "train"), origin=origin)] * number


@pytest.mark.parametrize(
    ("origin", "file"),
    [
        ("translations/laws.shp.txt#line=3 | translations/laws.es.txt#line=3", "translations/laws"),
        ("dictionary/words.json#entry=3&ejemplos=1", "dictionary/words"),
        ("test#line=1", "test"),
    ],
)
def test_both_sides_of_a_document_are_of_one_file(origin: str, file: str) -> None:
    assert file_of(origin) == file


@pytest.mark.parametrize(("num_words", "name"), [(0, "0-5 words"), (5, "0-5 words"), (6, "6-10 words"), (300, "41 words and more")])
def test_every_length_has_its_band(num_words: int, name: str) -> None:
    assert band(num_words) == name


def test_small_files_are_taken_together() -> None:
    origins = [f"audio/one-{place}.wav#second=1" for place in range(12)] + ["translations/laws.es#line=1"] * 10
    facts = {"direction": "spa-qtm", "task": "translation", "source": "uno dos", "reference": "huk", "hypotheses": {"ours": "huk"}}
    found = cases([Sample(origin=origin, **facts) for origin in origins], [50.0] * 22)
    assert {one.file for one in found} == {"audio/ (small files)", "translations/laws"}
    assert {one.num_words for one in found} == {2}


def test_a_file_that_is_translated_worse_is_weak_and_says_how_much_training_it_has() -> None:
    found = groups([*some(30, 50, file="stories"), *some(30, 20, file="laws")], training(4, "laws.es#line=1"))
    named = {(one.kind, one.name): one for one in found}
    assert named["file", "laws"].weak
    assert (named["file", "laws"].num, named["file", "laws"].trained) == (30, 4)
    assert (named["file", "laws"].score, named["file", "laws"].rest) == (22, 52)
    assert not named["file", "stories"].weak


def test_chance_is_no_weakness() -> None:
    mixed = [*some(30, 50, file="stories"), *some(30, 50, file="laws")]
    assert not any(one.weak for one in groups(mixed, []))
    tiny = [*some(30, 50, file="stories"), *some(9, 0, file="laws")]
    assert [one.name for one in groups(tiny, []) if one.kind == "file"] == [], "too few to say anything, and the others are alone then"


def test_a_difference_that_nobody_would_notice_is_none() -> None:
    assert not any(one.weak for one in groups([*some(500, 50, file="stories"), *some(500, 48.5, file="laws")], []))


def test_lengths_and_tasks_are_groups_too() -> None:
    found = groups(
        [*some(40, 60), *some(20, 30, num_words=30), *some(20, 10, task="dictionary"), *some(20, 0, task="completion")],
        training(3, "x", "uno " * 30),
    )
    weak = {(one.kind, one.name): one.trained for one in found if one.weak}
    assert weak == {("length", "21-40 words"): 3, ("task", "dictionary"): 0}, "what has many right answers is not among the tasks"


def test_directions_are_compared_with_themselves() -> None:
    found = groups([*some(30, 50), *some(30, 20, direction="qtm-spa")], [])
    assert not any(one.weak for one in found)


def test_the_file_with_most_doubt_comes_first() -> None:
    rows = [
        *[("translations/laws.es#1 | translations/laws.qtm#1", "", True, 0.1)] * 3,
        ("translations/laws.es#2", "ratio: 3 to 90 characters", True, 0.2),
        *[("transcriptions/cards.csv#line=1", "", False, 1.0)] * 9,
        ("transcriptions/cards.csv#line=2", "copy: both sides are the same", False, 1.0),
    ]
    laws, cards = qualities(rows)
    assert (laws.file, laws.num_pairs, laws.rejected, laws.num_aligned, laws.num_doubtful) == ("translations/laws", 4, {"ratio": 1}, 3, 3)
    assert (laws.doubt, cards.doubt) == (1.0, 0.1)
