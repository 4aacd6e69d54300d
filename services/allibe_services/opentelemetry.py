"""`Tracer` over OpenTelemetry's SDK, which comes with `allibe[traces]`: spans go out as OTLP.

The SDK sends from a thread of its own, in batches, and drops what its queue has no room for.
"""

import logging
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from allibe_services.trace_context import TRACEPARENT
from allibe_services.tracing import Step

EXPORT_SECONDS = 5
"""For a collector to take a batch."""

_KINDS: Mapping[Step, SpanKind] = {
    "post": SpanKind.PRODUCER,
    "store": SpanKind.CONSUMER,
    "publish": SpanKind.PRODUCER,
    "deliver": SpanKind.CONSUMER,
}

# One line for a batch that is lost is enough; it would say so of each try.
logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.ERROR)

_propagator = TraceContextTextMapPropagator()


class OpenTelemetryTracer:
    """Traces `ratio` of the messages that begin here, and all that were chosen elsewhere."""

    def __init__(
        self, url: str, *, service: str, ratio: float, exporter: SpanExporter | None = None
    ) -> None:
        """`exporter` stands in for OTLP to `url`."""
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": f"allibe-{service}"}),
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            shutdown_on_exit=False,
        )
        to = exporter or OTLPSpanExporter(endpoint=url, timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(to))
        self._tracer = self._provider.get_tracer("allibe")

    def begin(self, step: Step, parent: str | None, ids: Mapping[str, str]) -> "_Span | None":
        """See `Tracer`."""
        context = None if parent is None else _propagator.extract({TRACEPARENT: parent})
        span = self._tracer.start_span(
            f"chat.{step}",
            context=context,
            kind=_KINDS[step],
            attributes={f"chat.{name}": one for name, one in ids.items()},
        )
        return _Span(span) if span.is_recording() else None

    def close(self) -> None:
        """Send what is left. Blocks, for as long as the collector takes."""
        self._provider.shutdown()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, trace.set_span_in_context(span))
        self.context = carrier[TRACEPARENT]

    def end(self, error: str | None = None) -> None:
        if error is not None:
            self._span.set_status(Status(StatusCode.ERROR, error))
        self._span.end()
