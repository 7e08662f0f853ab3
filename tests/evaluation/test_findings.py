"""What an evaluation found, put together from answers that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seshat.evaluation.cases import Part
from seshat.evaluation.findings import Findings, Material, Spoken, find
from seshat.evaluation.judge import Answer
from seshat.examples import Example
from tests.evaluation.conftest import LANGUAGE, TEST, TRAIN, example, translations, word

TRAINING = [*translations(TRAIN * 5, "train"), word("yaku", "agua", "train"), word("misi", "gato", "train")]


def spoken(examples: Sequence[Example], answers: Sequence[str], scores: Sequence[float] = ()) -> Spoken:
    first = examples[0]
    said = {
        "ours": {place: Answer(text, 0.5, True) for place, text in enumerate(answers)},
        "base": {0: Answer("...", 0.5, False)},
    }
    part = Part(first.direction, first.task, tuple(examples), len(examples))
    return Spoken(part, said, list(scores) or [50.0] * len(examples))


def found(*parts: Spoken, **facts: object) -> Findings:
    return find(parts, Material(language=LANGUAGE, training=TRAINING, test_set="test.jsonl", **facts))  # type: ignore[arg-type]


def forward() -> list[Example]:
    return [one for one in translations(TEST, "test") if one.direction == "spa-qtm"]


def test_everybody_has_rates_the_references_first() -> None:
    findings = found(spoken(forward(), ["Misi bebebe.", "El perro duerme mucho."]))
    rows = {row.speaker: row for row in findings.rates}
    assert list(rows) == ["reference", "ours", "base"]
    assert (rows["ours"].num, rows["base"].num) == (2, 1)
    ours = rows["ours"].rates
    assert ours.invented is not None
    assert (ours.invented.hits, ours.copied.hits) == (1, 1)
    assert rows["base"].rates.ended is not None
    assert rows["base"].rates.ended.hits == 0
    assert [(one.direction, [word.word for word in one.words]) for one in findings.invented] == [("spa-qtm", ["bebebe"])]


def test_dictionary_answers_are_judged_by_all_entries() -> None:
    asked = [word("wasi", "casa", "test"), replace(word("wasi", "hogar", "test"), origin="two")]
    findings = found(spoken(asked, ["hogar", "hogar"]))
    assert [(row.task, row.exact.exact.hits) for row in findings.exact] == [("dictionary", 1)]
    accepted = findings.exact[0].exact.accepted
    assert accepted is not None
    assert accepted.hits == 2


def test_gaps_are_those_of_the_test_and_of_the_text_that_the_user_gave() -> None:
    findings = found(spoken(forward(), ["Misi pawan.", "Allku"]), bridge_texts=["El presupuesto no alcanza."])
    bridge, taught = findings.gaps
    assert (bridge.language, taught.language) == ("spa", "qtm")
    assert {"mucho", "presupuesto"} <= {gap.word for gap in bridge.words}
    assert "gato" not in {gap.word for gap in bridge.words}
    assert any("presupuesto" in one.what for one in findings.advice)


def test_tasks_without_translations_are_enough() -> None:
    findings = found(spoken([example("completion", "qtm", "Sigue", "Misi", "pawan.", "test")], ["pawan"]))
    assert findings.lacking == ()
    assert findings.advice[-1].kind == "training"
    assert Findings.model_validate_json(findings.model_dump_json()) == findings


def test_a_run_that_is_not_better_is_told_so_first() -> None:
    assert "not better than spring" in found(spoken(forward(), ["a", "b"]), not_better_than="spring").advice[0].what
