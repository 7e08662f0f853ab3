"""What all tests share: one Ray session for the whole run, one written sample, and the real material beside the project where it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from seshat.sample.write import SampleReport

# No deadline, because machines are busy, and the same examples every time.
settings.register_profile("seshat", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("seshat")

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["SESHAT_LANG"] = "en"  # whoever runs the tests
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("RAY_worker_niceness", "0")
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")

CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") if os.path.exists(path)), "")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync", "--no-first-run")
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """A local Ray, started once and only if a test asks for it."""
    import ray

    if ray.is_initialized():
        yield
        return
    for attempt in range(3):
        try:
            ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level="warning")
            break
        except (RuntimeError, ConnectionError, TimeoutError):
            ray.shutdown()
            if attempt == 2:
                raise
    yield
    ray.shutdown()


class Written(NamedTuple):
    """The sample language on disk."""

    raw: Path
    gold: Path
    report: SampleReport


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The sample, which takes seconds to write; who changes it works on a copy."""
    from seshat.sample.write import write

    folder = tmp_path_factory.mktemp("sample")
    return Written(folder / "raw", folder / "gold", write(folder / "raw", folder / "gold"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real raw material and benchmarks, where they lie beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"no real material at {SHARED}")
    return SHARED


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser, where there is one; closed after each module, because it holds the thread's event loop."""
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: 'make install' brings it where it may")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)
