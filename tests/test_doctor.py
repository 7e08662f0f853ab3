"""What the doctor finds, and that each finding says what to do."""

from __future__ import annotations

import importlib.metadata
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seshat import doctor
from seshat.cluster.checkup import Facts, dashboard, versions
from seshat.finding import FAIL, PASS, WARN, Finding
from seshat.settings import Settings
from tests.make import LANGUAGE

ROOT = Path(__file__).resolve().parents[1]


def named(found: list[Finding], what: str) -> Finding:
    [one] = [one for one in found if one.what == what]
    return one


def test_this_machine_is_examined_and_what_is_wrong_has_a_cure(tmp_path: Path) -> None:
    found = list(doctor.examine(Settings(language=LANGUAGE, root=str(tmp_path))))
    assert {"python", "packages", "disk", "memory", "gpu", "serve", "token", "base model", "material"} <= {one.what for one in found}
    assert [one.what for one in found if one.verdict != PASS and not one.cure and one.what != "ocr"] == []
    assert named(found, "packages").verdict == PASS, str(named(found, "packages"))
    assert named(found, "material").verdict == WARN
    assert named(found, "base model").cure == "make download-model"


def test_a_missing_and_another_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "peft":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "gguf" else real(name)

    monkeypatch.setattr("importlib.metadata.version", version)
    missing, other = doctor.packages()
    assert (missing.verdict, missing.said, missing.cure) == (FAIL, "missing: peft", "make install")
    assert other.said.startswith("other versions than the tested ones: gguf 0.0.1 (tested: ")


def test_a_token_that_others_can_read_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    assert doctor.token().verdict == PASS
    token.write_text("secret")
    token.chmod(0o644)
    assert (doctor.token().verdict, doctor.token().cure) == (FAIL, f"chmod 600 {token}")
    token.chmod(0o600)
    assert doctor.token().verdict == PASS


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        serving = Settings(language=LANGUAGE).serving.model_copy(update={"port": port})
        serve, _ = doctor.ports(Settings(language=LANGUAGE, serving=serving))
    assert (serve.verdict, serve.said) == (WARN, f"port {port} is taken")


def test_nodes_with_other_versions_are_named() -> None:
    def node(name: str, torch: str) -> Facts:
        return Facts(name, {"ray": "2.60.0", "torch": torch}, disk=50, shared_memory=8, gpus=0, seen=0, missing=())

    [wrong] = versions([node("a", "2.13.0"), node("b", "2.13.0"), node("c", "2.12.0")])
    assert (wrong.verdict, wrong.said) == (FAIL, "2.13.0 on most nodes, and c has 2.12.0")
    [right] = versions([node("a", "2.13.0"), node("b", "2.13.0")])
    assert (right.verdict, right.said) == (PASS, "ray 2.60.0, torch 2.13.0")


@pytest.mark.parametrize(("code", "verdict"), [(200, FAIL), (401, PASS), (403, PASS), (500, WARN)])
def test_a_dashboard_that_answers_strangers_fails(serve_once: Callable[[int], str], code: int, verdict: str) -> None:
    assert dashboard(serve_once(code)).verdict == verdict


@pytest.fixture
def serve_once() -> Callable[[int], str]:
    """Something that answers one request with a status; its address."""
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    def start(code: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(code)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Silent."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.handle_request, daemon=True).start()
        return f"127.0.0.1:{server.server_port}"

    return start


def test_the_verb_prints_lines_or_json_and_fails_where_something_fails(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o644)
    command = [sys.executable, "-m", "jobs.doctor", f"root={tmp_path}", "--json"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "RAY_AUTH_TOKEN_PATH": str(token)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    found = {one["what"]: one["verdict"] for one in json.loads(done.stdout)}
    assert (done.returncode, found["token"]) == (1, FAIL), done.stderr
