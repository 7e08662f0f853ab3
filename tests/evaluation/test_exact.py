from seshat.evaluation.exact import exact, senses_of

ENTRIES = [("wasi", "casa, hogar"), ("Wasi", "techo"), ("yaku", "agua")]


def test_any_sense_of_any_entry_is_accepted_if_the_answer_begins_with_it() -> None:
    asked = ["wasi", "Wasi", "wasi", "wasi", "yaku", "misi"]
    said = ["techo", "hogar (de familia)", "mesa, casa", "Casa,  hogar", "Agua.", "gato"]
    wanted = ["casa, hogar", "casa, hogar", "casa, hogar", "casa, hogar", "agua", "gato"]
    found = exact("dictionary", asked, said, wanted, senses_of(ENTRIES))
    assert found.exact.hits == 2
    assert found.accepted is not None
    assert (found.accepted.hits, found.accepted.total) == (5, 6), "a list that only contains a sense is not an answer"


def test_the_senses_of_all_entries_of_a_word_go_together() -> None:
    assert senses_of(ENTRIES) == {"wasi": {"casa", "hogar", "techo"}, "yaku": {"agua"}}


def test_words_cut_into_morphemes_are_counted_one_by_one() -> None:
    found = exact("morphology", ["wasipi kan", "warmi"], ["wasi-pi ka-n", "war-mi"], ["wasi-pi kan", "warmi"], {})
    assert found.exact.hits == 0
    assert found.words is not None
    assert (found.words.hits, found.words.total) == (1, 3)
    assert found.accepted is None


def test_an_answer_that_is_too_short_loses_the_words_it_lacks() -> None:
    found = exact("morphology", ["a b c"], ["a"], ["a b c"], {})
    assert found.words is not None
    assert (found.words.hits, found.words.total) == (1, 3)
