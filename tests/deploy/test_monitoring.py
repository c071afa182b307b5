"""Dashboard and alert rules speak of metrics that there are, and ring when they should."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from connector.toolkit.observe import Metrics
from tests.conftest import server_setting

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD: dict[str, Any] = json.loads(
    (ROOT / "deploy" / "grafana" / "connector.json").read_text(encoding="utf-8")
)
_NAME = re.compile(r"\b(?:connector|process)_[a-z_]+")


def exported() -> tuple[set[str], set[str]]:
    """Names of all series that ``/metrics`` can have, and of their labels."""
    metrics = Metrics()
    labels = set()
    for metric in vars(metrics).values():
        names = getattr(metric, "_labelnames", ())
        labels |= set(names)
        if names:
            metric.labels(*names)
    told = generate_latest(metrics.registry).decode()
    return {re.split(r"[ {]", line)[0] for line in told.splitlines() if not line.startswith("#")}, labels


def queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_every_metric_that_is_looked_at_is_exported_and_the_other_way_round() -> None:
    names, labels = exported()
    rules = re.findall(r"(?m)^ +(?:expr: (?!>)|  )(.*connector_.*)$", ALERTS.read_text(encoding="utf-8"))
    asked = {name for text in (*queries(), *rules) for name in _NAME.findall(text)}
    assert len(asked) > 12 and asked <= names, asked - names
    by = {
        word
        for text in (*queries(), *rules)
        for group in re.findall(r"by \(([^)]+)\)", text)
        for word in group.split(", ")
    }
    assert by <= labels | {"le", "job"}, by - labels
    looked_at = {re.sub(r"_(bucket|total|seconds_total)$", "", name) for name in asked}
    ours = {
        name
        for name in names
        if name.startswith("connector_") and not name.endswith(("_created", "_sum", "_count"))
    }
    unseen = {name for name in ours if re.sub(r"_(bucket|total)$", "", name) not in looked_at}
    assert unseen == set(), "a metric nobody looks at"


def test_the_dashboards_panels_have_their_places() -> None:
    panels = DASHBOARD["panels"]
    assert len({p["id"] for p in panels}) == len(panels) and all(p["title"] for p in panels)
    places = [p["gridPos"] for p in panels]
    assert all(p["x"] + p["w"] <= 24 for p in places)
    for a, b in itertools.combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (a, b)


@pytest.mark.real
def test_prometheus_takes_rules_and_queries_and_the_alerts_ring(tmp_path: Path) -> None:
    promtool = server_setting("PROMTOOL")
    for file in (ALERTS, ROOT / "tests" / "deploy" / "alerts.test.yml"):
        shutil.copy(file, tmp_path)
    filled = [re.sub(r"\$__rate_interval", "5m", re.sub(r"\$(town|job)\b", "x", q)) for q in queries()]
    rules = [{"record": f"q{n}", "expr": q} for n, q in enumerate(filled)]
    (tmp_path / "queries.yml").write_text(
        json.dumps({"groups": [{"name": "g", "rules": rules}]}), encoding="utf-8"
    )
    for command in (["check", "rules", "alerts.yml", "queries.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(
            [promtool, *command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
