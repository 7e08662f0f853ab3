"""What is derived from the statistics: scores beside floors, buckets, skill."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from sacrebleu.metrics import CHRF

from seshat.evaluation.cases import Part
from seshat.evaluation.judge import NOTHING, Answer, Trained, judge
from seshat.evaluation.measured import Measured, known_words, read_measured, write_measured
from seshat.evaluation.scoring import derive
from seshat.evaluation.settings import Evaluation, Published
from seshat.records import Example
from seshat.store import Store
from tests.evaluation.conftest import example, translations

QUICK = Evaluation(bootstrap=100)
WORDS = ("jakon", "bake", "ika", "ja", "pikanai", "noa", "jato", "kaai", "joni", "ainbo", "xobo", "nete")


def cases(size: int) -> list[Example]:
    rng = random.Random(0)
    return [
        example("translation", "spa-qtm", "", " ".join(rng.choices(WORDS, k=length)), " ".join(rng.choices(WORDS, k=8)), "test", number)
        for number, length in enumerate(rng.choices((3, 8, 15, 40), k=size))
    ]


def measured(examples: list[Example], right: float, gloss: float, trained: Trained = NOTHING) -> Measured:
    """Ours has each word right with some probability, the gloss with another; the copy has none."""
    rng = random.Random(1)

    def said(share: float) -> dict[int, Answer]:
        answers = [" ".join(word if rng.random() < share else "xx" for word in one.answer.split()) for one in examples]
        return dict(enumerate(map(Answer, answers)))

    part = Part("spa-qtm", "translation", tuple(examples), len(examples))
    base = {place: Answer("xx") for place in range(0, len(examples), 2)}
    return judge(part, {"ours": said(right), "gloss": said(gloss), "copy": said(0), "base": base}, trained).measured


def test_the_statistics_come_back_from_disk(tmp_path: Path) -> None:
    part, store = measured(cases(30), 0.6, 0.3), Store(str(tmp_path))
    write_measured(store, "statistics.parquet", [part])
    [back] = read_measured(store, "statistics.parquet")
    assert (back.direction, back.task, back.cases) == (part.direction, part.task, part.cases)
    assert list(back.systems) == ["ours", "copy", "gloss", "base"]
    for system, spoken in part.systems.items():
        assert back.systems[system].places.tolist() == spoken.places.tolist()
        for metric, statistics in spoken.statistics.items():
            assert back.systems[system].statistics[metric].values.tolist() == statistics.values.tolist()


def test_ours_and_the_base_are_compared_on_what_both_were_asked() -> None:
    found = derive([measured(cases(60), 0.6, 0.3)], QUICK).comparisons
    assert {(one.system, one.n) for one in found} == {("copy", 60), ("gloss", 60), ("base", 30)}
    assert {one.verdict for one in found} == {"better"}


def test_words_that_training_never_saw_are_counted() -> None:
    trained = known_words(
        [*translations([("El gato come.", "Misi mikun.")], "train"), example("grammar", "qtm", "", "yaku", "pawan", "train")]
    )
    assert trained == {"spa": {"el", "gato", "come"}, "qtm": {"misi", "mikun", "yaku", "pawan"}}
    asked = example("translation", "spa-qtm", "", "El perro come, come y DUERME.", "x", "test")
    back = replace(asked, direction="qtm-spa", source="Yaku gato.")
    facts = [
        judge(Part(one.direction, one.task, (one,), 1), {"ours": {0: Answer("")}}, Trained(frozenset(), trained)).measured.cases[0]
        for one in (asked, back)
    ]
    assert [(case.num_words, case.num_unseen) for case in facts] == [(6, 3), (2, 1)]


def test_buckets_are_scored_as_if_they_were_all() -> None:
    examples = [replace(one, collection="tales" if place % 2 else "news") for place, one in enumerate(cases(120))]
    known = Trained(frozenset(), {"spa": set(WORDS) - {"nete"}})
    part = measured(examples, 0.6, 0.3, known)
    found = {(one.by, one.name): one for one in derive([part], QUICK).buckets}
    names = [("collection", "news"), ("collection", "tales"), *(("length", name) for name in ("1-5", "6-10", "11-20", "21+"))]
    assert list(found) == [*names, *(("unseen words", name) for name in ("0", "1", "2+"))]
    for by in ("collection", "length", "unseen words"):
        assert sum(one.n for one in found.values() if one.by == by) == 120
    tales = [place for place, one in enumerate(examples) if one.collection == "tales"]
    chrf, bleu = found["collection", "tales"].scores
    assert (chrf.metric, bleu.metric) == ("chrf++", "bleu")
    assert chrf.ours == derive([measured_again(part, tales)], QUICK).rows[1].score
    assert found["collection", "tales"].floor == "gloss"
    assert chrf.comparison is not None
    assert chrf.comparison.verdict == "better"
    assert found["unseen words", "0"].n == sum("nete" not in one.source.split() for one in examples)


def measured_again(part: Measured, places: list[int]) -> Measured:
    found = part.at(places)
    assert [case.source for case in found.cases] == [part.cases[place].source for place in places]
    return found


def test_a_bucket_of_a_handful_is_too_small_to_score() -> None:
    examples = [replace(one, collection="tales" if place < 19 else "news") for place, one in enumerate(cases(39))]
    found = {one.name: one for one in derive([measured(examples, 0.6, 0.3)], QUICK).buckets if one.by == "collection"}
    assert (found["tales"].n, found["tales"].scores, found["tales"].floor) == (19, (), None)
    assert found["news"].n == 20
    assert len(found["news"].scores) == 2


def test_a_score_of_the_parts_is_sacrebleus() -> None:
    examples = cases(30)
    part = measured(examples, 0.6, 0.3)
    rng = random.Random(1)
    said = [" ".join(word if rng.random() < 0.6 else "xx" for word in one.answer.split()) for one in examples]
    row = next(row for row in derive([part], QUICK).rows if (row.system, row.metric) == ("ours", "chrf++"))
    assert row.score == CHRF(word_order=2).corpus_score(said, [[one.answer for one in examples]]).score


@pytest.mark.parametrize("task", ["translation", "dictionary"])
def test_published_figures_are_shown_for_translations_alone(task: str) -> None:
    part = measured(cases(40), 0.6, 0.3)
    part = Measured(part.direction, task, part.cases, part.systems)
    figures = Published(scores={"bleu": 90, "chrf++": 95}, source="Somebody (2024)")
    found = derive([part], QUICK.model_copy(update={"published": {"spa-qtm": figures}})).published
    if task == "dictionary":
        assert found == ()
        return
    assert [(one.metric, one.published, one.source) for one in found] == [
        ("chrf++", 95, "Somebody (2024)"),
        ("bleu", 90, "Somebody (2024)"),
    ]
    assert all(one.skill is not None and 0 < one.skill < 1 for one in found)


def test_there_is_no_skill_without_a_gloss() -> None:
    part = measured(cases(40), 0.6, 0.3)
    part = Measured(part.direction, part.task, part.cases, {"ours": part.systems["ours"]})
    figures = {"spa-qtm": Published(scores={"bleu": 90}, source="Somebody (2024)")}
    [found] = derive([part], QUICK.model_copy(update={"published": figures})).published
    assert (found.gloss, found.skill) == (None, None)
    assert str(found) == "no skill: there is no gloss floor to count from"
