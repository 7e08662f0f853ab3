"""What reviewers say, in numbers; and what they would say instead, as pairs that ingest reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from seshat.data.ingest import Ingest
from seshat.data.ingest import step as ingest_step
from seshat.data.split import Split
from seshat.data.withdraw import plan
from seshat.errors import StoreError
from seshat.records import SentencePair
from seshat.review.results import read_results
from seshat.review.review import read_review
from seshat.review.settings import Review
from seshat.review.sheet import Sheet
from seshat.rights import read_rights
from seshat.store import Store
from tests.review.conftest import LANGUAGE, Answers, return_table, translations

CORRECTIONS = "data/raw/corrections"


def read(store: Store, split: Split | None = None) -> str:
    """What the terminal shows."""
    said, outcome = read_review(Review(), split or Split(), store, store.path("data/raw"))
    return f"{said}\n{outcome}"


def marks(sheet: Sheet, values: str, mark: str = "accuracy", **cells: str) -> Answers:
    """One mark for each of the first translations."""
    return {row.id: {mark: value, **cells} for row, value in zip(translations(sheet), values, strict=False)}


def test_means_are_of_rows_and_intervals_are_those_of_student(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    return_table(store, sheet, marks(sheet, "1234"), "ana.csv")
    return_table(store, sheet, marks(sheet, "3", reviewer="Luz"), "luz.csv")
    said = read(store)
    found = read_results(store)
    assert found is not None
    [total] = [one for one in found.totals if one.question == "accuracy"]
    assert (total.author, total.direction, total.num_rows, total.counts) == ("ours", "spa-qtm", 4, (1, 1, 2, 1, 0))
    assert total.mean == pytest.approx((2 + 2 + 3 + 4) / 4)
    assert (total.low, total.high) == pytest.approx((1.2265, 4.2735), abs=1e-4)  # 2.75 ± 3.1824 · 0.9574 / 2
    assert "Accuracy, ours" in said
    assert "1.23 to 4.27" in said
    assert (found.num_marked, found.reviewers, found.num_files) == (5, ("ana.csv", "Luz"), 2)


def test_a_single_row_says_nothing_about_others(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    return_table(store, sheet, marks(sheet, "5"))
    read(store)
    found = read_results(store)
    assert found is not None
    assert (found.totals[0].mean, found.totals[0].low, found.totals[0].high) == (5, 1, 5)
    assert found.agreement == ()


def test_rows_with_invented_words_are_counted_by_the_majority(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    first, second, third = (row.id for row in translations(sheet)[:3])
    for name, word in (("Ana", "yaku"), ("Luz", "Yaku, misi"), ("Eva", "")):
        answers = {
            first: {"accuracy": "3", "invented": word},
            second: {"accuracy": "3"},
            third: {"accuracy": "3", "invented": "x" if name == "Eva" else ""},
        }
        return_table(store, sheet, {row: {**cells, "reviewer": name} for row, cells in answers.items()}, f"{name}.csv")
    read(store)
    found = read_results(store)
    assert found is not None
    [share] = [one for one in found.totals if one.question == "invented"]
    assert share.mean == pytest.approx(1 / 3)
    assert (share.low, share.high) == pytest.approx((0.0615, 0.7923), abs=1e-4)  # Wilson, 1 of 3
    assert found.invented == {"yaku": 2, "misi": 1, "x": 1}


def test_agreement_is_over_all_authors_of_a_part(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written(blind=True)
    return_table(store, sheet, marks(sheet, "123455", reviewer="Ana"), "ana.csv")
    return_table(store, sheet, marks(sheet, "123454", reviewer="Luz"), "luz.csv")
    said = read(store)
    found = read_results(store)
    assert found is not None
    [agreement] = [one for one in found.agreement if one.question == "accuracy"]
    assert (agreement.num_rows, agreement.alpha) == (6, pytest.approx(0.95, abs=0.05))
    rows = translations(sheet)[:6]
    for author in ("ours", "reference", "gloss"):
        [total] = [one for one in found.totals if (one.question, one.author) == ("accuracy", author)] or [None]
        assert (total.num_rows if total else 0) == sum(author in row.authors for row in rows)
    assert f"{agreement.alpha:.2f} on 6 rows" in said


def test_corrections_with_consent_become_pairs_that_ingest_reads(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    there, backward = translations(sheet)[0], translations(sheet, "qtm-spa")[0]
    answers: Answers = {
        there.id: {"correction": "Waka sumaq.", "consent": "sí", "reviewer": "Ana"},
        backward.id: {"correction": "La casa es linda.", "consent": "SI", "reviewer": "Ana"},
        translations(sheet)[1].id: {"correction": "Ama apaychu.", "consent": "no"},
        translations(sheet)[2].id: {"correction": "Ama apaychu.", "consent": ""},
        translations(sheet)[3].id: {"correction": translations(sheet)[3].answer, "consent": "sí"},
        sheet.rows[-1].id: {"correction": "waka-pi\ncasa-LOC", "consent": "sí"},
    }
    return_table(store, sheet, answers, "ana_qtm.csv")
    said = read(store)
    work = ingest_step(Ingest(), LANGUAGE, store.path("data/raw"))
    work.run(store)
    pairs = list(store.records("ingest", SentencePair))
    assert [(pair.text, pair.translation, pair.corrected) for pair in pairs] == [
        ("Waka sumaq.", there.source, "qtm"),
        (backward.source, "La casa es linda.", "spa"),
    ]
    name = f"corrections/{sheet.id}-ana-qtm-csv-review.jsonl"
    assert [(pair.origin, pair.collection) for pair in pairs] == [(f"{name}#line={line}", "corrections") for line in (1, 2)]
    assert list(store.records("ingest", SentencePair, rejected=True)) == []
    lines = [json.loads(line) for line in store.read(f"data/raw/{name}").splitlines()]
    assert lines[0] == {
        "qtm": "Waka sumaq.",
        "spa": there.source,
        "corrected_side": "qtm",
        "instead_of": there.answer,
        "reviewer": "Ana",
        "sheet": "ana_qtm.csv",
        "place": "line=2",
        "sheet_row": there.id,
    }
    assert "2 corrections may be used" in said
    assert len(work.parts) == 1, "filled sheets are no material"


def test_consent_that_is_taken_back_takes_the_pairs_back(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    first = translations(sheet)[0].id
    for consent in ("sí", "no"):
        return_table(store, sheet, {first: {"correction": "Waka sumaq.", "consent": consent}}, "ana.csv")
        return_table(store, sheet, {first: {"correction": "Waka allin.", "consent": "sí"}}, "luz.csv")
        read(store)
        names = [name.rpartition("/")[2] for name in store.names(CORRECTIONS)]
        assert names == [f"{sheet.id}-{name}-csv-review.jsonl" for name in (("ana", "luz") if consent == "sí" else ("luz",))]


def test_corrections_of_what_is_held_out_are_counted(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    one, other = translations(sheet)[:2]
    store.write("held.txt", f"Nada.\n{one.source.upper()}\n".encode())
    return_table(store, sheet, {row.id: {"correction": "Waka sumaq.", "consent": "sí"} for row in (one, other)})
    assert "'make format' keeps 1 from training as leaks" in read(store, Split(held_out=("held.txt",)))


def test_sheets_have_no_rights_of_their_own_and_a_withdrawn_source_is_seen_on_them(
    written: Callable[..., Sheet], store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    sheet = written()
    return_table(store, sheet, {translations(sheet)[0].id: {"correction": "Waka sumaq.", "consent": "sí"}})
    read(store)
    read_rights(store.path("data/raw"))
    assert [record.getMessage().partition(": no SOURCE.yaml")[0] for record in caplog.records] == [store.path(CORRECTIONS)]
    learners = plan(store, store.path("data/raw"), "translations/test.tsv").learners
    assert f"reports/review-keys/{sheet.id}.json" in [one.path for one in learners]


def test_all_that_came_back_is_on_disk_and_on_a_page(written: Callable[..., Sheet], store: Store) -> None:
    sheet = written()
    first, second = translations(sheet)[:2]
    answers = {
        first.id: {"accuracy": "1", "comment": "<b>mal</b>", "invented": "yaku"},
        second.id: {"accuracy": "9"},
    }
    return_table(store, sheet, answers)
    assert "mark: 'Exactitud" in read(store)
    assert len(store.read("reports/review-results/marks.jsonl").splitlines()) == 1
    [rejected] = map(json.loads, store.read("reports/review-results/rejected.jsonl").splitlines())
    assert (rejected["place"], rejected["cells"]["accuracy"]) == ("line=3", "9")
    page = store.read("reports/review-results/index.html").decode()
    for text in (first.answer, "&lt;b&gt;mal&lt;/b&gt;", "yaku", "ana.csv#line=3: mark:"):
        assert text in page
    assert "http" not in page


def test_without_a_key_nothing_is_read(store: Store) -> None:
    with pytest.raises(StoreError, match="no key of a sheet: run 'seshat review' first"):
        read(store)
    store.write("reports/review-keys/s1.json", b"{}")
    with pytest.raises(StoreError, match=r"s1\.json is not the key of a sheet"):
        read(store)
