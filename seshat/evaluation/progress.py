"""Whether a round improved: the evaluated run against the one that was evaluated last before it."""

from __future__ import annotations

import logging
import posixpath

from seshat.errors import StoreError
from seshat.evaluation.diff import diff
from seshat.evaluation.results import RUNS, of_run
from seshat.evaluation.runs import read_run
from seshat.evaluation.settings import Evaluation
from seshat.store import Store

log = logging.getLogger(__name__)


def not_better_than(store: Store, name: str, evaluation: Evaluation) -> str:
    """The other run that was evaluated last, if ``name`` is not better than it by chrF++ in any direction of translation.

    Empty if it is, or if there is no other run with these test cases.
    """
    folders = {posixpath.dirname(file) for file in store.names(RUNS) if posixpath.basename(file) == "manifest.json"}
    others = [folder for folder in sorted(folders - {of_run(name)}) if store.manifest(folder)]
    if not others or store.manifest(of_run(name)) is None:
        return ""
    before = posixpath.basename(max(others, key=lambda folder: store.modified(f"{folder}/manifest.json")))
    try:
        found = diff(read_run(before, store), read_run(name, store), evaluation, num_sentences=0)
    except StoreError as error:  # another test set, or another version of a metric: nothing can be said
        log.info("eval: not compared with %s: %s", before, error)
        return ""
    rows = [row.comparison for part in found.parts if part.task == "translation" for row in part.rows]
    verdicts = [one.verdict for one in rows if one.metric == "chrf++"]
    return before if verdicts and "better" not in verdicts else ""
