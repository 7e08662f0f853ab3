"""A service that is asked to stop answers whom it is answering."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from tests.tiny_model import PAIRS, exported_workspace

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_sigterm_waits_for_the_answer() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jobs.serve", f"root={exported_workspace()}", f"port={port}"]
    service = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    answers: list[list[str]] = []

    def ask() -> None:
        texts = [text for _ in range(6) for text in PAIRS]
        body = json.dumps({"q": texts, "source": "es", "target": "qtm"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/translate", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            answers.append(json.load(reply)["translatedText"])

    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                    break
            except OSError:
                assert time.monotonic() < deadline
                assert service.poll() is None
                time.sleep(0.2)
        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.05)
        service.send_signal(signal.SIGTERM)
        asking.join()
        assert service.wait(60) == 0
    finally:
        service.kill()
    assert answers == [[*PAIRS.values()] * 6]
