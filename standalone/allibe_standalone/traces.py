"""Traces as one resource of a process: begun where the settings want some, ended on exit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from urllib.parse import urlsplit

import structlog

from allibe_services import tracing
from allibe_services.settings import Settings
from allibe_services.store.threads import in_daemon_thread

CLOSE_SECONDS = 2.0
"""For what is left to be sent when the process ends."""

log = structlog.get_logger(__name__)


def check(settings: Settings) -> None:
    """Raise `ValueError` for settings under which nothing can be traced."""
    if not settings.traces_url:
        return
    parts = urlsplit(settings.traces_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("ALLIBE_TRACES_URL: wanted http://collector:4318/v1/traces")
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.exporter") is None:
        raise ValueError(
            "ALLIBE_TRACES_URL: OpenTelemetry is not installed: pip install 'allibe[traces]'"
        )


@asynccontextmanager
async def traced(settings: Settings, service: str) -> AsyncIterator[None]:
    """Trace messages while the context lasts, where the settings say so. Raises as `check`."""
    check(settings)
    if not settings.traces_url:
        yield
        return
    from allibe_services.opentelemetry import OpenTelemetryTracer  # noqa: PLC0415 - an extra

    tracer = OpenTelemetryTracer(settings.traces_url, service=service, ratio=settings.traces_ratio)
    tracing.current = tracing.Traces(tracer)
    try:
        yield
    finally:
        tracing.current = None
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.wrap_future(in_daemon_thread(tracer.close, "closing-traces"))
        except TimeoutError:
            log.warning("traces_not_sent", seconds=CLOSE_SECONDS)
