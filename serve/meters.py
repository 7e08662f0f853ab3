"""What is served, counted for Prometheus: Ray exports it beside its own metrics."""

from __future__ import annotations

from ray.serve.metrics import Counter, Gauge, Histogram

from serve.voices import Made

SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]
CHRF = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]


class Meters:
    """See ``serve.service.Meter``; for a replica of Ray Serve."""

    def __init__(self) -> None:
        self._requests = Counter("seshat_requests", "Requests by path and status.", tag_keys=("path", "status"))
        self._latency = Histogram("seshat_request_seconds", "Seconds until the reply begins.", boundaries=SECONDS, tag_keys=("path",))
        self._waiting = Gauge("seshat_queue", "Requests that are in the replica, at work or waiting.")
        self._tokens = Counter("seshat_tokens", "Tokens that the model said.")
        self._speed = Histogram("seshat_tokens_per_second", "Of a request, its time in the queue included.", boundaries=_doubling(1, 16))
        self._expected = Histogram("seshat_expected_chrf", "The chrF++ to be expected of a translation.", boundaries=CHRF)

    def request(self, path: str, status: int, seconds: float) -> None:
        """See ``Meter``."""
        self._requests.inc(1, {"path": path, "status": str(status)})
        self._latency.observe(seconds, {"path": path})

    def made(self, made: Made, seconds: float, waiting: int) -> None:
        """See ``Meter``."""
        self._waiting.set(waiting)
        if made.tokens:
            self._tokens.inc(made.tokens)
            self._speed.observe(made.tokens / max(seconds, 1e-6))
        for one in made.translations:
            if one.expected is not None:
                self._expected.observe(one.expected)


def _doubling(first: float, number: int) -> list[float]:
    return [first * 2**power for power in range(number)]
