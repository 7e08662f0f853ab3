"""The Ray Serve application: replicas that speak HTTP and hold the models.

A replica answers the page, ``/health`` and refusals at once, while its models work in threads. Its queue is its own and bounded: what
does not fit is refused with 429, which Ray Serve would not say. It looks for a newer model by itself and takes it up between two
requests, because Ray Serve would stop the old replica before it starts the new one.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI
from ray import serve
from ray.serve.schema import LoggingConfig

from serve.access import Access
from serve.api import build_api
from serve.backend import Models
from serve.meters import Meters
from serve.models import Served, bring, check_calibrated, check_rights, check_withdrawn, find, find_all, home_of, workspace
from seshat.config import Section
from seshat.errors import ConfigError, EngineError, SeshatError
from seshat.prompts import Card
from seshat.serving import Serving
from seshat.store import Store
from seshat.working_copy import PLACE, is_copy

log = logging.getLogger(__name__)
APPLICATION, DEPLOYMENT = "seshat", "translator"
CONNECTIONS = 10_000
"""How many requests a replica holds open at once; the model's queue is far shorter."""
LOOK, LOOK_FAR = 2.0, 30.0
"""Seconds between two looks for a newer model: on the disk, and in an object store."""
TARGET = 16
"""Requests in a replica from which another one comes up, if there may be more."""
QUIET = LoggingConfig(log_level="WARNING", enable_access_log=False)


