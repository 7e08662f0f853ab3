import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from seshat.evaluation.charts import intervals
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.report import LABELS, write_report
from seshat.evaluation.results import ScoreRow
from seshat.evaluation.settings import Evaluation
from seshat.examples import read_examples
from seshat.prompts import Prompts
from seshat.rights import Consent, Rights, Source
from seshat.store import Manifest, Store
from seshat.translate import Translator
from tests.evaluation.conftest import LANGUAGE


class Page(HTMLParser):
    """What a page says, where it points, and whether its elements are closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.points: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.points += [value or "" for name, value in attrs if name in ("href", "src", "action", "srcset")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One that is opened and closed at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(store: Store) -> Page:
    html = Path(write_report(store, LANGUAGE)).read_text(encoding="utf-8")
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    page = Page(html)
    assert page.open == []
    assert all(target.startswith("#") for target in page.points)
    return page


@pytest.fixture
def evaluated(workspace: Store, translator: Callable[[dict[str, str]], Translator]) -> Store:
    known = {one.prompt: one.answer for one in read_examples(workspace.path("data/training/test.jsonl"))}
    evaluation = Evaluation(bootstrap=100, perplexity_sample=0, base_sample=1)
    loads = {"ours": lambda: translator(known), "base": lambda: translator({})}
    evaluate(evaluation, LANGUAGE, Prompts(), workspace, "tiny", **loads)
    return workspace


def test_an_empty_workspace_says_what_is_missing(tmp_path: Path) -> None:
    text = read(Store(str(tmp_path))).text
    for verb in ("eval", "quickstart", "data-stats", "tokenizer-analysis", "format"):
        assert f"run make {verb} ." in text
    assert "chrF++ compares" in text


def test_the_report_shows_scores_beside_floors_and_samples(evaluated: Store) -> None:
    page = read(evaluated)
    assert "clearly better" in page.text
    assert "The base model was asked for 1 of the sentences only" in page.text
    assert "Misi pawan." in page.text
    assert {"ours", "copy", "nearest", "gloss"} <= set(page.text.split())
    assert "Signatures" in page.text
    assert "chrF2++|nrefs:1" in page.text


def test_what_people_wrote_is_text_not_markup(evaluated: Store) -> None:
    lines = evaluated.read("reports/samples.jsonl").decode().replace("El gato corre.", "<script>alert(1)</script>")
    evaluated.write("reports/samples.jsonl", lines.encode())
    page = read(evaluated)
    assert "<script>alert(1)</script>" in page.text
    assert "script" not in page.open


def test_summary_and_rights_are_shown(evaluated: Store) -> None:
    row = {"stage": "align", "rows_in": 10, "kept": 7, "rejected": {"ratio": 3}, "seconds": 1.5, "note": ""}
    evaluated.write("reports/summary.json", json.dumps([row]).encode())
    rights = Rights(sources={"dictionary": Source(title="Palabras", steward="Comunidad", consent=Consent(publish_text=True))})
    notes = {"rights": rights.model_dump_json()}
    evaluated.finish("data/training", Manifest(stage="training-data", fingerprint="x", notes=notes))
    text = read(evaluated).text
    assert "align 10 7 ratio 3" in text
    assert "dictionary Palabras Comunidad unknown yes yes no no no" in text


@pytest.mark.parametrize(
    ("ours", "floor", "verdict"),
    [
        ((50, 48, 52), (40, 38, 42), "10.0 above the best floor"),
        ((41, 39, 43), (40, 38, 42), "the intervals overlap"),
        ((30, 29, 31), (40, 38, 42), "Below the floor gloss (40.0)"),
    ],
)
def test_the_verdict_claims_no_more_than_the_intervals_allow(
    tmp_path: Path, ours: tuple[float, float, float], floor: tuple[float, float, float], verdict: str
) -> None:
    store = Store(str(tmp_path))
    rows = [row("ours", *ours), row("gloss", *floor), row("ours", 5, 4, 6, "bleu"), row("gloss", 1, 0, 2, "bleu")]
    store.write("reports/scores.json", json.dumps([one.model_dump() for one in rows]).encode())
    assert verdict in read(store).text


def row(system: str, score: float, low: float, high: float, metric: str = "chrf++") -> ScoreRow:
    facts = {"direction": "spa-qtm", "task": "translation", "n": 20, "signature": metric}
    return ScoreRow(system=system, metric=metric, score=score, low=low, high=high, **facts)


def test_the_chart_puts_scores_on_one_scale() -> None:
    svg = intervals([row("ours", 60, 55, 65), row("copy", 30, 25, 35)], LABELS)
    page = Page(svg)
    assert page.open == []
    assert page.text.endswith("ours 60.0 copy 30.0")
    from re import findall

    ours, copy = (float(place) for place in findall(r'cx="([\d.]+)"', svg))
    left = float(findall(r'<line class="axis" x1="([\d.]+)"', svg)[0])
    assert (ours - left) == pytest.approx(2 * (copy - left), abs=0.2)
