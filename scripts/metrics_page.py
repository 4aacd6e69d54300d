"""docs/metrics.md: a table of metrics for each service."""

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry

from allibe_services.backend_telemetry import BackendMetrics, LoopMetrics
from allibe_services.telemetry import (
    AuthMetrics,
    GatewayMetrics,
    HttpMetrics,
    LimitMetrics,
    PushMetrics,
    WorkerMetrics,
)
from scripts.markdown import table

_HEAD = """\
# Metrics

`/metrics` on the operations port (`ALLIBE_OPS_HOST`, `ALLIBE_OPS_PORT`), in Prometheus' text
format; `make docs` makes these tables from `telemetry.py` and `backend_telemetry.py` in
`services/allibe_services/`. Each process has the metrics of its service, `allibe serve` has all of
them. A histogram `x` shows as `x_bucket`, `x_sum` and `x_count`. Besides these there are the usual
`process_…` and `python_…`. Nothing is labelled by room or user: their number has no bound.
"""

SERVICES: tuple[tuple[str, Callable[[CollectorRegistry], object]], ...] = (
    ("Gateway (`allibe gateway`)", GatewayMetrics),
    ("Fan-out worker (`allibe fanout-worker`)", WorkerMetrics),
    ("Pushes (`allibe fanout-worker`)", PushMetrics),
    ("HTTP (`allibe rooms-api`)", HttpMetrics),
    ("Tokens (`allibe gateway`, `allibe rooms-api`)", AuthMetrics),
    ("Limits (`allibe gateway`, `allibe rooms-api`)", LimitMetrics),
    ("Bus, database and Redis (all processes)", BackendMetrics),
    ("Event loop (all processes)", LoopMetrics),
)


def render() -> str:
    """Return docs/metrics.md."""
    sections = [
        f"\n## {title}\n\n" + table(("name", "type", "labels", "meaning"), _metrics(make))
        for title, make in SERVICES
    ]
    return _HEAD + "".join(sections)


def _metrics(make: Callable[[CollectorRegistry], object]) -> Iterator[tuple[str, ...]]:
    registry = _Recorder()
    make(registry)
    for collector in registry.collectors:
        for metric in collector.describe():
            suffix = "_total" if metric.type == "counter" else ""
            # prometheus_client tells the names of labels nowhere else before the first sample.
            labels = ", ".join(f"`{label}`" for label in getattr(collector, "_labelnames", ()))
            yield f"`{metric.name}{suffix}`", metric.type, labels, metric.documentation


class _Recorder(CollectorRegistry):
    """A registry that says what was registered, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.collectors: list[Any] = []

    def register(self, collector: Any) -> None:
        super().register(collector)
        self.collectors.append(collector)
