"""Rows per second from raw material to training JSONL: python -m benchmarks.data [key=value ...]

The data verbs run in this process and then in open Ray sessions of 1, 2 and 4 workers, each into a workspace of its own; the
configuration is the pipeline's with the settings given. Parallel efficiency is the time of one worker, divided by that of several and
by the cores that they have. All results must be the same bytes, or the benchmark fails.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from jobs import align, format, ingest
from seshat.cluster.connect import connect, one_session
from seshat.command import read_settings
from seshat.errors import SeshatError
from seshat.step import Outcome

RAW = Path(__file__).parents[2] / "shared" / "data" / "languages" / "shp" / "raw"
DEFAULTS = ("language=configs/languages/shp.yaml", f"data.raw={RAW}", "ingest.line_by_line=[translations/educational]")
STAGES = {"ingest": ingest, "align": align, "format": format}
WORKERS = (1, 2, 4)


def main(overrides: Sequence[str]) -> None:
    """Print the table."""
    if not overrides and not RAW.is_dir():
        print(f"skipped: {RAW} is not there; name data.raw=FOLDER and language=FILE")
        return
    seconds: dict[str, dict[str, float]] = {}
    trees = {}
    for name in ("local", *(f"ray {number}" for number in WORKERS)):
        with tempfile.TemporaryDirectory() as root:
            seconds[name], rows = _run(root, name, overrides or DEFAULTS)
            trees[name] = _tree(Path(root))
    cores = os.cpu_count() or 1
    for title, rate in (("seconds", False), ("rows/s", True)):
        print(f"{title:<10}{'rows':>10}" + "".join(f"{name:>10}" for name in seconds))
        for stage in (*STAGES, "together"):
            total = rows.get(stage, max(rows.values()))
            taken = [one.get(stage, sum(one.values())) for one in seconds.values()]
            print(f"{stage:<10}{total:>10,}" + "".join(f"{total / one:>10,.0f}" if rate else f"{one:>10.1f}" for one in taken))
    once = sum(seconds["ray 1"].values())
    for number in WORKERS[1:]:
        efficiency = once / sum(seconds[f"ray {number}"].values()) / min(number, cores)
        print(f"parallel efficiency of {number} workers on {cores} cores: {efficiency:.2f}")
    print(f"sha256 of all that was committed: {', '.join(sorted(set(trees.values())))}")
    if len(set(trees.values())) != 1:
        raise SeshatError(f"the results differ: {trees}")


def _run(root: str, name: str, overrides: Sequence[str]) -> tuple[dict[str, float], dict[str, int]]:
    workers = name.partition(" ")[2]
    here = ["execution=local"] if name == "local" else ["execution=ray", f"cluster.cpus={workers}", "cluster.dashboard=false"]
    settings = read_settings("", [*overrides, f"root={root}", *here])
    seconds: dict[str, float] = {}
    rows: dict[str, int] = {}
    with one_session():
        if workers:
            with connect(settings):
                pass  # the session stays open: its start is not what is measured
        for stage, job in STAGES.items():
            start = time.monotonic()
            outcome: Outcome = job.run(settings)
            seconds[stage], rows[stage] = time.monotonic() - start, outcome.rows_in
    return seconds, rows


def _tree(root: Path) -> str:
    """One SHA-256 over the names and bytes of all Parquet and JSONL files; manifests name the root in their settings."""
    sha = hashlib.sha256()
    for path in sorted([*root.rglob("*.parquet"), *root.rglob("*.jsonl")]):
        sha.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return sha.hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
