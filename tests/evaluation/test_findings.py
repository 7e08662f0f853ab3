"""What an evaluation found, put together from answers that are known."""

from __future__ import annotations

from seshat.evaluation.findings import Findings, Material, find
from seshat.evaluation.findings_view import findings_section
from seshat.evaluation.forgetting import Forgetting
from seshat.evaluation.results import Sample
from seshat.evaluation.shares import Share
from tests.evaluation.conftest import LANGUAGE, TEST, TRAIN, translations, word

TRAINING = [*translations(TRAIN * 5, "train"), word("yaku", "agua", "train"), word("misi", "gato", "train")]


def sample(source: str, reference: str, ours: str, *, task: str = "translation", direction: str = "spa-qtm", base: str = "") -> Sample:
    hypotheses = {"ours": ours} | ({"base": base} if base else {})
    return Sample(direction=direction, task=task, source=source, reference=reference, hypotheses=hypotheses, origin="t.tsv#line=1")


FORWARD = [sample(*TEST[0], "Misi bebebe.", base="..."), sample(*TEST[1], "El perro duerme mucho.")]


def found(*samples: Sample, **facts: object) -> Findings:
    known = {"language": LANGUAGE, "training": TRAINING, "test_set": "test.jsonl", "ended": {}, **facts}
    return find(samples, Material(**known))  # type: ignore[arg-type]


def test_everybody_has_rates_the_references_first() -> None:
    findings = found(*FORWARD, ended={("spa-qtm", "translation"): Share.of(1, 2)})
    rows = {row.speaker: row.rates for row in findings.rates}
    assert list(rows) == ["reference", "ours", "base"]
    assert (rows["ours"].copied.total, rows["base"].copied.total) == (2, 1)
    assert rows["ours"].invented is not None
    assert (rows["ours"].invented.hits, rows["ours"].copied.hits) == (1, 1)
    assert rows["ours"].ended is not None
    assert (rows["ours"].ended.share, rows["base"].ended, rows["reference"].ended) == (0.5, None, None)
    assert [(one.direction, [word.word for word in one.words]) for one in findings.invented] == [("spa-qtm", ["bebebe"])]


def test_dictionary_answers_are_judged_by_all_entries() -> None:
    facts = {"task": "dictionary", "direction": "qtm-spa"}
    asked = [sample("wasi", "casa", "hogar", **facts), sample("wasi", "hogar", "hogar", **facts), sample("misi", "felino", "gato", **facts)]
    [row] = found(*asked).exact
    assert row.exact.accepted is not None
    assert (row.task, row.exact.exact.hits, row.exact.accepted.hits) == ("dictionary", 1, 3)


def test_gaps_are_those_of_the_test_and_of_the_text_that_the_user_gave() -> None:
    findings = found(*FORWARD, bridge_texts=["El presupuesto no alcanza."])
    bridge, taught = findings.gaps
    assert (bridge.language, taught.language) == ("spa", "qtm")
    assert {"mucho", "presupuesto"} <= {gap.word for gap in bridge.words}
    assert "gato" not in {gap.word for gap in bridge.words}
    assert any("presupuesto" in one.what for one in findings.advice)


def test_tasks_without_translations_are_enough() -> None:
    findings = found(sample("Misi", "pawan.", "pawan", task="completion", direction="qtm"))
    assert findings.lacking == ()
    assert findings.advice[-1].kind == "training"
    assert Findings.model_validate_json(findings.model_dump_json()) == findings


def test_a_run_that_is_not_better_is_told_so_first() -> None:
    assert "not better than spring" in found(*FORWARD, not_better_than="spring").advice[0].what


def test_the_page_says_it_in_words_and_escapes_what_people_wrote() -> None:
    forgotten = Forgetting(num_texts=9, before=1, after=2, low=0.5, high=1.5)
    hostile = sample("<b>uno</b> dos `tres`", "huk", "<script>alert(1)</script> blabla blabla")
    html = findings_section(found(*FORWARD, hostile, forgetting=forgotten), LANGUAGE)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<code>seshat next</code>" in html
    assert "The model has forgotten some español" in html
    assert "Into tamo: of 100 words that it writes" in html
    assert "No task, file or length of sentences is answered worse" in html
    assert "bebebe" in html
