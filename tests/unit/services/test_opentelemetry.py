"""`opentelemetry`: what the SDK makes of spans."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from allibe_services.opentelemetry import OpenTelemetryTracer

IDS = {"message": "m1", "room": "1", "user": "alice"}
ELSEWHERE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def tracer(exporter: InMemorySpanExporter, ratio: float) -> OpenTelemetryTracer:
    return OpenTelemetryTracer("http://unused", service="gateway", ratio=ratio, exporter=exporter)


def test_spans_have_names_ids_and_parents(exporter: InMemorySpanExporter) -> None:
    it = tracer(exporter, 1)
    post = it.begin("post", None, IDS)
    assert post is not None
    store = it.begin("store", post.context, IDS)
    assert store is not None
    store.end()
    post.end("not_confirmed")
    it.close()
    child, root = exporter.get_finished_spans()
    assert (root.name, child.name) == ("chat.post", "chat.store")
    assert dict(root.attributes or {}) == {f"chat.{name}": one for name, one in IDS.items()}
    assert root.resource.attributes["service.name"] == "allibe-gateway"
    assert root.parent is None
    assert child.parent is not None
    assert (child.context.trace_id, child.parent.span_id) == (
        root.context.trace_id,
        root.context.span_id,
    )
    assert (root.status.status_code, root.status.description) == (
        StatusCode.ERROR,
        "not_confirmed",
    )
    assert child.status.status_code is StatusCode.UNSET


def test_messages_are_chosen_by_the_ratio(exporter: InMemorySpanExporter) -> None:
    assert tracer(exporter, 0).begin("post", None, IDS) is None


@pytest.mark.parametrize(("ratio", "chosen", "traced"), [(0, "1", True), (1, "0", False)])
def test_but_not_once_they_are_chosen_or_not(
    exporter: InMemorySpanExporter, ratio: float, chosen: str, traced: bool
) -> None:
    span = tracer(exporter, ratio).begin("store", ELSEWHERE + chosen, IDS)
    assert (span is not None) is traced


def test_closing_sends_what_is_left(exporter: InMemorySpanExporter) -> None:
    it = tracer(exporter, 1)
    span = it.begin("post", None, IDS)
    assert span is not None
    span.end()
    it.close()
    assert len(exporter.get_finished_spans()) == 1
