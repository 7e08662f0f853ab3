"""``reports/index.html``: one page that a person reads offline, rendered anew from what is on disk.

What a workspace does not have yet is said to be missing, with the ``make`` that makes it. The page holds its own style and
drawings and asks no host for anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from seshat.evaluation.calibrate import reliability
from seshat.evaluation.charts import curves
from seshat.evaluation.conclude import read_findings
from seshat.evaluation.findings_view import findings_section
from seshat.evaluation.floors import SYSTEMS
from seshat.evaluation.metrics import NAMES, sentence_scores
from seshat.evaluation.results import FOLDER, PartDetails, Sample, read_details, read_samples, read_scores
from seshat.evaluation.runs import ADAPTERS
from seshat.evaluation.score_view import BANDS, LABELS, USUAL_LENGTH, Scores, View, by_part, called, group, headline
from seshat.evaluation.significance import FEWEST
from seshat.evaluation.word_diff import word_diff
from seshat.examples import SPLITS, TRAINING
from seshat.history import read as read_history
from seshat.language import Language
from seshat.origins import RAW, Origins
from seshat.records import digest
from seshat.rights import Consent, Rights
from seshat.serving import Bands
from seshat.store import PROCESSED, Store

REPORT = f"{FOLDER}/index.html"
SUMMARY = f"{FOLDER}/summary.json"
STATS = f"{PROCESSED}/stats/stats.json"
EXTREMES = 5
"""Of the worst and of the best answers of a direction."""
CURVES = ((("loss", "eval_loss"), "Loss by step"), (("chrf++",), "chrF++ of checkpoints on a sample of the validation text"))
TOKENIZER = f"{PROCESSED}/tokenizer/analysis.json"


def write_report(store: Store, language: Language, *, num_samples: int = 40, bands: Bands | None = None, raw: str = RAW) -> str:
    """Render the report of a workspace and give its path.

    ``num_samples`` translations of each direction are shown; ``bands`` are those of confidence, else the usual ones. Where a text came
    from is linked into the folder ``raw``.
    """
    from jinja2 import Environment, StrictUndefined

    page = resources.files("seshat.evaluation") / "page"
    template = (page / "report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    style = (page / "report.css").read_text(encoding="utf-8")
    view = _view(store, language, num_samples, bands or Bands())
    html = environment.from_string(template).render(
        style=_safe(style), language=language, labels=LABELS, origins=Origins(store, raw, REPORT), **view
    )
    store.write(REPORT, html.encode())
    return store.path(REPORT)


def _safe(markup: str) -> Any:
    """Our own markup, not to be escaped."""
    from markupsafe import Markup

    return Markup(markup)


def _view(store: Store, language: Language, num_samples: int, bands: Bands) -> View:
    scores, details, samples = read_scores(store), read_details(store), read_samples(store)
    found = by_part(scores)
    translations = [(direction, rows) for (direction, task), rows in found.items() if task == "translation"]
    stats, tokenizer = _json(store, STATS), _json(store, TOKENIZER)
    return {
        "title": f"{language.name} ({language.code}): evaluation",
        "details": details,
        "headlines": [headline(language, direction, rows, details) for direction, rows in translations],
        "groups": [group(language, direction, rows, details) for direction, rows in translations],
        "names": NAMES,
        "bands": BANDS,
        "fewest": FEWEST,
        "signatures": list(dict.fromkeys(row.signature for row in scores)),
        "samples": _samples(language, samples, num_samples),
        "bands_of_confidence": bands,
        "reliability": [{**one.model_dump(), "title": called(language, one.direction)} for one in reliability(samples, bands)],
        "tasks": [_task(part, found) for part in details.parts] if details else [],
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
        "curves": _curves(store, details.name) if details else [],
    }


def _findings(store: Store, language: Language) -> Any:
    found = read_findings(store)
    return _safe(findings_section(found, language)) if found else ""


def _curves(store: Store, name: str) -> list[View]:
    """The losses and the scores of checkpoints of a run, by step."""
    found = read_history(store.path(f"{ADAPTERS}/{name}/checkpoints")) if store.local else {}
    views = []
    for names, caption in CURVES:
        if lines := {name: found[name] for name in names if name in found}:
            views.append({"svg": curves(lines, caption), "caption": caption})
    return views


def _json(store: Store, name: str) -> Any:
    """What another verb left for the report; None if it has not run."""
    return json.loads(store.read(name)) if store.size(name) >= 0 else None


# Tasks and samples


def _task(part: PartDetails, found: Mapping[tuple[str, str], Scores]) -> View:
    low, high = USUAL_LENGTH
    odd = not low <= part.length_ratio <= high
    return {**part.model_dump(), "odd_length": odd, "chrf": found[part.direction, part.task]["ours", "chrf++"].score}


def _samples(language: Language, samples: Sequence[Sample], number: int) -> list[View]:
    """A few answers for each direction and task, in the order of a hash of their content."""
    grouped: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        grouped.setdefault((sample.task, sample.direction), []).append(sample)
    views = []
    for (task, direction), found in grouped.items():
        title = called(language, direction) if task == "translation" else f"{task}, {called(language, direction)}"
        extremes = _extremes(found) if task == "translation" else []
        shown = number if task == "translation" else number // 4
        chosen = sorted(found, key=lambda one: digest(one.source, one.reference))[:shown]
        views.append({"title": title, "samples": [_sample(one) for one in chosen], "total": len(found), "extremes": extremes})
    return views


def _extremes(samples: Sequence[Sample]) -> list[View]:
    """The worst and the best answers by the chrF++ of their sentences, each with its differences from the reference."""
    scores = sentence_scores("chrf++", [one.hypotheses.get("ours", "") for one in samples], [one.reference for one in samples])
    order = sorted(range(len(samples)), key=lambda place: (scores[place], samples[place].source))
    number = min(EXTREMES, len(order) // 2)
    return [
        {
            "title": title,
            "rows": [
                {
                    "source": samples[place].source,
                    "score": scores[place],
                    "diff": list(word_diff(samples[place].hypotheses.get("ours", ""), samples[place].reference)),
                    "origin": samples[place].origin,
                }
                for place in places
            ],
        }
        for title, places in (("The worst", order[:number]), ("The best", order[::-1][:number]))
        if places
    ]


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
