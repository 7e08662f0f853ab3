"""An S3 server of this machine, with every fault that one has."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from seshat.store import Store

BUCKET = "languages"
Answer = Callable[[str, list[tuple[str, str]]], Any]


class Faulty:
    """An S3 server in front of which somebody may stand: ``fault`` says which requests get 503 in place of an answer."""

    def __init__(self) -> None:
        self._answers = DomainDispatcherApplication(create_backend_app)
        self.fault: Callable[[str, str, int], bool] = lambda method, path, number: False
        self.number = 0

    def __call__(self, environ: dict[str, Any], start: Answer) -> Iterable[bytes]:
        self.number += 1
        if self.fault(environ["REQUEST_METHOD"], environ["PATH_INFO"], self.number):
            start("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code></Error>"]
        answer: Iterable[bytes] = self._answers(environ, start)
        return answer


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Faulty, str]]:
    """On the loopback, for this module."""
    application = Faulty()
    listening = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield application, f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()


@pytest.fixture
def s3(server: tuple[Faulty, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """An empty bucket that libraries find by the environment, as they find the real one."""
    application, address = server
    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    application.fault = lambda method, path, number: False
    yield application
    application.fault = lambda method, path, number: False
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    client.delete_bucket(Bucket=BUCKET)


def upload(raw: Path, root: str) -> None:
    """A raw folder into the workspace of an object store."""
    store = Store(root)
    for path in raw.rglob("*"):
        if path.is_file():
            store.write(f"data/raw/{path.relative_to(raw).as_posix()}", path.read_bytes())
