"""``reports/index.html``: one page that a person reads offline, rendered anew from what is on disk.

What a workspace does not have yet is said to be missing, with the ``make`` that makes it. The page holds its own style and
drawings and asks no host for anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from seshat.evaluation.charts import FLOORS, intervals
from seshat.evaluation.conclude import read_findings
from seshat.evaluation.findings_view import findings_section
from seshat.evaluation.floors import SYSTEMS, System
from seshat.evaluation.metrics import METRICS, Metric
from seshat.evaluation.results import FOLDER, PartDetails, Sample, ScoreRow, read_details, read_samples, read_scores
from seshat.examples import SPLITS, TRAINING
from seshat.language import Language
from seshat.records import digest
from seshat.rights import Consent, Rights
from seshat.store import PROCESSED, Store

REPORT = f"{FOLDER}/index.html"
SUMMARY = f"{FOLDER}/summary.json"
STATS = f"{PROCESSED}/stats/stats.json"
TOKENIZER = f"{PROCESSED}/tokenizer/analysis.json"
LABELS: Mapping[System, str] = {
    "ours": "ours",
    "copy": "copy",
    "nearest": "nearest",
    "gloss": "gloss",
    "base": "base, untrained",
}
USUAL_LENGTH = (0.8, 1.2)
"""Ratios of answer to reference outside which chrF++ misleads."""
Scores = Mapping[tuple[System, Metric], ScoreRow]
View = dict[str, Any]
"""What the template is given; it goes no further."""


def write_report(store: Store, language: Language, *, num_samples: int = 40) -> str:
    """Render the report of a workspace and give its path; ``num_samples`` translations of each direction are shown."""
    from jinja2 import Environment, StrictUndefined

    page = resources.files("seshat.evaluation") / "page"
    template = (page / "report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    style = (page / "report.css").read_text(encoding="utf-8")
    view = _view(store, language, num_samples)
    html = environment.from_string(template).render(style=_safe(style), language=language, labels=LABELS, **view)
    store.write(REPORT, html.encode())
    return store.path(REPORT)


def _safe(markup: str) -> Any:
    """Our own markup, not to be escaped."""
    from markupsafe import Markup

    return Markup(markup)


def _view(store: Store, language: Language, num_samples: int) -> View:
    scores, details = read_scores(store), read_details(store)
    by_part: dict[tuple[str, str], dict[tuple[System, Metric], ScoreRow]] = {}
    for row in scores:
        by_part.setdefault((row.direction, row.task), {})[row.system, row.metric] = row
    stats, tokenizer = _json(store, STATS), _json(store, TOKENIZER)
    translations = [(direction, found) for (direction, task), found in by_part.items() if task == "translation"]
    return {
        "title": f"{language.name} ({language.code}): evaluation",
        "details": details,
        "headlines": [_headline(language, direction, found) for direction, found in translations],
        "groups": [_group(language, direction, found, details.parts if details else ()) for direction, found in translations],
        "signatures": list(dict.fromkeys(row.signature for row in scores)),
        "samples": _samples(language, read_samples(store), num_samples),
        "tasks": [_task(part, by_part) for part in details.parts] if details else [],
        "funnel": _funnel(_json(store, SUMMARY) or []),
        "stats": stats,
        "examples": _counts(stats["examples"], "task", "direction") if stats else [],
        "sources": _counts(stats["examples"], "collection") if stats else [],
        "histograms": [_histogram(one) for one in stats["lengths"]] if stats else [],
        "tokenizer": tokenizer,
        "several": " ".join(f"{one['letter']} ({one['tokens']})" for one in (tokenizer or {}).get("letters", ()) if one["tokens"] > 1),
        "rights": _rights(store),
        "uses": list(Consent.model_fields),
        "findings": _findings(store, language),
    }


def _findings(store: Store, language: Language) -> Any:
    found = read_findings(store)
    return _safe(findings_section(found, language)) if found else ""


def _json(store: Store, name: str) -> Any:
    """What another verb left for the report; None if it has not run."""
    return json.loads(store.read(name)) if store.size(name) >= 0 else None


# Scores


def _called(language: Language, direction: str) -> str:
    names = {language.code: language.name, language.bridge.code: language.bridge.name}
    return " → ".join(names.get(code, code) for code in direction.split("-"))


def _best_floor(scores: Scores) -> ScoreRow | None:
    floors = [scores[system, "chrf++"] for system in SYSTEMS if system in FLOORS and (system, "chrf++") in scores]
    return max(floors, key=lambda row: row.score, default=None)


def _headline(language: Language, direction: str, scores: Scores) -> View:
    ours, floor = scores["ours", "chrf++"], _best_floor(scores)
    ahead = floor is not None and ours.low > floor.high
    if floor is None:
        verdict = "There is no floor to compare with."
    elif ahead:
        verdict = f"{ours.score - floor.score:.1f} above the best floor, {floor.system} ({floor.score:.1f}): clearly better."
    elif ours.high < floor.low:
        verdict = f"Below the floor {floor.system} ({floor.score:.1f}), which needs no model at all."
    else:
        verdict = f"Not told apart from the floor {floor.system} ({floor.score:.1f}): the intervals overlap."
    return {"title": _called(language, direction), "ours": ours, "bleu": scores["ours", "bleu"], "ahead": ahead, "verdict": verdict}


def _group(language: Language, direction: str, scores: Scores, parts: Sequence[PartDetails]) -> View:
    """One direction of translation: charts, table and what has to be said about it."""
    systems = [system for system in SYSTEMS if (system, "chrf++") in scores]
    charts = [
        {"metric": {"bleu": "BLEU", "chrf++": "chrF++"}[metric], "svg": _safe(intervals([scores[one, metric] for one in systems], LABELS))}
        for metric in METRICS[::-1]
    ]
    table = [{"system": one, "label": LABELS[one], "chrf": scores[one, "chrf++"], "bleu": scores[one, "bleu"]} for one in systems]
    notes = [note for part in parts if (part.direction, part.task) == (direction, "translation") for note in _notes(part)]
    base = scores.get(("base", "chrf++"))
    if base and base.n < scores["ours", "chrf++"].n:
        notes.append(f"The base model was asked for {base.n} of the sentences only, so its interval is wider.")
    return {"title": f"{_called(language, direction)} ({direction})", "charts": charts, "systems": table, "notes": notes}


def _notes(part: PartDetails) -> Iterable[str]:
    if part.num_scored < part.num_available:
        yield f"A sample of {part.num_scored:,} of {part.num_available:,} test sentences, chosen by content."
    low, high = USUAL_LENGTH
    if not low <= part.length_ratio <= high:
        yield f"Our translations are {part.length_ratio:.2f} times as long as the references; outside {low} to {high} chrF++ misleads."
    if part.num_leaked:
        yield f"{part.num_leaked:,} test sentences also stand in the training data, so the score is better than it should be."
    if part.unfinished:
        yield f"{part.unfinished:.1%} of our translations were cut at their limit."


def _task(part: PartDetails, by_part: Mapping[tuple[str, str], Scores]) -> View:
    low, high = USUAL_LENGTH
    odd = not low <= part.length_ratio <= high
    return {**part.model_dump(), "odd_length": odd, "chrf": by_part[part.direction, part.task]["ours", "chrf++"].score}


def _samples(language: Language, samples: Sequence[Sample], number: int) -> list[View]:
    """A few answers for each direction and task, in the order of a hash of their content."""
    grouped: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        grouped.setdefault((sample.task, sample.direction), []).append(sample)
    views = []
    for (task, direction), found in grouped.items():
        title = _called(language, direction) if task == "translation" else f"{task}, {_called(language, direction)}"
        shown = number if task == "translation" else number // 4
        chosen = sorted(found, key=lambda one: digest(one.source, one.reference))[:shown]
        views.append({"title": title, "samples": [_sample(one) for one in chosen], "total": len(found)})
    return views


def _sample(sample: Sample) -> View:
    others = [system for system in SYSTEMS if system not in ("ours", "copy") and system in sample.hypotheses]
    return {**sample.model_dump(), "others": others}


# Data


def _funnel(summary: Sequence[View]) -> list[View]:
    largest = max([row["rows_in"] for row in summary] + [1])
    return [
        {
            **row,
            "note": row.get("note", ""),
            "kept_width": round(100 * row["kept"] / largest, 2),
            "rejected_width": round(100 * sum(row["rejected"].values()) / largest, 2),
        }
        for row in summary
    ]


def _counts(counts: Sequence[View], *names: str) -> list[View]:
    """Examples by some of their facts, the most frequent first, with how many there are in each part of the split."""
    totals: dict[tuple[str, ...], dict[str, int]] = {}
    for one in counts:
        splits = totals.setdefault(tuple(one[name] for name in names), dict.fromkeys(SPLITS, 0))
        splits[one["split"]] += one["count"]
    order = sorted(totals.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return [{**dict(zip(names, facts, strict=True)), "counts": list(splits.values())} for facts, splits in order]


def _histogram(lengths: View) -> View:
    highest = max([*lengths["histogram"], 1])
    bars = [
        {"height": round(100 * number / highest, 1), "title": f"{5 * place} words and more: {number:,} texts"}
        for place, number in enumerate(lengths["histogram"])
    ]
    return {**lengths, "bars": bars}


def _rights(store: Store) -> View:
    """The rights of what the training data was made from, by collection; empty if they are not known yet."""
    manifest = store.manifest(TRAINING)
    written = manifest.notes.get("rights") if manifest else None
    return {name: source.model_dump() for name, source in Rights.model_validate_json(written).sources.items()} if written else {}
