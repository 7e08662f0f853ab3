"""Whether the cluster has a node for what a step asks: Ray itself would wait for ever, and say so only in a log."""

from __future__ import annotations

import time
from collections.abc import Mapping

from seshat.errors import EngineError
from seshat.stage import Resources

_LOOK = 1.0
"""Seconds between two looks at the nodes."""


def require(step: str, asked: Resources, patience: float) -> None:
    """Return when a node could hold one worker of a step; an autoscaler, if there is one, is asked for it.

    Raises:
        EngineError: If there is none after ``patience`` seconds; it names what is missing, what there is, and what to set.
    """
    import ray

    wanted = {name: amount for name, amount in (("CPU", asked.cpus), ("GPU", asked.gpus)) if amount}
    deadline = time.monotonic() + patience
    called = False
    while not any(_fits(wanted, node["Resources"]) for node in ray.nodes() if node["Alive"]):
        if time.monotonic() >= deadline:
            raise EngineError(_missing(step, wanted, [node["Resources"] for node in ray.nodes() if node["Alive"]], patience))
        if not called:
            from ray.autoscaler.sdk import request_resources

            request_resources(bundles=[wanted])
            called = True
        time.sleep(_LOOK)


def _fits(wanted: Mapping[str, float], node: Mapping[str, float]) -> bool:
    return all(node.get(name, 0.0) >= amount for name, amount in wanted.items())


def _missing(step: str, wanted: Mapping[str, float], nodes: list[Mapping[str, float]], patience: float) -> str:
    asked = " and ".join(f"{amount:g} {name}" for name, amount in wanted.items())
    there = "; ".join(f"{node.get('CPU', 0):g} CPU and {node.get('GPU', 0):g} GPU" for node in nodes) or "none"
    lacking = [name for name, amount in wanted.items() if not any(node.get(name, 0.0) >= amount for node in nodes)]
    keys = " or ".join(f"{step}.resources.{name.lower()}s" for name in lacking or wanted)
    return (
        f"{step}: a worker asks for {asked}, and no node has that (nodes: {there}): lower {keys}, "
        f"or start such a node; one that takes more than {patience:g} s to come needs a larger cluster.patience"
    )
