"""Grafana's dashboards: what Grafana needs is there, and they ask for what the code exports.

That Prometheus takes every query, and has an answer, is in `e2e.cluster.test_prometheus`.
"""

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from allibe_services.contracts.disconnects import TABLE
from allibe_services.contracts.push import PushReason
from scripts.dashboards import notifications
from scripts.docs import GRAFANA
from scripts.metrics_page import SERVICES
from tests.support.promql import RULES_OWN, exported, metrics_in
from tests.unit.monitoring.test_alerts import RULES

FILES = sorted(GRAFANA.glob("*.json"))
PROVISIONING = GRAFANA.parent / "provisioning"


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.param.read_text())
    assert found["uid"] == request.param.stem
    return found


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Every metric of the code, of prometheus_client on Linux, and of the recording rules."""
    registry = CollectorRegistry()
    for _, make in SERVICES:
        make(registry)
    recorded = {
        rule["record"]
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    process = {"cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds"}
    of_process = {f"process_{name}" for name in process}
    return exported(generate_latest(registry).decode()) | recorded | of_process | RULES_OWN


def test_there_are_four() -> None:
    assert [path.stem.removeprefix("allibe-") for path in FILES] == [
        "gateway",
        "notifications",
        "overview",
        "worker",
    ]


def test_panels_have_ids_of_their_own_and_none_covers_another(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_query_asks_the_chosen_source(dashboard: dict[str, Any]) -> None:
    variables = {one["name"] for one in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(dashboard)))
    assert used <= variables | {"__rate_interval", "__all"}
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_queries_name_metrics_of_the_code(dashboard: dict[str, Any], known: set[str]) -> None:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            names = metrics_in(target["expr"])
            assert names, target["expr"]
            assert names <= known


def test_so_do_the_rules(known: set[str]) -> None:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                assert metrics_in(rule["expr"]) <= known, rule["expr"]


def test_every_reason_of_a_push_is_shown_once() -> None:
    shown = [
        *(PushReason.SCHEDULED, *notifications.NOT_NEEDED, *notifications.PUT_OFF),
        *(*notifications.SENT, *notifications.TRIED_AGAIN),
        *(*notifications.REFUSED, *notifications.OVER),
    ]
    assert sorted(shown) == sorted(PushReason)


def test_rules_name_reasons_and_codes_that_there_are() -> None:
    text = "".join(path.read_text() for path in RULES)
    reasons = {one for found in re.findall(r'reason=~?"([^"]*)"', text) for one in found.split("|")}
    assert reasons <= set(PushReason)
    codes = set(re.findall(r'code="(\d+)"', text))
    assert codes <= {str(one.code) for one in TABLE}


def test_their_source_is_the_one_that_is_provisioned() -> None:
    (source,) = (PROVISIONING / "datasources").glob("*.yml")
    (one,) = yaml.safe_load(source.read_text())["datasources"]
    assert (one["type"], one["isDefault"]) == ("prometheus", True)
