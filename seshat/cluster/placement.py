"""Whether the cluster has a node for what a step asks: Ray itself would wait for ever, and say so only in a log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from seshat.errors import EngineError
from seshat.stage import Resources

_LOOK = 1.0
"""Seconds between two looks at the nodes."""


def require(step: str, asked: Resources, patience: float, keys: Mapping[str, str] | None = None) -> None:
    """Return when a node could hold one worker of a step; an autoscaler, if there is one, is asked for it.

    ``keys`` are the settings that ask for CPU and GPU, where they are not the step's own.

    Raises:
        EngineError: If there is none after ``patience`` seconds; it names what is missing, what there is, and what to set.
    """
    import ray

    wanted = {name: amount for name, amount in (("CPU", asked.cpus), ("GPU", asked.gpus)) if amount}
    deadline = time.monotonic() + patience
    called = False
    try:
        while not any(_fits(wanted, node["Resources"]) for node in ray.nodes() if node["Alive"]):
            if time.monotonic() >= deadline:
                raise EngineError(_missing(step, wanted, [node["Resources"] for node in ray.nodes() if node["Alive"]], patience, keys))
            from ray.autoscaler.sdk import request_resources

            request_resources(bundles=[wanted])  # again and again: a cluster has one such request, which Ray Data overwrites with its own
            called = True
            time.sleep(_LOOK)
    finally:
        if called:
            request_resources(bundles=[])  # or a node would stay, and cost, after the last verb


def _fits(wanted: Mapping[str, float], node: Mapping[str, float]) -> bool:
    return all(node.get(name, 0.0) >= amount for name, amount in wanted.items())


def even_share(nodes: Sequence[float], workers: int) -> float:
    """The most processors that each worker can take so that all of them find room, given those of each node; whole ones above 1."""
    shares = {cores // count or cores / count for cores in nodes for count in range(1, workers + 1)}
    return next(share for share in sorted(shares, reverse=True) if sum(int(cores / share + 1e-9) for cores in nodes) >= workers)


def _missing(
    step: str, wanted: Mapping[str, float], nodes: list[Mapping[str, float]], patience: float, keys: Mapping[str, str] | None
) -> str:
    asked = " and ".join(f"{amount:g} {name}" for name, amount in wanted.items())
    there = "; ".join(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes) or "none"
    lacking = [name for name, amount in wanted.items() if not any(node.get(name, 0.0) >= amount for node in nodes)]
    keys = keys or {name: f"{step}.resources.{name.lower()}s" for name in wanted}
    cure = " or ".join(keys[name] for name in lacking or wanted)
    return (
        f"{step}: a worker asks for {asked}, and no node has that (nodes: {there}): lower {cure}, "
        f"or start such a node; one that takes more than {patience:g} s to come needs a larger cluster.patience"
    )
