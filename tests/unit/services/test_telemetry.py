"""`telemetry`: figures without names of rooms or users."""

from prometheus_client import CollectorRegistry

from allibe_services.telemetry import GatewayMetrics, HttpMetrics, WorkerMetrics


def test_labels_have_a_bound() -> None:
    """No metric is labelled by room or user: their number has none."""
    registry = CollectorRegistry()
    GatewayMetrics(registry)
    WorkerMetrics(registry)
    HttpMetrics(registry).observe("/api/chat/rooms/{room_id}", 200, 0.01)
    labels = {
        label
        for metric in registry.collect()
        for sample in metric.samples
        for label in sample.labels
    }
    assert labels <= {"le", "route", "status"}
    value = registry.get_sample_value(
        "allibe_http_request_seconds_count",
        {"route": "/api/chat/rooms/{room_id}", "status": "200"},
    )
    assert value == 1