@serve.ingress()
class Replica:
    """The HTTP interface and the models behind it."""

    async def __init__(self, serving: Serving, root: str) -> None:  # type: ignore[misc]
        """Load the models; a replica is asked nothing before that is done."""
        self._serving, self._store = serving, Store(root)
        self._models = Models(serving)
        self._served: Sequence[Served] = ()
        await self._look()
        self._watching = asyncio.create_task(self._watch()) if serving.reload and not serving.model else None

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Called by Ray Serve in the replica."""
        return build_api(self._models, self._serving, home=self._home, meter=Meters())

    async def _watch(self) -> None:
        """Serve what is newest, and only as long as it may be. What is wrong is said once, and looked at again each time."""
        said = ""
        while True:
            await asyncio.sleep(LOOK_FAR if is_copy(self._store.root) else LOOK)
            try:
                await self._look()
                said = ""
            except Exception as error:  # whatever it is, the next look may find it mended
                if str(error) != said:
                    said = str(error)
                    log.error("serve: %s: %s", type(error).__name__, error)

    async def _look(self) -> None:
        await asyncio.to_thread(bring, self._serving, self._store)
        found = await asyncio.to_thread(find_all, self._serving, self._store)
        try:
            await asyncio.to_thread(check_all, self._serving, found, self._store)
        except SeshatError:
            if found == self._served:  # it was served, and has been withdrawn since
                await self._models.serve(())
                self._served = ()
            raise
        if found != self._served:
            await self._models.serve(found)
            if self._served:
                log.warning("serve: %s is served now", found[0].path)
            self._served = found

    def _home(self, card: Card) -> Store | None:
        served = next((one for one in self._served if one.card.name == card.name), None)
        return home_of(served) if served else None


def check_all(serving: Serving, models: Sequence[Served], store: Store) -> None:
    """Refuse what rights, keys or missing files forbid."""
    if serving.public and not serving.keys:
        raise ConfigError(
            f"serving.host={serving.host} opens the service to other machines, and serving.keys is empty: write a key with "
            "'seshat api-key NAME' and set serving.keys, or set serving.host=127.0.0.1"
        )
    if is_copy(store.root) and serving.feedback and max(serving.replicas, serving.max_replicas) > 1:
        raise ConfigError(
            "serving.feedback: corrections in an object store are written by one machine, and there may be several replicas: set "
            "serving.feedback=false, or serving.replicas=1, or let root be a folder that all nodes share"
        )
    for served in models:
        check_rights(serving, served.card)
        check_withdrawn(served, store)
        check_calibrated(serving, served)


def build(serving: Serving, store: Store) -> serve.Application:
    """The application for the models that the settings name; refuses what rights or missing files forbid."""
    check_all(serving, find_all(serving, store), store)
    Access(serving)  # a wrong key file is said before anything starts
    scaled = {"min_replicas": serving.replicas, "max_replicas": serving.max_replicas, "target_ongoing_requests": TARGET}
    return serve.deployment(
        Replica,
        name=DEPLOYMENT,
        num_replicas="auto" if serving.max_replicas else serving.replicas,
        autoscaling_config=scaled if serving.max_replicas else None,
        ray_actor_options={"num_cpus": serving.cpus_per_replica, "num_gpus": serving.gpus_per_replica},
        max_ongoing_requests=CONNECTIONS,
        graceful_shutdown_timeout_s=serving.timeout,  # who is being answered when it stops still gets the answer
        logging_config=QUIET,
    ).bind(serving, store.root)


class Endpoint(Section):
    """What a configuration of Ray Serve says: ``args`` of an application whose ``import_path`` is ``serve.app:deployed``."""

    root: str
    """The workspace, where every node finds it: a shared folder, or an address of an object store."""
    working_copies: str = PLACE
    """See ``cluster.working_copies``."""
    serving: Serving = Serving()


def deployed(args: Mapping[str, object]) -> serve.Application:
    """``build`` for ``serve deploy`` and KubeRay, with the arguments of an ``Endpoint``; a wrong one is a ValidationError that names it."""
    endpoint = Endpoint.model_validate(dict(args))
    return build(endpoint.serving, workspace(endpoint.serving, endpoint.root, endpoint.working_copies))


def run(serving: Serving, store: Store, when_ready: Callable[[str], object] = lambda address: None) -> None:
    """Serve until Ctrl-C or SIGTERM, and let who is being answered have the answer.

    Ray is up already; the address is announced when a translation can be served.
    """
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())  # Ray's own handler would not wait for anybody
    application = build(serving, store)
    start(serving, application)
    log.info(announcement(serving, find(serving, store)))
    when_ready(f"{address_of(serving)}/")
    try:
        while not stopping.wait(1):
            pass
    except KeyboardInterrupt:
        stopping.set()
    finally:
        log.info("serve: stopping")
        serve.delete(APPLICATION)  # waits for those who are being answered
        serve.shutdown()


def start(serving: Serving, application: serve.Application) -> None:
    """Bring an application up on its host and port, and come back when it is ready."""
    _check_port(serving)
    serve.start(http_options={"host": serving.host, "port": serving.port}, logging_config=QUIET)
    try:
        serve.run(application, name=APPLICATION, route_prefix="/")
    except RuntimeError as error:
        problem = _problem(error)
        serve.shutdown()
        raise EngineError(f"the service did not start: {problem} (Ray's session folder has the log, in logs/serve)") from None
    address = f"{address_of(serving)}/ready"
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    serve.shutdown()
    raise EngineError(f"{address} does not answer: Ray Serve's log says why (in Ray's session folder, logs/serve)")


def _problem(error: RuntimeError) -> str:
    """What a replica said when it could not start: its own error in one line, out of the traceback that Ray Serve has of it."""
    told = serve.status().applications[APPLICATION].deployments[DEPLOYMENT].message
    lines = [line for line in told.splitlines() if line.startswith("seshat.errors.")]
    return lines[-1].partition(": ")[2] if lines else str(error)


def announcement(serving: Serving, served: Served) -> str:
    """What a user needs to know when the service is up."""
    language = served.card.language
    ours, address = language.short or language.code, address_of(serving)
    return "\n".join(
        [
            f"serve: {served.card.name} ({language.bridge.name}, {language.name}) with {served.engine} from {served.path}",
            f"  page   {address}/",
            f"  try    curl -s {address}/translate -H 'content-type: application/json' "
            f"""-d '{{"q": "Buenos días.", "source": "{language.bridge.short}", "target": "{ours}"}}'""",
            "  stop   Ctrl-C",
        ]
    )


def address_of(serving: Serving) -> str:
    """Where a browser of this machine finds the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(serving.host, serving.host)
    return f"http://[{host}]:{serving.port}" if ":" in host else f"http://{host}:{serving.port}"


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
