"""What `ray up` would be given: complete, bounded, and closed to strangers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=["cluster.yaml", "deploy/cluster-gcp.yaml", "deploy/cluster-onprem.yaml"])
def cluster(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A configuration as Ray fills it up and accepts it."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    written = yaml.safe_load((PROJECT / request.param).read_text(encoding="utf-8"))
    if written["provider"]["type"] == "gcp":
        written["provider"]["project_id"] = "a-project"
    config: dict[str, Any] = prepare_config(written)
    validate_config(config)
    return config


def test_ray_refuses_a_key_that_it_does_not_know(cluster: dict[str, Any]) -> None:
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import validate_config

    with pytest.raises(ValidationError, match="head_node_typ"):
        validate_config({**cluster, "head_node_typ": "head"})


def test_every_kind_of_node_is_bounded_and_the_head_only_leads(cluster: dict[str, Any]) -> None:
    kinds = cluster["available_node_types"]
    if cluster["provider"]["type"] == "local":
        pytest.skip("machines of one's own are what they are")
    assert cluster["head_node_type"] in kinds
    assert kinds[cluster["head_node_type"]]["resources"].get("GPU", 0) == 0
    workers = {name: kind for name, kind in kinds.items() if name != cluster["head_node_type"]}
    assert any(kind["resources"].get("GPU") for kind in workers.values())
    assert all(kind["min_workers"] == 0 < kind["max_workers"] <= cluster["max_workers"] for kind in workers.values())


def test_nobody_gets_in_without_a_token(cluster: dict[str, Any]) -> None:
    starts = [*cluster["head_start_ray_commands"], *cluster["worker_start_ray_commands"]]
    started = [command for command in starts if "ray start" in command]
    assert len(started) == 2
    assert all("RAY_AUTH_MODE=token" in command for command in started)
    assert "--dashboard-host=127.0.0.1" in started[0]
    assert "~/.ray/auth_token" in cluster["file_mounts"]


def test_every_node_has_one_system_whose_python_is_new_enough(cluster: dict[str, Any]) -> None:
    """Ray refuses nodes with another Python, and ``make install`` one before 3.11, such as that of Ubuntu 22.04."""
    nodes = [str(kind.get("node_config")) for kind in cluster["available_node_types"].values()]
    images = {image for node in nodes for image in re.findall(r"'(?:ImageId|sourceImage)': '([^']+)'", node)}
    assert len(images) == (0 if cluster["provider"]["type"] == "local" else 1)
    assert all(re.search(r"24\.?04", image) for image in images)
