"""Work in a process of its own, that may crash, hang or outgrow its memory without harm to whoever asked for it.

Libraries that read what people scanned are written in C, and one file in ten thousand brings one of them down. A worker that went with
it would take its other pages along, and be given the same page again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, Pipe
from typing import Any, Generic, TypeVar

from seshat.errors import DataError

log = logging.getLogger(__name__)
In = TypeVar("In")
Out = TypeVar("Out")
_LOOK = 0.2
"""Seconds between two looks at a process that says nothing."""
_FAREWELL = 2.0
"""Seconds that a process has to end by itself."""
LOADING = 60.0
"""Seconds more that the first result may take, for loading what an engine needs."""


class LostError(DataError):
    """The process ended, hung or was stopped in the middle of its work; begins with one word for the count."""


class Watched(Generic[In, Out]):
    """A generator function whose results are made in another process, one at a time.

    The process is started when it is first needed, and again after it was lost. Function, items and results travel by pickle, so the
    function is one of a module, or an object's method.
    """

    def __init__(self, work: Callable[[In], Iterator[Out]], *, seconds: float, megabytes: float) -> None:
        """``seconds``: the longest that a single result may take. ``megabytes``: the most resident memory; 0: any."""
        self._work, self._seconds, self._megabytes = work, seconds, megabytes
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection

    def __call__(self, item: In) -> Iterator[Out]:
        """The results for an item, as they are made.

        Raises:
            LostError: If the process was lost; what came before it has been yielded.
            Exception: What the function itself raised.
        """
        more = LOADING if self._start() else 0.0
        ended = False
        try:
            self._send(item)
            while not ended:
                kind, value = self._next(self._seconds + more)
                more, ended = 0.0, kind != "result"
                if kind == "error":
                    raise value
                if kind == "result":
                    yield value
        finally:
            if not ended:  # nobody listens to the rest
                self.close()

    def twice(self, item: In) -> list[Out]:
        """All results for an item; if the process is lost it is asked once more, for what killed it may have been something else.

        Raises:
            LostError: If it was lost again.
        """
        try:
            return list(self(item))
        except LostError as lost:
            log.warning("%s; once more", lost)
            return list(self(item))

    def close(self) -> None:
        """End the process, wherever it is in its work."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._line.close()
            self._process = None

    def __del__(self) -> None:
        """Let a process that waits for work clean up behind itself."""
        if self._process:
            self._line.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_FAREWELL)
            self.close()

    def _start(self) -> bool:
        """Whether a process had to be started."""
        if self._process and self._process.poll() is None:
            return False
        self.close()
        self._line, theirs = Pipe()
        surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=surroundings, stdin=subprocess.DEVNULL)
        theirs.close()
        self._send(self._work)
        return True

    def _send(self, what: object) -> None:
        try:
            self._line.send_bytes(pickle.dumps(what))
        except OSError:
            self.close()
            raise LostError("crash: the process that reads it was gone before it began") from None

    def _next(self, seconds: float) -> tuple[str, Any]:
        """What the process says next, if it does in time."""
        limit = time.monotonic() + seconds
        while not self._line.poll(_LOOK):
            if self._process and self._process.poll() is not None:
                break  # what it said last is still to be read
            if time.monotonic() > limit:
                self.close()
                raise LostError(f"hang: nothing came of it within {seconds:g} s")
            if self._megabytes and self._used() > self._megabytes:
                self.close()
                raise LostError(f"memory: it took more than the {self._megabytes:,.0f} MB that it may")
        try:
            kind, value = pickle.loads(self._line.recv_bytes())
        except (EOFError, OSError):
            code = self._process.wait() if self._process else 0
            self.close()
            raise LostError(f"crash: the library that reads it ended with {_named(code)}") from None
        return str(kind), value

    def _used(self) -> float:
        import psutil

        try:
            return float(psutil.Process(self._process.pid).memory_info().rss) / 1e6 if self._process else 0.0
        except psutil.NoSuchProcess:
            return 0.0


def _named(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _serve(line: Connection) -> None:
    """Work for another process until it is gone."""
    os.set_inheritable(line.fileno(), False)  # or a program that the work starts would keep the line open
    logging.getLogger("seshat").setLevel(logging.ERROR)  # what is wrong with a file is said by who asked for it
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    work = pickle.loads(line.recv_bytes())
    while True:
        try:
            item = pickle.loads(line.recv_bytes())
        except EOFError:
            return
        try:
            for result in work(item):
                line.send_bytes(pickle.dumps(("result", result)))
            said: tuple[str, object] = ("end", None)
        except Exception as error:
            said = ("error", error if _travels(error) else DataError(repr(error)))
        line.send_bytes(pickle.dumps(said))


def _travels(error: Exception) -> bool:
    """True for an error that is the same after the journey."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:  # whatever its own methods do
        return False


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
