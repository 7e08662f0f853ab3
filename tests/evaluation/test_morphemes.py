from collections import Counter

from seshat.evaluation.morphemes import lacking
from seshat.language import words

STEMS = ["wasi", "allku", "warmi", "llaqta", "chakra", "sacha", "mayu", "punku"]
PEOPLE = [f"{stem}pi {stem}manta {stem}" for stem in STEMS] * 4
MODEL = [f"{stem}pi {stem} {stem}" for stem in STEMS] * 4
TRAINED = Counter(words(" ".join(STEMS + [f"{stem}manta" for stem in STEMS[:3]])))


def test_an_ending_that_people_use_and_the_model_does_not_is_found() -> None:
    found = lacking(PEOPLE, MODEL, TRAINED)
    assert [one.piece for one in found] == ["-manta"], "what stands in the same words is said once, in its clearest form"
    assert (found[0].in_references, found[0].in_answers, found[0].trained) == (32, 0, 3)
    assert found[0].examples == ("allkumanta", "chakramanta", "llaqtamanta")


def test_a_beginning_is_found_too() -> None:
    people = [f"ma{stem} {stem}" for stem in STEMS] * 4
    assert [one.piece for one in lacking(people, [f"{stem} {stem}" for stem in STEMS] * 4, TRAINED)] == ["ma-"]


def test_a_model_that_writes_like_people_lacks_nothing() -> None:
    assert lacking(PEOPLE, PEOPLE[::-1], TRAINED) == ()
    assert lacking(PEOPLE[::2], PEOPLE[1::2], TRAINED) == ()


def test_counts_are_compared_at_equal_length() -> None:
    answers = [*MODEL, *PEOPLE[:6], *MODEL]
    assert len(words(" ".join(answers))) > 2 * len(words(" ".join(PEOPLE)))
    assert lacking(PEOPLE, answers, TRAINED)[0].in_answers == 3, "6 of 210 words are as many as 3 of 96"


def test_a_piece_of_few_words_says_which_words_are_lacking_not_which_form() -> None:
    people = [f"{stem}manta" for stem in STEMS[:4]] * 10
    assert lacking(people, MODEL, Counter(STEMS)) == ()


def test_no_answers_are_no_error() -> None:
    assert [one.piece for one in lacking(PEOPLE, [""], TRAINED)] == []
