from itertools import combinations

import pytest

from seshat.data.coverage import Coverage

TRAINED = ["el perro come mucho", "el perro duerme", "la casa es grande", "el perro come", "la casa come mucho"] * 3
SENTENCES = [
    "el perro come mucho",
    "el puente cruza el río",
    "el puente cruza",
    "la maestra enseña",
    "la maestra enseña la canción",
    "el río",
]


def test_what_training_lacks_is_chosen_and_what_it_has_is_not() -> None:
    coverage = Coverage(SENTENCES, TRAINED)
    order = coverage.choose(6)
    assert sorted(order) == list(range(6))
    assert order[-1] == 0, "training has it all"
    assert {SENTENCES[order[0]][:9], SENTENCES[order[1]][:9]} == {"el puente", "la maestr"}, "one of each kind before a second of one"


def test_what_was_chosen_is_worth_less_the_second_time() -> None:
    again = ["el puente cruza el río", "¡El puente cruza el río!", "la maestra canta"]
    assert Coverage(again, TRAINED).choose(2) == [0, 2]


def test_words_that_these_texts_use_often_come_first() -> None:
    texts = ["la canoa sube", "la canoa baja", "la canoa vuelve", "la iguana mira"]
    assert Coverage(texts, ["la casa", "sube baja vuelve mira"] * 9).choose(1)[0] in (0, 1, 2)


def test_a_sentence_pays_for_its_words() -> None:
    texts = ["el puente", "el perro come y el perro duerme y la casa es grande y el puente"]
    assert Coverage(texts, TRAINED).choose(1) == [0]


def test_the_lazy_choice_is_the_greedy_one() -> None:
    coverage = Coverage(SENTENCES, TRAINED)
    lazy = coverage.choose(4)
    known, left, greedy = coverage._known.copy(), list(range(len(SENTENCES))), []
    for _ in range(4):
        best = max(left, key=lambda place: (coverage._gain(place, known) / coverage._costs[place], -place))
        columns, counts = coverage._row(best)
        known[columns] += counts
        left.remove(best)
        greedy.append(best)
    assert lazy == greedy


def test_the_greedy_choice_is_nearly_the_best() -> None:
    coverage = Coverage(SENTENCES, TRAINED)
    coverage._costs[:] = 1

    def worth(places: tuple[int, ...]) -> float:
        known, total = coverage._known.copy(), 0.0
        for place in places:
            total += coverage._gain(place, known)
            columns, counts = coverage._row(place)
            known[columns] += counts
        return total

    best = max(worth(places) for places in combinations(range(len(SENTENCES)), 3))
    assert worth(tuple(coverage.choose(3))) >= (1 - 1 / 2.718281828) * best


def test_what_the_model_is_not_sure_of_comes_first_among_equals() -> None:
    texts = ["la iguana mira", "el delfín salta"]
    coverage = Coverage(texts, TRAINED)
    assert coverage.choose(2, among=[0, 1], sure=[0.9, 0.1]) == [1, 0]
    assert coverage.choose(2, among=[0, 1], sure=[0.1, 0.9]) == [0, 1]
    assert coverage.choose(2, among=[1]) == [1]


def test_names_and_numbers_are_nothing_to_learn() -> None:
    texts = ["Vino Nabucodonosor ayer 1984", "Vino ayer mi hermana"]
    assert Coverage(texts, ["vino ayer"]).choose(1) == [1]


def test_shares_count_running_words() -> None:
    coverage = Coverage(["la casa", "el puente cruza"], ["la casa"])
    assert coverage.share() == pytest.approx(2 / 5)
    assert coverage.share([1]) == 1


def test_the_choice_depends_on_nothing_but_its_input() -> None:
    assert Coverage(SENTENCES, TRAINED).choose(6) == Coverage(SENTENCES, TRAINED).choose(6)
