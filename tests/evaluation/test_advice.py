import re
from collections.abc import Sequence

import pytest

from seshat.evaluation.advice import Advice, Evidence, Habit, TrainingSettings, advise
from seshat.evaluation.forgetting import Forgetting
from seshat.evaluation.gaps import Gap, Gaps
from seshat.evaluation.limits import limits
from seshat.evaluation.morphemes import Lacking
from seshat.evaluation.rates import Rates
from seshat.evaluation.shares import Share
from seshat.evaluation.weak import FileQuality, Group
from seshat.settings import Settings
from tests.evaluation.conftest import LANGUAGE


def share(hits: int, total: int = 1000) -> Share:
    return Share.counted([True] * hits + [False] * (total - hits))


def rates(*, invented: int = 0, copied: int = 0, repeated: int = 0, wrong: int = 0, ended: int = 1000) -> Rates:
    return Rates(invented=share(invented), copied=share(copied), repeated=share(repeated), wrong_language=share(wrong), ended=share(ended))


def habit(ours: Rates, people: Rates | None = None) -> Habit:
    return Habit("spa-qtm", "translation", ours, people or rates())


def group(kind: str, name: str) -> Group:
    return Group(kind=kind, name=name, direction="spa-qtm", num=30, score=20, rest=50, trained=4, weak=True)


def lack(piece: str, trained: int) -> Lacking:
    return Lacking(piece=piece, in_references=30, in_answers=0, trained=trained, examples=("wasimanta",))


GAPS = Gaps(language="spa", words=(Gap(word="teatro", count=9, trained=0, example="El teatro."),), num_words=12, share=0.05, covered=0.01)
NOISY = FileQuality(file="translations/laws", num_pairs=100, rejected={"score": 60}, num_aligned=40, num_doubtful=20)
CLEAN = FileQuality(file="translations/songs", num_pairs=100, rejected={"ratio": 3}, num_aligned=0, num_doubtful=0)


def about(found: Sequence[Advice], text: str) -> Advice:
    return next(one for one in found if text in one.what)


def test_without_any_weakness_the_settings_are_all_there_is_to_say() -> None:
    found = advise(Evidence(language=LANGUAGE, habits=[habit(rates())], files=[CLEAN]))
    assert [one.kind for one in found] == ["training"]
    assert "in this order" in found[0].do.lower()


WEAK = Evidence(
    language=LANGUAGE,
    habits=[habit(rates(invented=200, copied=100, repeated=100, wrong=100, ended=500))],
    groups=[group("task", "dictionary"), group("file", "laws"), group("length", "21-40 words"), group("length", "41 words and more")],
    gaps=GAPS,
    lacking=[lack("-manta", 1000), lack("-rayku", 3)],
    files=[NOISY, CLEAN],
)
"""All weaknesses at once."""


def test_settings_are_named_with_their_values() -> None:
    settings = TrainingSettings.model_validate(
        {"model": "Qwen3", "num_train_epochs": 3, "learning_rate": 2e-4, "lora": {"r": 64}, "seed": 1}
    )
    do = advise(Evidence(language=LANGUAGE, training=settings))[-1].do
    for expected in (
        "`training.num_train_epochs` (now 3)",
        "`training.learning_rate` (now 0.0002)",
        "`training.lora.alpha` (now 64)",
        "now Qwen3",
    ):
        assert expected in do


def test_every_setting_that_is_advised_is_there() -> None:
    forgotten = Forgetting(num_texts=9, before=1, after=2, low=0.5, high=1.5).sentence("español")
    texts = [one.do for one in advise(WEAK)] + [forgotten]
    keys = {key for text in texts for key in re.findall(r"\b(?:training|format|hints|clean|align)\.[\w.]*\w", text)}
    assert {"training.lora.r", "training.max_seq_length", "hints.words", "clean.language", "format.task_weights.dictionary"} <= keys
    for key in keys:
        kind: object = Settings
        for name in key.removesuffix(".dictionary").split("."):
            assert name in kind.model_fields, key  # type: ignore[attr-defined]
            kind = kind.model_fields[name].annotation  # type: ignore[attr-defined]


def test_data_comes_before_settings_whatever_was_found() -> None:
    found = advise(WEAK)
    kinds = [one.kind for one in found]
    assert kinds == sorted(kinds)
    assert kinds.count("training") == 3
    assert "teatro" in found[0].what
    assert "translations/laws (80% of 100 pairs" in about(found, "many pairs").what
    assert "songs" not in about(found, "many pairs").what
    assert "-rayku" in about(found, "has hardly seen").what
    assert "-manta" in about(found, "though training has them often").what
    assert "format.task_weights.dictionary" in about(found, "The task dictionary is weak").do
    assert "(4 in training)" in about(found, "Sentences from laws").do
    assert "20 of 100 (translation, spa-qtm; people: 0.0)" in about(found, "writes words").what


@pytest.mark.parametrize("name", ["invented", "copied", "repeated", "wrong"])
def test_what_people_do_as_often_is_no_fault(name: str) -> None:
    same = rates(**{name: 50})
    assert len(advise(Evidence(language=LANGUAGE, habits=[habit(same, rates(**{name: 40}))]))) == 1
    assert len(advise(Evidence(language=LANGUAGE, habits=[habit(same, rates(**{name: 5}))]))) == 2


def test_a_round_that_did_not_improve_is_told_where_its_data_is_bad() -> None:
    first, *others = advise(Evidence(language=LANGUAGE, files=[NOISY, CLEAN], gaps=GAPS, not_better_than="spring"))
    assert first.what == "This run is not better than spring beyond chance."
    assert "quality of the data, not the size of the model" in first.do
    assert "translations/laws (80% of 100 pairs" in first.do
    assert not any("many pairs" in one.what for one in others), "said once"


def test_limits_are_sentences_with_what_people_do_beside_it() -> None:
    evidence = Evidence(
        language=LANGUAGE,
        habits=[habit(rates(invented=50, wrong=20, ended=900), rates(invented=30))],
        gaps=GAPS,
        lacking=[lack("-manta", 9)],
    )
    said = limits(evidence, None, "dev.qtm and dev.spa")
    assert said[0].startswith("Into tamo: of 100 words that it writes, 5.0 are in no text")
    assert "(in people's translations: 3.0); of 100 translations, 2.0 are in the wrong language; 90 of 100 end by themselves." in said[0]
    assert "12 words of the sentences in español, 5.0% of all their words: teatro and others" in said[1]
    assert "-manta (wasimanta)" in said[2]
    assert "measured on dev.qtm and dev.spa" in said[-2]
    assert "seshat review" in said[-1]
