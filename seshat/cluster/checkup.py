"""What the nodes of a cluster have: the same versions, room, GPUs that torch uses, the model; and whether strangers are kept out."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seshat.finding import FAIL, PASS, WARN, Finding

_SECONDS = 60.0
"""A node that says nothing for so long is not well."""
_STRANGER = "import ray; ray.init(address='{address}', log_to_driver=False, logging_level='error'); print('in')"


@dataclass(frozen=True, slots=True)
class Facts:
    """About one node."""

    name: str
    versions: dict[str, str]
    disk: float
    """Gigabytes free where Ray keeps its files."""
    shared_memory: float
    """Gigabytes of ``/dev/shm``."""
    gpus: int
    """That Ray gives away there."""
    seen: int
    """That torch can use."""
    missing: tuple[str, ...]
    """Files that should be there and are not."""


def examine_cluster(files: Sequence[str]) -> Iterator[Finding]:
    """All nodes of the cluster that this process has joined; ``files`` are paths that each must see."""
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    asked = {node["NodeID"]: _look(node, files) for node in nodes}
    ready, _ = ray.wait(list(asked.values()), num_returns=len(asked), timeout=_SECONDS)
    facts: list[Facts] = []
    for node in nodes:
        answer = asked[node["NodeID"]]
        name = str(node["NodeManagerHostname"])
        if answer not in ready:
            yield Finding(FAIL, name, f"alive, and has not answered for {_SECONDS:.0f} s", "ray stop there, and start it again")
            continue
        try:
            facts.append(ray.get(answer))
        except Exception as error:  # whatever is wrong there is what we are here to tell
            yield Finding(FAIL, name, f"cannot work: {str(error).strip().splitlines()[-1]}", "make install there")
    dead = sum(not node["Alive"] for node in ray.nodes())
    yield Finding(PASS, "nodes", f"{len(nodes)} alive{f', {dead} gone' if dead else ''}")
    yield from versions(facts)
    for one in facts:
        yield from _node(one)
    yield dashboard(_dashboard())
    yield gcs(str(ray.get_runtime_context().gcs_address))


def _look(node: dict[str, object], files: Sequence[str]) -> object:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    resources = node["Resources"]
    assert isinstance(resources, dict)
    there = NodeAffinitySchedulingStrategy(node_id=str(node["NodeID"]), soft=False)
    remote = ray.remote(num_cpus=0)(facts_of_this_node).options(scheduling_strategy=there, max_retries=0)
    return remote.remote(str(node["NodeManagerHostname"]), int(resources.get("GPU", 0)), tuple(files))


def facts_of_this_node(name: str, gpus: int, files: tuple[str, ...]) -> Facts:
    """Runs on the node."""
    import pyarrow
    import ray
    import torch
    import transformers

    import seshat

    return Facts(
        name=name,
        versions={
            "python": platform.python_version(),
            "ray": ray.__version__,
            "torch": torch.__version__.partition("+")[0],
            "transformers": transformers.__version__,
            "pyarrow": pyarrow.__version__,
            "seshat": seshat.__version__,
        },
        disk=shutil.disk_usage("/tmp").free / 1e9,
        shared_memory=shutil.disk_usage("/dev/shm").total / 1e9 if os.path.isdir("/dev/shm") else 0.0,
        gpus=gpus,
        seen=torch.cuda.device_count() if gpus else 0,
        missing=tuple(path for path in files if not os.path.exists(path)),
    )


def versions(facts: Sequence[Facts]) -> Iterator[Finding]:
    """Whether all nodes have the same."""
    for library in facts[0].versions if facts else ():
        found = Counter(one.versions[library] for one in facts)
        if len(found) > 1:
            usual = found.most_common(1)[0][0]
            others = ", ".join(f"{one.name} has {one.versions[library]}" for one in facts if one.versions[library] != usual)
            yield Finding(FAIL, library, f"{usual} on most nodes, and {others}", "the same image, or the same constraints.txt, on all")
    if facts and len({tuple(one.versions.items()) for one in facts}) == 1:
        yield Finding(PASS, "versions", ", ".join(f"{name} {version}" for name, version in facts[0].versions.items()))


def _node(facts: Facts) -> Iterator[Finding]:
    if facts.disk < 5:
        yield Finding(FAIL, facts.name, f"{facts.disk:.1f} GB free in /tmp, where Ray spills", "a larger disk, or RAY_TMPDIR elsewhere")
    if facts.shared_memory < 2:
        yield Finding(
            WARN, facts.name, f"{facts.shared_memory:.1f} GB of /dev/shm", "docker run --shm-size=8g, or the volume 'shm' of KubeRay"
        )
    if facts.seen < facts.gpus:
        yield Finding(FAIL, facts.name, f"Ray gives away {facts.gpus} GPUs, and torch can use {facts.seen}", "make check-gpu there")
    if facts.missing:
        yield Finding(FAIL, facts.name, f"does not see {', '.join(facts.missing)}", "mount the shared folder there, or root=s3://...")
    if facts.disk >= 5 and facts.shared_memory >= 2 and facts.seen >= facts.gpus and not facts.missing:
        yield Finding(PASS, facts.name, f"{facts.disk:,.0f} GB free, {facts.shared_memory:.1f} GB of /dev/shm, {facts.gpus} GPUs")


def dashboard(address: str) -> Finding:
    """A stranger who asks for the list of jobs must get 401: Ray's job interface runs whatever it is sent."""
    if not address:
        return Finding(PASS, "dashboard", "there is none")
    try:
        urllib.request.urlopen(f"http://{address}/api/jobs/", timeout=10).close()
    except urllib.error.HTTPError as refused:
        if refused.code in (401, 403):
            return Finding(PASS, "dashboard", f"{address} refuses a stranger ({refused.code})")
        return Finding(WARN, "dashboard", f"{address} answers a stranger with {refused.code}")
    except OSError as error:
        return Finding(WARN, "dashboard", f"{address} does not answer ({error})")
    return Finding(FAIL, "dashboard", f"{address} lets anybody run anything", "RAY_AUTH_MODE=token for ray start (docs/cluster.md)")


def gcs(address: str) -> Finding:
    """A stranger who wants to join must be refused, too."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_AUTH", "RAY_JOB", "RAY_ADDRESS"))}
    command = [sys.executable, "-c", _STRANGER.format(address=address)]
    try:
        done = subprocess.run(
            command, env=environment | {"RAY_AUTH_MODE": "disabled"}, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding(PASS, "gcs", f"{address} keeps a stranger waiting")
    if done.stdout.strip().endswith("in"):
        return Finding(FAIL, "gcs", f"{address} lets anybody join", "RAY_AUTH_MODE=token for ray start (docs/cluster.md)")
    return Finding(PASS, "gcs", f"{address} refuses a stranger")


def _dashboard() -> str:
    from ray._private.worker import get_dashboard_url

    return str(get_dashboard_url() or "").removeprefix("http://")
