"""The Ray Serve application: one light deployment that speaks HTTP, one or more replicas that hold the model.

They are apart so that the page, ``/health`` and refusals are answered at once while every copy of the model is busy. The
queue before the model is bounded: what does not fit is refused with 429.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import FastAPI
from ray import serve
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import LoggingConfig

from serve.api import BusyError, build_api
from serve.models import Served, check_calibrated, check_rights, check_withdrawn, find, load
from seshat.errors import ConfigError, EngineError
from seshat.prompts import Card
from seshat.serving import Serving
from seshat.store import Store
from seshat.translate import Translation

log = logging.getLogger(__name__)
APPLICATION = "seshat"
CONNECTIONS = 1000
"""How many requests the HTTP deployment holds open at once; the model's queue is far shorter."""
READY_SECONDS = 2.0
QUIET = LoggingConfig(log_level="WARNING", enable_access_log=False)


class Model:
    """A copy of the model; several requests share it, each in a thread of its own."""

    def __init__(self, served: Served, serving: Serving) -> None:
        self._translator = load(served, serving)
        # Threads of one transformers model would only wait for each other; llama.cpp gives each its slots.
        threads = serving.max_ongoing_requests if served.engine == "llamacpp" else 1
        self._threads = ThreadPoolExecutor(max_workers=threads)
        language = served.card.language
        self._translator.translate(["1."], language.bridge.code, language.code)  # warm: the first request waits no longer than others

    async def translate(self, texts: list[str], source: str, target: str) -> list[Translation]:
        """The translations in order."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._translator.translate, texts, source, target)

    async def ready(self) -> bool:
        """True, for its weights are loaded before it can be asked."""
        return True


class Remote:
    """The model as the HTTP interface sees it: through Ray, with a time limit and a bounded queue."""

    def __init__(self, model: DeploymentHandle, timeout: float) -> None:
        self._model, self._timeout = model, timeout

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        """See ``Backend``; giving up cancels the request if it still waits."""
        made: list[Translation] = await self._wait(self._model.translate.remote(list(texts), source, target), self._timeout)
        return made

    async def ready(self) -> bool:
        """See ``Backend``."""
        try:
            return bool(await self._wait(self._model.ready.remote(), READY_SECONDS))
        except (BusyError, TimeoutError):
            return False

    async def _wait(self, response: Any, seconds: float) -> Any:
        async def result() -> Any:
            return await response

        try:
            return await asyncio.wait_for(result(), seconds)
        except BackPressureError:
            raise BusyError from None
        except TimeoutError:
            response.cancel()
            raise


@serve.ingress()
class Http:
    """The HTTP interface in front of the model."""

    def __init__(self, model: DeploymentHandle, card: Card, serving: Serving) -> None:
        self._model, self._card, self._serving = model, card, serving

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Called by Ray Serve in the replica."""
        return build_api(Remote(self._model, self._serving.timeout), self._card, self._serving)


def build(serving: Serving, store: Store) -> serve.Application:
    """The application for the model that the settings name; refuses what rights or missing files forbid."""
    served = find(serving, store)
    check_rights(serving, served.card)
    check_withdrawn(served, store)
    check_calibrated(serving, served)
    model = serve.deployment(
        Model,
        name="translator",
        num_replicas=serving.replicas,
        ray_actor_options={"num_cpus": serving.cpus_per_replica, "num_gpus": serving.gpus_per_replica},
        max_ongoing_requests=serving.max_ongoing_requests,
        max_queued_requests=serving.max_queued_requests,
        logging_config=QUIET,
    )
    front = serve.deployment(Http, name="http", ray_actor_options={"num_cpus": 0}, max_ongoing_requests=CONNECTIONS, logging_config=QUIET)
    return front.bind(model.bind(served, serving), served.card, serving)


def run(serving: Serving, store: Store, when_ready: Callable[[str], object] = lambda address: None) -> None:
    """Serve until Ctrl-C. Ray is up already; the address is announced when a translation can be served."""
    application = build(serving, store)
    start(serving, application)
    log.info(announcement(serving, find(serving, store)))
    when_ready(f"{_address(serving)}/")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        log.info("serve: stopping")
    finally:
        serve.shutdown()


def start(serving: Serving, application: serve.Application) -> None:
    """Bring an application up on its host and port, and come back when it is ready."""
    _check_port(serving)
    serve.start(http_options={"host": serving.host, "port": serving.port}, logging_config=QUIET)
    serve.run(application, name=APPLICATION, route_prefix="/")
    address = f"{_address(serving)}/ready"
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    serve.shutdown()
    raise EngineError(f"{address} does not answer: Ray Serve's log says why (in Ray's session folder, logs/serve)")


def announcement(serving: Serving, served: Served) -> str:
    """What a user needs to know when the service is up."""
    language = served.card.language
    ours, address = language.short or language.code, _address(serving)
    return "\n".join(
        [
            f"serve: {served.card.name} ({language.bridge.name}, {language.name}) with {served.engine} from {served.path}",
            f"  page   {address}/",
            f"  try    curl -s {address}/translate -H 'content-type: application/json' "
            f"""-d '{{"q": "Buenos días.", "source": "{language.bridge.short}", "target": "{ours}"}}'""",
            "  stop   Ctrl-C",
        ]
    )


def _address(serving: Serving) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(serving.host, serving.host)
    return f"http://{host}:{serving.port}"


def _check_port(serving: Serving) -> None:
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((serving.host, serving.port))
        except OSError as error:
            raise ConfigError(
                f"serving.port: {serving.host}:{serving.port} cannot be used ({error.strerror}): "
                f"set serving.port={serving.port + 1}, or stop what runs there"
            ) from None
