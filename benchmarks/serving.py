"""How fast the service is: python -m benchmarks.serving --root WORKSPACE [--only NAME ...] [--seconds N]

The same model behind our HTTP and in transformers' `generate`, sentence by sentence, in one run; how much HTTP adds; decoding as a share
of the memory's bandwidth; ten times more than it can take; a replica killed under load; memory over ten thousand requests. The workspace
must hold an exported model: `make quickstart` leaves one in workspaces/sample.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil

from serve.models import Served, find, load
from seshat.evaluation.cases import read_split
from seshat.serving import Serving
from seshat.store import Store

NUM_SENTENCES = 64
CLIENTS = 32
PAUSE = 0.25
"""Seconds after which a refused client comes back, far sooner than it is asked to."""
OVER = 10
"""How many times more than it can take."""
REPLICA = "ServeReplica:seshat:translator"
PARTS = ("speed", "overload", "kill", "memory")


@dataclass
class Heard:
    """What clients were told."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: dict[int, list[float]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    wrong: int = 0
    """Answers that are not the one that the sentence has."""
    took: float = 0.0

    def note(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.seconds.setdefault(status, []).append(seconds)

    def at(self, share: float, status: int = 200) -> float:
        """A quantile of the seconds of a status."""
        found = self.seconds.get(status, [])
        return float(np.quantile(found, share)) if found else float("nan")


class Line:
    """A connection that is kept open: HTTP/1.1, as little of it as there is."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body; 0 if the connection breaks."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
            length = next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length"))
            return int(lines[0].split()[1]), await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0, b""

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def main(arguments: Sequence[str] | None = None) -> None:
    """Print seconds, rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", default="workspaces/sample", metavar="WORKSPACE")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, metavar="NAME", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="of overload")
    asked = parser.parse_args(arguments)
    store = Store(asked.root)
    texts = sentences(store)
    served = find(Serving(), store)
    print(f"{served.path}: {os.path.getsize(served.path) / 1e6:.1f} MB; {len(texts)} sentences, {os.cpu_count()} cores")
    if "speed" in asked.only:
        speed(served, store, texts)
    if "overload" in asked.only:
        with service(store, "max_ongoing_requests=4", "max_queued_requests=8") as port:
            overload(port, texts, OVER * 12, asked.seconds)
    if {"kill", "memory"} & set(asked.only):
        with service(store) as port:
            right = dict(zip(texts, asyncio.run(translated(port, texts)), strict=True))
            if "memory" in asked.only:
                memory(port, texts)
            if "kill" in asked.only:
                kill(port, right)


def sentences(store: Store) -> list[str]:
    """Different sources of the test part."""
    found = [one.source for one in read_split(store, "test") if one.task == "translation" and one.direction.endswith("-qtm")]
    return list(dict.fromkeys(found))[:NUM_SENTENCES]


# Speed


def speed(served: Served, store: Store, texts: list[str]) -> None:
    """Our engine and our HTTP against `generate`, one sentence at a time."""
    one_by_one, tokens = generate(find(Serving(engine="transformers"), store), texts)
    print(f"transformers generate, one by one     {tokens / one_by_one:8.0f} tokens/s  {len(texts) / one_by_one:7.1f} sentences/s")
    translator = load(served, Serving())
    language = served.card.language
    ask = lambda some: translator.translate(some, language.bridge.code, language.code)  # noqa: E731
    ask(texts[:4])
    alone = timed(lambda: [ask([text]) for text in texts])
    print(f"llama.cpp, one by one                 {tokens / alone:8.0f} tokens/s  {one_by_one / alone:7.1f} times")
    together = timed(lambda: ask(texts))
    print(f"llama.cpp, all at once                {tokens / together:8.0f} tokens/s  {one_by_one / together:7.1f} times")
    bandwidth = copied_bytes() * 2
    used = os.path.getsize(served.path) * tokens / alone
    print(
        f"  its weights pass at {used / 1e9:.1f} GB/s, {used / bandwidth:.0%} of the memory's {bandwidth / 1e9:.1f} GB/s; they fit a cache"
    )
    del translator
    with service(store) as port:
        single = timed(lambda: asyncio.run(translated(port, texts)))
        print(f"HTTP, one client, one by one          {tokens / single:8.0f} tokens/s  {one_by_one / single:7.1f} times")
        listed = timed(lambda: asyncio.run(post(port, "/translate", {"q": texts, "source": "spa", "target": "qtm"})))
        print(f"HTTP, one client, a list              {tokens / listed:8.0f} tokens/s  {one_by_one / listed:7.1f} times")
        heard = asyncio.run(rush(port, texts, CLIENTS, 10.0))
        ours = heard.statuses[200] / heard.took
        print(f"HTTP, {CLIENTS} clients                      {ours:8.1f} requests/s, median {1e3 * heard.at(0.5):.0f} ms", end=", ")
        print(f"p95 {heard.at(0.95) / heard.at(0.5):.2f} times that")
        bare = statistics.median(timed_each(lambda text: asyncio.run(translated(port, [text])), texts))
    with service(store, "engine=transformers", "max_ongoing_requests=1") as port:
        heard = asyncio.run(rush(port, texts, CLIENTS, 10.0))
        theirs = heard.statuses[200] / heard.took
        print(f"HTTP, {CLIENTS} clients, generate one by one {theirs:8.1f} requests/s; ours {ours / theirs:.1f} times")
    translator = load(served, Serving())
    engine = statistics.median(timed_each(lambda text: translator.translate([text], language.bridge.code, language.code), texts))
    print(f"HTTP adds {1e3 * (bare - engine):.1f} ms to {1e3 * engine:.1f} ms of the engine (medians of one client)")


def generate(served: Served, texts: list[str]) -> tuple[float, int]:
    """Seconds and tokens of transformers' own loop, with the prompts and limits that we use."""
    import torch

    translator = load(served, Serving(engine="transformers"))
    language = served.card.language
    requests = translator.prepare(texts, language.bridge.code, language.code).requests
    model, end = translator.model.model, translator.tokenizer.end  # type: ignore[attr-defined]
    model.generation_config.eos_token_id = end

    def run() -> int:
        tokens = 0
        with torch.inference_mode():
            for request in requests:
                ids = torch.tensor([request.ids])
                said = model.generate(ids, max_new_tokens=request.limit, do_sample=False, pad_token_id=end)
                tokens += said.shape[1] - ids.shape[1]
        return tokens

    tokens = run()
    return timed(run), tokens


def copied_bytes() -> float:
    """Bytes a second that a core copies from memory to memory; each is read and written."""
    source = np.ones(32 * 2**20, dtype=np.float64)
    target = np.empty_like(source)
    np.copyto(target, source)
    return source.nbytes / min(timed(lambda: np.copyto(target, source)) for _ in range(5))


# What goes wrong


def overload(port: int, texts: list[str], clients: int, seconds: float) -> None:
    """Many more clients than there is room for."""
    heard = asyncio.run(rush(port, texts, clients, seconds, pause=PAUSE))
    statuses, broken = heard.statuses, heard.statuses[0]
    server_errors = sum(count for status, count in statuses.items() if status >= 500)
    print(f"overload, {clients} clients where 12 have room, {seconds:.0f} s: {statuses.total():,} requests, ", end="")
    print(f"{server_errors} of 5xx, {broken} broken")
    print(f"  accepted {statuses[200]:,}, p95 {heard.at(0.95):.2f} s")
    print(f"  refused {statuses[429]:,}, median {1e3 * heard.at(0.5, 429):.0f} ms")


def memory(port: int, texts: list[str], number: int = 10_000) -> None:
    """What a replica grows by."""
    asyncio.run(rush(port, texts, 8, most=1_000))
    before = replica().memory_info().rss
    heard = asyncio.run(rush(port, texts, 8, most=number))
    after = replica().memory_info().rss
    print(f"memory, {heard.statuses[200]:,} requests: {before / 2**20:.0f} to {after / 2**20:.0f} MiB, {after / before - 1:+.1%}")


def kill(port: int, right: dict[str, str]) -> None:
    """A replica dies under load, and another comes up."""

    async def run() -> tuple[Heard, float]:
        rushing = asyncio.create_task(rush(port, list(right), 8, 40.0, right=right, pause=0.05))
        await asyncio.sleep(3)
        os.kill(replica().pid, signal.SIGKILL)
        killed = time.perf_counter()
        await asyncio.sleep(0.5)
        line = Line(port)
        body = json.dumps({"q": next(iter(right)), "source": "spa", "target": "qtm"}).encode()
        while (await asyncio.wait_for(line.post("/translate", body), 60))[0] != 200:
            await asyncio.sleep(0.1)
        recovered = time.perf_counter() - killed
        return await rushing, recovered

    heard, recovered = asyncio.run(run())
    print(f"replica killed: serves again after {recovered:.1f} s; {heard.wrong} wrong of {heard.statuses[200]:,} answers")
    print(f"  {dict(heard.statuses)} (0: the connection broke)")


# Clients


async def rush(
    port: int,
    texts: Sequence[str],
    clients: int,
    seconds: float = 1e9,
    *,
    most: int = 10**9,
    right: dict[str, str] | None = None,
    pause: float = 0.0,
) -> Heard:
    """Clients that ask again and again, after a pause if they were refused."""
    heard, started = Heard(), time.perf_counter()

    async def client(place: int) -> None:
        line = Line(port)
        while time.perf_counter() - started < seconds and heard.statuses.total() < most:
            text = texts[(place + heard.statuses.total()) % len(texts)]
            began = time.perf_counter()
            status, body = await line.post("/translate", json.dumps({"q": text, "source": "spa", "target": "qtm"}).encode())
            heard.note(status, time.perf_counter() - began)
            if status == 200 and right and json.loads(body)["translatedText"] != right[text]:
                heard.wrong += 1
            if status != 200:
                await asyncio.sleep(pause)
        line.close()

    await asyncio.gather(*(client(place) for place in range(clients)))
    heard.took = time.perf_counter() - started
    return heard


async def translated(port: int, texts: Sequence[str]) -> list[str]:
    """The translations, one request after the other on one connection."""
    async with connected(port) as line:
        found = []
        for text in texts:
            status, body = await line.post("/translate", json.dumps({"q": text, "source": "spa", "target": "qtm"}).encode())
            assert status == 200, body
            found.append(json.loads(body)["translatedText"])
        return found


async def post(port: int, path: str, body: dict[str, object]) -> bytes:
    """One request."""
    async with connected(port) as line:
        status, answer = await line.post(path, json.dumps(body).encode())
        assert status == 200, answer
        return answer


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Line]:
    line = Line(port)
    try:
        yield line
    finally:
        line.close()


@contextlib.contextmanager
def service(store: Store, *settings: str) -> Iterator[int]:
    """The real command, as users start it; says how long it takes to be ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "-m", "jobs.serve", f"root={store.root}", f"port={port}", *settings]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        while not ready(port):
            assert process.poll() is None, f"{' '.join(command)} stopped"
            time.sleep(0.1)
        print(f"make serve {' '.join(settings)}: ready after {time.perf_counter() - started:.1f} s")
        yield port
    finally:
        process.terminate()  # SIGINT is ignored by what a script starts in the background
        process.wait(60)


def ready(port: int) -> bool:
    """True if it can translate."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


def replica() -> psutil.Process:
    """The process that holds the model."""
    found = [one for one in psutil.process_iter() if REPLICA in "".join(one.cmdline() or [""])]
    return max(found, key=lambda one: one.create_time())


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def timed_each(work: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Seconds of each."""
    return [timed(lambda text=text: work(text)) for text in texts]  # type: ignore[misc]


if __name__ == "__main__":
    main()
