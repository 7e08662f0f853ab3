"""The dashboard and the alerts show what is there: every metric that they name is exported."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from seshat.cluster import metrics

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
SERVED = "".join((ROOT / "serve" / name).read_text("utf-8") for name in ("meters.py", "gate.py"))
OURS = {metrics.RECORDS, metrics.PARTS, metrics.TRAINING, *re.findall(r'"(seshat_\w+)"', SERVED)}
RAYS = ("node_cpu_utilization", "node_mem_used", "node_mem_total", "node_gpus_utilization", "node_disk_free", "node_disk_usage")


def dashboard_expressions() -> list[str]:
    dashboard = json.loads((MONITORING / "grafana.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


def alert_expressions() -> list[str]:
    alerts = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    return [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("expression", [*dashboard_expressions(), *alert_expressions()])
def test_every_metric_is_one_that_is_exported(expression: str) -> None:
    named = set(re.findall(r"\bray_(\w+)", expression))
    assert named
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in named} <= OURS | set(RAYS)


def test_ray_exports_the_metrics_of_nodes_that_are_shown() -> None:
    from ray.dashboard.modules.reporter import reporter_agent

    source = Path(reporter_agent.__file__).read_text(encoding="utf-8")
    assert [name for name in RAYS if f'"{name}"' not in source] == []


def test_all_that_we_export_is_shown() -> None:
    shown = " ".join(dashboard_expressions())
    assert [name for name in sorted(OURS) if f"ray_{name}" not in shown] == ["seshat_tokens_per_second"]


def test_panels_have_places_and_names_of_their_own() -> None:
    panels = json.loads((MONITORING / "grafana.json").read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def test_prometheus_reads_what_ray_writes() -> None:
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text(encoding="utf-8"))
    [job] = config["scrape_configs"]
    assert job["file_sd_configs"] == [{"files": ["/tmp/ray/prom_metrics_service_discovery.json"]}]
    assert [(MONITORING / name).is_file() for name in config["rule_files"]] == [True]
