"""A collector of traces, as OpenTelemetry has them: OTLP over HTTP, protobuf."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SETTINGS = {
    "ALLIBE_TRACES_RATIO": "1",
    # The SDK's own: how long it gathers spans, in milliseconds, before it sends them.
    "OTEL_BSP_SCHEDULE_DELAY": "100",
}


@dataclass(frozen=True)
class Collected:
    """A span as it arrived; ids are hexadecimal."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    seconds: float
    ids: dict[str, str]


@dataclass
class Collector:
    """What has arrived until now, at `url`."""

    url: str
    spans: list[Collected] = field(default_factory=list)

    def of(self, message: str) -> dict[str, Collected]:
        """Return the spans of a message by their name, the last of each."""
        return {one.name: one for one in self.spans if one.ids.get("chat.message") == message}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Give a collector on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.spans.extend(_spans(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(body: bytes) -> Iterator[Collected]:
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        service = _values(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Collected(
                    service,
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    _values(span.attributes),
                )


def _values(attributes: Any) -> dict[str, str]:
    return {one.key: one.value.string_value for one in attributes}
