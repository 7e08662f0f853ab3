"""Read plain files, scans or PDFs: for people and for benchmarks; no configuration of a language is needed.

    python -m jobs.ocr_files [--engine E] [key=value ...] --output DIR FILE...

The keys are those of the section ocr (languages=[spa,eng], dpi=300), execution=ray or local, and cluster.cpus. For each FILE there is
DIR/STEM.json with its pages, their lines, and how sure the engine is of each, and DIR/STEM.txt with the text of the pages that it is
sure of; where two files share a stem, the whole name takes its place. What was read is kept in DIR/.seshat, and not read again.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from seshat import plain
from seshat.cluster.connect import connect
from seshat.cluster.data import do_step
from seshat.data.ocr import step_for
from seshat.data.readers import raw_file
from seshat.messages import say
from seshat.plain import Given, named, on_ray, write
from seshat.records import Page, RawFile, Record
from seshat.settings import Settings
from seshat.store import Store

HARMLESS = ("", "empty")
"""Why a page may have no text without anything being wrong."""


def run(settings: Settings, given: Given) -> int:
    paths, names = given.files, named(given.files)
    files = [raw_file(str(path)) for path in paths]
    step = step_for(files, settings.ocr, settings.language)
    outcome = do_step(step, Store(settings.root), "ray" if on_ray(settings, given, len(step.parts)) else "local", lambda: connect(settings))
    found: dict[str, list[Record]] = {file.origin: [] for file in files}
    store = Store(settings.root)
    for kind in (Page, RawFile):
        for record in (*store.records("ocr", kind), *store.records("ocr", kind, rejected=True)):
            found[record.origin.rpartition("#")[0] if isinstance(record, Page) else record.origin].append(record)
    bad = 0
    for file, path in zip(files, paths, strict=True):
        pages = sorted((record for record in found[file.origin] if isinstance(record, Page)), key=lambda page: page.number)
        wrong = [record for record in found[file.origin] if record.reason not in HARMLESS]
        for record in found[file.origin]:
            if record.rejected:
                place = f", page {record.number}" if isinstance(record, Page) else ""
                say(f"{path}{place}: {record.rejected}", file=sys.stderr)
        bad += bool(wrong)
        if pages:
            text = "".join(f"{page.text}\n" for page in pages if not page.rejected)
            write(given.output, names[path], json.dumps(_told(path, pages), ensure_ascii=False, indent=1), text)
    counts = Counter("rejected" if record.rejected else "read" for records in found.values() for record in records)
    say(f"ocr_files: {len(files)} files, {counts['read']:,} pages read, {counts['rejected']:,} rejected, {outcome.seconds:.1f} s")
    return 1 if bad else 0


def _told(path: Path, pages: Iterable[Page]) -> dict[str, object]:
    return {"file": str(path), "pages": [_page(page) for page in pages]}


def _page(page: Page) -> dict[str, object]:
    """Boxes are left, top, right, bottom, as shares of the width and height of the page, after it was turned."""
    texts = [line for line in page.text.split("\n") if line]
    boxes = [list(page.boxes[start : start + 4]) for start in range(0, len(page.boxes), 4)]
    return {
        "page": page.number,
        "engine": page.engine,
        "confidence": round(page.confidence, 4),
        "turned": page.turned,
        "rejected": page.rejected,
        "text": page.text,
        "lines": [
            {"text": text, "confidence": confidence, "box": box}
            for text, confidence, box in zip(texts, page.confidences, boxes, strict=True)
        ],
    }


if __name__ == "__main__":
    sys.exit(plain.run(run, __doc__, section="ocr", argv=sys.argv[1:], defaults=["max_rejected=1"]))
