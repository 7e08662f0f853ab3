"""Meeting Ray: one session for a whole run, found where the user said, closed only by whoever opened it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import ray

from seshat.cluster.token import keep_private
from seshat.config import environment
from seshat.errors import EngineError

if TYPE_CHECKING:
    from seshat.settings import Cluster, Settings

log = logging.getLogger(__name__)
ATTEMPTS = 3


_keep_open = False
_is_ours = False


def is_ours() -> bool:
    """Whether the session is one that ends with this process, on this machine alone: no node will ever join it."""
    return _is_ours and ray.is_initialized()


@contextmanager
def one_session() -> Iterator[None]:
    """Whatever Ray session is opened inside stays open for all that follows inside; none is opened if none is needed."""
    global _keep_open
    if _keep_open or ray.is_initialized():  # whoever opened the session closes it
        yield
        return
    _keep_open = True
    try:
        yield
    finally:
        _keep_open = False
        ray.shutdown()


@contextmanager
def connect(settings: Settings) -> Iterator[None]:
    """A Ray session: the one that is open, the cluster of a submitted job or of ``cluster.address``, or a local one."""
    if ray.is_initialized():
        yield
        return
    from seshat.settings import check_root  # all rooms with their libraries: a worker, who only asks ``is_ours``, needs none of them

    address = environment("RAY_ADDRESS") or settings.cluster.address
    check_root(settings)
    _start(settings.cluster, address)
    try:
        yield
    finally:
        if not _keep_open:
            ray.shutdown()


DEFAULTS = {
    "RAY_worker_niceness": "0",  # Ray's default of 15 starves workers on a busy machine
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray Serve answers a tenth more requests in one event loop; our models work in threads of their own
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
    "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
    "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1000",
}
"""Settings of Ray that are read from the environment, where nobody has set them."""


def _start(cluster: Cluster, address: str) -> None:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    local = address in ("local", "")
    if local:  # a session of our own, on the loopback: no word about tokens
        logging.getLogger("ray._private.authentication").setLevel(logging.ERROR)
        os.environ.setdefault("RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "serve.gate:before_replicas")
        os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")  # a process for each run: nobody takes this machine away
    for attempt in range(1, ATTEMPTS + 1):
        try:
            ray.init(
                address="local" if local else address,
                num_cpus=(cluster.cpus or None) if local else None,
                include_dashboard=cluster.dashboard if local else None,
                dashboard_host="127.0.0.1",
                log_to_driver=cluster.worker_logs,
                logging_level=logging.WARNING,
                configure_logging=False,
            )
            global _is_ours
            _is_ours = local
            keep_private()  # Ray may just have made one
            return
        except (ConnectionError, RuntimeError, TimeoutError) as error:
            ray.shutdown()
            if attempt == ATTEMPTS or not local:
                raise EngineError(f"Ray could not be reached at {address!r}: {error}") from None
            log.warning("ray: did not start (%s), trying again", str(error).split("\n")[0])
            time.sleep(2)
