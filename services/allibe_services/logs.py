"""Logs: structlog to standard error, libraries' warnings too. No token, content or name is in them.

Lines say of whom they tell where that is known: `connection`, `user` (the id alone), `room`,
`message`, `shard`, and `trace`, the id of a caller's trace.
"""

import logging
import sys

import structlog
from aiohttp.http import HttpProcessingError

from allibe_services.log_level import LOG_LEVELS, Logger, set_level


def configure_logging(level: str, *, as_json: bool) -> None:
    """Send structlog's events, and warnings of libraries, to standard error."""
    if level.lower() not in LOG_LEVELS:
        raise ValueError(f"ALLIBE_LOG_LEVEL: one of {', '.join(LOG_LEVELS)}")
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
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    finish: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, renderer]
    structlog.configure(
        processors=[*common, *finish],
        wrapper_class=Logger,
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    of_libraries = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(of_libraries)
    logging.basicConfig(handlers=[handler])
    set_level(level.lower())


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell a fault of ours from a peer's request that is no HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
