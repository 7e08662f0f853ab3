import json
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from seshat.evaluation.charts import intervals
from seshat.evaluation.evaluate import evaluate
from seshat.evaluation.report import write_report
from seshat.evaluation.results import (
    Against,
    Bucket,
    BucketScore,
    Details,
    PublishedRow,
    ScoreRow,
    read_samples,
    write_details,
    write_samples,
    write_scores,
)
from seshat.evaluation.score_view import LABELS
from seshat.evaluation.settings import Evaluation
from seshat.evaluation.significance import Comparison, Verdict
from seshat.examples import read_examples
from seshat.history import append
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
    assert all(target.startswith(("#", "../data/raw/")) for target in page.points)
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
    assert "Not told apart from the floor" in page.text
    assert "; 2 sentences are too few to tell." in page.text
    assert "too small to score" in page.text
    assert "The base model was asked for 1 of the sentences only" in page.text
    assert "Misi pawan." in page.text
    assert {"ours", "copy", "nearest", "gloss"} <= set(page.text.split())
    assert "Signatures" in page.text
    assert "chrF2++|nrefs:1" in page.text
    assert "TER|nrefs:1" in page.text
    assert "runs/ , to be compared with seshat diff" in page.text


def test_expected_scores_stand_beside_measured_ones(evaluated: Store) -> None:
    assert "Nothing is expected of these translations" in read(evaluated).text
    samples = read_samples(evaluated)
    write_samples(evaluated, [one.model_copy(update={"expected": 55.0 if one.task == "translation" else None}) for one in samples])
    text = read(evaluated).text
    assert "green 55.0 100.0 2 " in text
    assert "red 0 " in text


def test_what_people_wrote_is_text_not_markup(evaluated: Store) -> None:
    lines = evaluated.read("reports/samples.jsonl").decode().replace("El gato corre.", "<script>alert(1)</script>")
    evaluated.write("reports/samples.jsonl", lines.encode())
    page = read(evaluated)
    assert "<script>alert(1)</script>" in page.text
    assert "script" not in page.open


def test_the_worst_and_the_best_are_shown_with_their_differences(evaluated: Store) -> None:
    samples = [one for one in read_samples(evaluated) if one.task == "translation"]
    wrong = samples[0].model_copy(update={"hypotheses": {**samples[0].hypotheses, "ours": "otra cosa"}})
    write_samples(evaluated, [wrong, *samples[1:]])
    html = Path(write_report(evaluated, LANGUAGE)).read_text(encoding="utf-8")
    assert "<h3>The worst: " in html
    assert "<h3>The best: " in html
    assert "<del>otra cosa</del> <ins>" in html


def test_where_a_text_came_from_is_linked(evaluated: Store) -> None:
    samples = read_samples(evaluated)
    place = "audio/relato.wav#second=1.20..3.40"
    write_samples(evaluated, [one.model_copy(update={"origin": place}) for one in samples])
    assert place in read(evaluated).text
    assert not [target for target in read(evaluated).points if "audio" in target], "the recording is not there"
    evaluated.write("data/raw/audio/relato.wav", b"x")
    assert "../data/raw/audio/relato.wav#t=1.20,3.40" in read(evaluated).points


def test_the_training_is_drawn(evaluated: Store) -> None:
    assert "Nothing was kept of how it went" in read(evaluated).text
    for step, loss in enumerate((4.0, 3.0, 2.5), 1):
        append(evaluated.path("models/adapters/tiny/checkpoints"), step, {"loss": loss})
    text = read(evaluated).text
    assert "loss 2.5" in text
    assert "Loss by step" in text


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
    ("difference", "p", "n", "verdict", "said"),
    [
        (10.0, 0.002, 200, "better", "10.0 above the best floor, gloss (40.0): better, p = .002."),
        (10.0, 0.3, 200, "not told apart", "Not told apart from the floor gloss (40.0), p = .300."),
        (10.0, 0.002, 19, "not told apart", "Not told apart from the floor gloss (40.0), p = .002; 19 sentences are too few to tell."),
        (-10.0, 0.002, 200, "worse", "Worse than the floor gloss (40.0), which needs no model at all, p = .002."),
    ],
)
def test_the_verdict_claims_no_more_than_the_paired_test(
    tmp_path: Path, difference: float, p: float, n: int, verdict: Verdict, said: str
) -> None:
    found = Comparison(metric="chrf++", n=n, difference=difference, low=difference - 1, high=difference + 1, p=p, verdict=verdict)
    text = read(written(Store(str(tmp_path)), 40 + difference, comparisons=[found])).text
    assert said in text
    assert ("): better," in text) == (verdict == "better")


