"""Logs: structlog to standard error. No token, content or name goes into them."""

import logging
import sys

import structlog
from aiohttp.http import HttpProcessingError

LOG_LEVELS = ("debug", "info", "warning", "error")


def configure_logging(level: str, *, as_json: bool) -> None:
    """Send structlog's events, and warnings of libraries, to standard error."""
    if level.lower() not in LOG_LEVELS:
        raise ValueError(f"ALLIBE_LOG_LEVEL: one of {', '.join(LOG_LEVELS)}")
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), format="%(message)s")
    # It logs a traceback for what is no HTTP, and quotes it: addresses hold tokens.
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    # It quotes subprotocols that it does not know, and some clients put tokens there.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    # They log a traceback for each connection that ends; the bus says it in a line.
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    logging.getLogger("aio_pika").setLevel(logging.CRITICAL)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell a fault of ours from a peer's request that is no HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
