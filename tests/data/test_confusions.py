"""Confusions: what is learnt from corrected lines, what is not, and that every change is told."""

from __future__ import annotations

import pytest

from seshat.data.confusions import Confusions, Rule, learn, pairs_from_words

LINES = (
    ("tbla kbna", "tьla kьna"),
    ("sobl obi", "soьl oьi"),
    ("rovi hum", "rovi hum"),
    ("tebh to", "tьꜧ to"),
    ("malbh eri", "malьꜧ eri"),
    ("ihe tbh", "ihe tьꜧ"),
    ("hansunkve", "hansuŋkve"),
    ("minunkve nan", "minuŋkve nan"),
)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("sabta", "saьta"),  # always
        ("tunkas nu", "tuŋkas nu"),  # only before a k
        ("hum tobh", "hum toьꜧ"),  # only behind what is ь by then
        ("rovi", "rovi"),
        ("", ""),
    ],
)
def test_what_was_confused_twice_is_put_right_where_it_was_confused(read: str, meant: str) -> None:
    assert learn(LINES).apply(read)[0] == meant


def test_what_a_single_line_says_is_no_rule() -> None:
    assert learn([("kxkxkx", "kykyky"), ("tala", "tala")]).rules == ()


def test_what_is_right_as_often_as_wrong_is_left_alone() -> None:
    assert learn([("ma", "na"), ("mo", "no"), ("ma", "ma"), ("mo", "mo")]).rules == ()


def test_a_letter_that_was_passed_over_comes_back() -> None:
    table = learn([("tka", "tika"), ("tko", "tiko"), ("ata", "ata")])
    assert table.apply("utki")[0] == "utiki"


def test_every_change_says_where_and_what() -> None:
    text, changes = Confusions((Rule("b", "ь"), Rule("h", "ꜧ", before="ь"))).apply("tbh hb")
    assert text == "tьꜧ hь"
    assert [(one.place, str(one.rule)) for one in changes] == [(1, "b → ь"), (5, "b → ь"), (2, "h → ꜧ (ь_)")]


def test_the_same_lines_give_the_same_rules_in_any_order() -> None:
    assert learn(LINES) == learn(LINES[::-1])


def test_known_words_stand_for_corrections() -> None:
    read = ["hansunkve minunkve", "ropitun xyzxyz na", "hansunkve"]
    known = ["hansuŋkve", "minuŋkve", "ropitan", "ropiten"]  # the last two are as near as each other
    assert sorted(pairs_from_words(read, known)) == [("hansunkve", "hansuŋkve")] * 2 + [("minunkve", "minuŋkve")]
    assert learn(pairs_from_words(read, known)).apply("manunk")[0] == "manuŋk"
