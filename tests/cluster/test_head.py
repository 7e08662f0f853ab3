"""The head is lost with everything that it knew; the same command on a new one goes on, because what counts is in the workspace."""

from __future__ import annotations

import time
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from jobs import ocr, sample
from seshat.store import Store
from tests.cluster.head import BIN, ROOT, here, overrides, start_head
from tests.needs import needs_tesseract

pytestmark = [pytest.mark.ray, pytest.mark.slow]
ONE_BY_ONE = "ocr.pages_per_part=1"


@needs_tesseract
def test_a_job_goes_on_when_the_head_was_lost(tmp_path: Path) -> None:
    undisturbed, root = tmp_path / "undisturbed", tmp_path / "workspace"
    here(sample.run, undisturbed)
    here(sample.run, root)
    here(ocr.run, undisturbed, ONE_BY_ONE)
    command = ["python", "-m", "jobs.ocr", *overrides(root), ONE_BY_ONE]
    parts = root / "data/processed/ocr"
    (tmp_path / "first").mkdir()
    with start_head(tmp_path / "first") as head:
        submit = [BIN / "ray", "job", "submit", "--address", head.address, "--working-dir", ".", "--", *command]
        client = Popen(submit, cwd=ROOT, env=head.environment, stdout=PIPE, stderr=PIPE)
        deadline = time.monotonic() + 300
        while len(list(parts.glob("part-*.json"))) < 2:
            assert time.monotonic() < deadline, "no page was read"
            time.sleep(0.02)
    done = {part: part.stat().st_mtime_ns for part in parts.glob("part-*.json")}
    client.communicate(timeout=300)
    assert client.returncode != 0
    assert Store(str(root)).manifest("data/processed/ocr") is None, "the head was lost too late for this test"
    (tmp_path / "second").mkdir()
    with start_head(tmp_path / "second") as head:
        again = head.submit(*command)
    assert again.returncode == 0, again.stdout + again.stderr
    assert all(part.stat().st_mtime_ns == when for part, when in done.items()), "a page was read twice"
    assert made(root) == made(undisturbed)


def made(root: Path) -> dict[str, str]:
    """The SHA-256 of all that was read."""
    manifest = Store(str(root)).manifest("data/processed/ocr")
    assert manifest is not None
    return {file.path: file.sha256 for part in manifest.parts for file in part.files}
