"""``data/processed/rejected.html``: what every stage rejected and why, to be browsed by people offline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from seshat.data.rejected import Rejected, rejected
from seshat.data.withdraw import READABLE
from seshat.language import Language
from seshat.origins import RAW, Origins
from seshat.review.handouts import own, render
from seshat.step import Outcome
from seshat.store import PROCESSED, Store

PAGE = f"{PROCESSED}/rejected.html"


def write_rejected(store: Store, language: Language, *, most: int, raw: str = RAW) -> Outcome:
    """Write the page, with at most ``most`` records for each reason of each stage (0: all)."""
    stages = [view for stage in READABLE if (view := _stage(store, stage, most))]
    html = render("rejected.html.jinja", language=language, stages=stages, origins=Origins(store, raw, PAGE), script=own("rejected.js"))
    store.write(PAGE, html.encode())
    total = sum(stage["rejected"] for stage in stages)
    return Outcome(stage="rejected", rows_in=sum(stage["rows"] for stage in stages), note=f"{total:,} rejected: {store.path(PAGE)}")


def _stage(store: Store, stage: str, most: int) -> dict[str, Any] | None:
    """What the page shows of a stage; None if it is not done or rejected nothing."""
    manifest = store.manifest(f"{PROCESSED}/{stage}")
    counts: Counter[str] = Counter()
    for part in manifest.parts if manifest else ():
        counts.update(part.rejected)
    if manifest is None or not counts:
        return None
    rows = sum(part.rows_in for part in manifest.parts)
    shown: dict[str, list[Rejected]] = {}
    for one in rejected(store, stage, most=most):
        shown.setdefault(one.reason.partition(":")[0].split()[0], []).append(one)
    reasons = [
        {
            "word": word,
            "count": count,
            "share": count / max(1, rows),
            "files": _files(shown.get(word, ())),
            "rows": shown.get(word, ()),
        }
        for word, count in counts.most_common()
    ]
    return {"name": stage, "rows": rows, "rejected": counts.total(), "reasons": reasons}


def _files(rows: Sequence[Rejected]) -> list[tuple[str, int]]:
    """The raw files that most of the shown ones are from."""
    return Counter(row.origin.partition("#")[0] for row in rows).most_common(3)
