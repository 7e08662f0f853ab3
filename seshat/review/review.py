"""The verb ``review``: write a sheet for speakers and linguists, or read the filled ones and say what they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from time import perf_counter

from seshat.config import Section
from seshat.data.split import Split, held_out_lines
from seshat.errors import StoreError
from seshat.evaluation.cases import sentence_key
from seshat.evaluation.results import DETAILS
from seshat.examples import TRAINING, parse_lines
from seshat.language import Language
from seshat.review.corrections import write_corrections
from seshat.review.handouts import page, table
from seshat.review.report import describe, results_page
from seshat.review.results import RESULTS, results
from seshat.review.returned import read_returned
from seshat.review.settings import Review
from seshat.review.sheet import KEYS, SHEETS, make_sheet, read_keys, read_samples
from seshat.review.workbook import workbook
from seshat.rights import CORRECTIONS
from seshat.step import Outcome
from seshat.store import Store


def write_review(review: Review, language: Language, store: Store) -> Outcome:
    """Write a sheet as workbook, CSV and page, and its key beside them in a folder of its own."""
    begun = perf_counter()
    adapter = json.loads(store.read(DETAILS))["name"] if store.size(DETAILS) >= 0 else ""
    sheet = make_sheet(read_samples(store, review.samples), review, language, adapter)
    if not sheet.rows:
        raise StoreError(f"{store.path(review.samples)} holds no answers of ours: run 'make eval' again")
    store.write(f"{KEYS}/{sheet.id}.json", sheet.model_dump_json(indent=1).encode())
    for ending, content in (("xlsx", workbook(sheet)), ("csv", table(sheet, review.delimiter)), ("html", page(sheet))):
        store.write(f"{SHEETS}/review-{sheet.id}.{ending}", content)
    return Outcome(
        stage="review",
        seconds=perf_counter() - begun,
        note=f"{len(sheet.rows)} answers to mark: give away one of {store.path(SHEETS)}/review-{sheet.id}.xlsx, .csv and .html; "
        f"put what comes back into {review.returned} and run 'seshat review --read'",
    )


def read_review(review: Review, split: Split, store: Store, raw: str) -> tuple[str, Outcome]:
    """Read the filled sheets, write what they say and the corrections; the results as text, and the outcome."""
    begun = perf_counter()
    sheets = read_keys(store)
    if not sheets:
        raise StoreError(
            f"{store.path(KEYS)} holds no key of a sheet: run 'seshat review' first, or bring the keys from where the sheet was written"
        )
    returned = read_returned(store.path(review.returned), sheets)
    corrected = write_corrections(Store(raw), returned, sheets)
    found = results(returned, sheets, len(corrected))
    store.write(f"{RESULTS}/results.json", found.model_dump_json(indent=1).encode())
    store.write(f"{RESULTS}/marks.jsonl", _lines(returned.marked))
    store.write(f"{RESULTS}/rejected.jsonl", _lines(returned.rejected))
    store.write(f"{RESULTS}/index.html", results_page(found, returned, sheets))
    apart = set(map(sentence_key, _held_out(split, store)))
    num_apart = sum(sentence_key(row.source) in apart for row in corrected)
    note = f"{store.path(RESULTS)}/index.html"
    if corrected:
        note += f"; {len(corrected)} pairs in {raw}/{CORRECTIONS}"
    if num_apart:
        note += f", of which 'make format' keeps {num_apart} from training as leaks: the test, validation or held-out part has them"
    return describe(found, returned, sheets), Outcome(stage="review", seconds=perf_counter() - begun, note=note)


def _lines(rows: Iterable[Section]) -> bytes:
    return "".join(f"{row.model_dump_json()}\n" for row in rows).encode()


def _held_out(split: Split, store: Store) -> Iterator[str]:
    """Both sides of what is kept from training, as far as it is known here."""
    yield from held_out_lines(split, store)
    for part in ("val", "test"):
        name = f"{TRAINING}/{part}.jsonl"
        if store.size(name) >= 0:
            for example in parse_lines(store.read(name).decode().split("\n"), store.path(name)):
                yield from (example.source, example.answer)
