"""`telemetry`, `backend_telemetry`: Prometheus' conventions, and labels that have a bound."""

import re
import subprocess

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest

from allibe_services.contracts.disconnects import TABLE
from allibe_services.contracts.push import PushReason
from allibe_services.telemetry import HttpMetrics
from deploy.cluster.servers.programs import find_program
from scripts.metrics_page import SERVICES

LABELS = {
    *("code", "door", "enforced", "kind", "last", "limit", "link"),
    *("reason", "result", "route", "shard", "status", "step"),
}
"""None is a room, a user or an address: their number has no bound."""


@pytest.fixture(scope="module")
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    for _, make in SERVICES:
        make(registry)
    return registry


def metrics(registry: CollectorRegistry) -> list[Metric]:
    return list(registry.collect())


def test_names_say_whose_they_are(registry: CollectorRegistry) -> None:
    parts = "gateway|worker|push|http|auth|limit|link|bus|database|event_loop"
    for metric in metrics(registry):
        assert re.fullmatch(rf"allibe_({parts})_[a-z_]+", metric.name)


def test_histograms_end_with_their_unit(registry: CollectorRegistry) -> None:
    for metric in metrics(registry):
        if metric.type == "histogram":
            assert metric.name.endswith(("_seconds", "_bytes", "_messages"))


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("gateway_disconnects", "code", {str(one.code) for one in TABLE}),
        ("gateway_recoveries", "result", {"complete", "incomplete", "failed"}),
        ("push_decisions", "reason", set(PushReason)),
    ],
)
def test_what_alerts_count_is_there_before_the_first(
    registry: CollectorRegistry, name: str, label: str, values: set[str]
) -> None:
    """What begins with 500 at once has not increased, by Prometheus; and nothing is no 0."""
    (metric,) = (one for one in metrics(registry) if one.name == f"allibe_{name}")
    totals = [one for one in metric.samples if one.name.endswith("_total")]
    assert {one.labels[label]: one.value for one in totals} == dict.fromkeys(values, 0)


def test_labels_have_a_bound(registry: CollectorRegistry) -> None:
    labels = {
        label
        for collector in registry._collector_to_names
        for label in getattr(collector, "_labelnames", ())
    }
    assert labels == LABELS


def test_prometheus_own_check_finds_nothing(registry: CollectorRegistry) -> None:
    """Help, units, suffixes: https://prometheus.io/docs/practices/naming."""
    done = subprocess.run(
        [find_program("promtool"), "check", "metrics"],
        input=generate_latest(registry),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_a_request_is_counted_under_its_route() -> None:
    registry = CollectorRegistry()
    HttpMetrics(registry).observe("/api/chat/rooms/{room_id}", 200, 0.01)
    value = registry.get_sample_value(
        "allibe_http_request_seconds_count",
        {"route": "/api/chat/rooms/{room_id}", "status": "200"},
    )
    assert value == 1