def test_scores_that_nobody_compared_are_not_called_better(tmp_path: Path) -> None:
    text = read(written(Store(str(tmp_path)), 90)).text
    assert "Not compared with the best floor, gloss (40.0), yet: run make eval again." in text
    assert "): better," not in text


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"gloss": 40, "skill": 0.5, "low": 0.4, "high": 0.6}, "skill 0.50 [0.40, 0.60]"),
        ({"gloss": 40, "skill": None}, "no skill: the published 28.4 is not above the gloss floor of 40.0"),
        ({"gloss": None, "skill": None}, "no skill: there is no gloss floor to count from"),
    ],
)
def test_the_published_figure_stands_in_the_table_of_the_floors(tmp_path: Path, facts: dict[str, float | None], said: str) -> None:
    row = PublishedRow(direction="spa-qtm", source="Somebody <2024>", metric="chrf++", ours=45, published=28.4, **facts)
    text = read(written(Store(str(tmp_path)), 45, published=[row])).text
    assert f"published 28.4 {said}" in text
    assert f"chrF++ 28.4 is published: {said}." in text
    assert "Published: Somebody <2024>. Only figures on the same test set compare." in text


def test_buckets_are_shown_and_small_ones_only_counted(tmp_path: Path) -> None:
    found = Comparison(metric="chrf++", n=30, difference=-2, low=-3, high=-1, p=0.01, verdict="worse")
    score = {"metric": "chrf++", "ours": 38, "low": 36, "high": 41, "floor": 40, "comparison": found}
    scores = (BucketScore(**score), BucketScore(**{**score, "metric": "bleu"}))
    buckets = [
        Bucket(direction="spa-qtm", by="length", name="6-10", n=30, floor="gloss", scores=scores),
        Bucket(direction="spa-qtm", by="length", name="21+", n=3),
    ]
    text = read(written(Store(str(tmp_path)), 45, buckets=buckets)).text
    assert "length: 6-10 30 38.0 36.0 – 41.0 gloss 40.0 -2.0 [-3.0, -1.0], p = .010, worse" in text
    assert "length: 21+ 3 too small to score" in text


@pytest.mark.parametrize(
    ("bleu", "said"),
    [
        (4.6, "below the guide’s lowest band, which begins at 10"),
        (10, "in the guide’s band 10–20, getting the gist, many errors"),
        (29.9, "in the guide’s band 20–30, understandable translations, noticeable errors"),
        (97, "in the guide’s band 40+, very good to excellent"),
    ],
)
def test_bleu_is_read_as_the_guide_does_and_warned_of(tmp_path: Path, bleu: float, said: str) -> None:
    text = read(written(Store(str(tmp_path)), 45, bleu=bleu)).text
    assert f"BLEU {bleu:.1f}, {said}." in text
    assert "30–40 good translations, minor errors" in text
    assert "The best published systems for languages with so little text score BLEU 1 to 12" in text


def written(store: Store, chrf: float, *, bleu: float = 5.0, comparisons: Sequence[Comparison] = (), **told: Any) -> Store:
    """An evaluation on disk: ours, and a gloss of chrF++ 40."""
    rows = [row("ours", chrf, chrf - 1, chrf + 1), row("gloss", 40, 39, 41)]
    write_scores(store, [*rows, row("ours", bleu, bleu, bleu, "bleu"), row("gloss", 1, 1, 1, "bleu")])
    against = [Against(direction="spa-qtm", task="translation", system="gloss", **dict(one)) for one in comparisons]
    write_details(store, Details(name="tiny", test_set="x", parts=(), num_memory=1, num_links=1, comparisons=against, **told))
    return store


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
