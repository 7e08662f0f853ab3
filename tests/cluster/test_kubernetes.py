"""What KubeRay would be given: fields that it knows, pods that Kubernetes accepts, and no door that stands open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MANIFESTS = {
    (path.stem, document["kind"]): document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
}
RAY = {key: value for key, value in MANIFESTS.items() if value["apiVersion"] == "ray.io/v1"}
KUBERNETES = "1.33"

# The part of KubeRay's schema (ray.io/v1, version 1.5.1) that is used here, written from its API reference; pods are Kubernetes' own.
OPTIONS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
NUMBER = {"type": "integer", "minimum": 0}
GROUP: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["groupName", "template"],
    "properties": {
        "groupName": {"type": "string"},
        **dict.fromkeys(("replicas", "minReplicas", "maxReplicas", "idleTimeoutSeconds", "numOfHosts"), NUMBER),
        "rayStartParams": OPTIONS,
        "template": {"type": "object"},
    },
}
CLUSTER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rayVersion", "headGroupSpec", "authOptions"],
    "properties": {
        "rayVersion": {"type": "string"},
        "authOptions": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"mode": {"enum": ["disabled", "token"]}, "secretName": {"type": "string"}},
        },
        "enableInTreeAutoscaling": {"type": "boolean"},
        "autoscalerOptions": {"type": "object"},
        "headGroupSpec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["template"],
            "properties": {"rayStartParams": OPTIONS, "template": {"type": "object"}, "serviceType": {"type": "string"}},
        },
        "workerGroupSpecs": {"type": "array", "items": GROUP},
    },
}
SPECS: dict[str, dict[str, Any]] = {
    "RayCluster": CLUSTER,
    "RayJob": {
        "type": "object",
        "additionalProperties": False,
        "required": ["entrypoint", "rayClusterSpec"],
        "properties": {
            "entrypoint": {"type": "string"},
            "runtimeEnvYAML": {"type": "string"},
            "shutdownAfterJobFinishes": {"type": "boolean"},
            **dict.fromkeys(("backoffLimit", "ttlSecondsAfterFinished", "activeDeadlineSeconds"), NUMBER),
            "rayClusterSpec": CLUSTER,
        },
    },
    "RayService": {
        "type": "object",
        "additionalProperties": False,
        "required": ["serveConfigV2", "rayClusterConfig"],
        "properties": {"serveConfigV2": {"type": "string"}, "rayClusterConfig": CLUSTER},
    },
}


def cluster_of(manifest: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]
    return spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec


def pods(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cluster = cluster_of(manifest)
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        yield group["template"]["spec"]


def test_there_is_one_for_each_way_of_running() -> None:
    assert {manifest["kind"] for manifest in RAY.values()} == set(SPECS)


@pytest.mark.parametrize("name", RAY, ids=lambda name: name[0])
def test_kuberay_knows_every_field(name: tuple[str, str]) -> None:
    jsonschema.validate(RAY[name]["spec"], SPECS[name[1]])
    misspelt = json.loads(json.dumps(RAY[name]["spec"]).replace('"rayStartParams"', '"rayStartParam"'))
    with pytest.raises(jsonschema.ValidationError, match="rayStartParam"):
        jsonschema.validate(misspelt, SPECS[name[1]])


@pytest.mark.parametrize("name", MANIFESTS, ids=lambda name: f"{name[0]} {name[1]}")
def test_kubernetes_accepts_every_pod_and_volume(name: tuple[str, str]) -> None:
    manifest = MANIFESTS[name]
    if name not in RAY:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        return
    for spec in pods(manifest):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)
        volumes = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize("name", RAY, ids=lambda name: name[0])
def test_no_door_stands_open(name: tuple[str, str]) -> None:
    cluster = cluster_of(RAY[name])
    assert cluster["authOptions"] == {"mode": "token"}
    assert cluster["headGroupSpec"].get("serviceType", "ClusterIP") == "ClusterIP", "no address outside the cluster"
    assert all(spec["securityContext"]["runAsUser"] != 0 for spec in pods(RAY[name]))


@pytest.mark.parametrize("name", RAY, ids=lambda name: name[0])
def test_versions_are_those_of_the_constraints(name: tuple[str, str]) -> None:
    assert cluster_of(RAY[name])["rayVersion"] == version("ray")


def test_memory_and_processors_are_asked_for() -> None:
    for manifest in RAY.values():
        for spec in pods(manifest):
            for container in spec["containers"]:
                assert {"cpu", "memory"} <= container["resources"]["requests"].keys() & container["resources"]["limits"].keys()


def test_the_endpoint_of_the_service_is_one_that_ray_serve_can_build() -> None:
    from ray.serve.schema import ServeDeploySchema

    from serve.app import Endpoint, deployed

    config = ServeDeploySchema.model_validate(yaml.safe_load(RAY["rayservice", "RayService"]["spec"]["serveConfigV2"]))
    [application] = config.applications
    assert application.import_path == f"{deployed.__module__}:{deployed.__name__}"
    endpoint = Endpoint.model_validate(application.args)
    assert endpoint.serving.public
    assert endpoint.serving.keys, "what others can reach asks for a key"
