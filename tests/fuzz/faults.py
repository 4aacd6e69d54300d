"""Faults that nobody sees: errors and tracebacks in the log, exceptions that a loop swallows."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from structlog.testing import capture_logs


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextmanager
def no_fault_is_logged() -> Iterator[None]:
    """Fail if anything is logged as an error meanwhile, by us, aiohttp or the loop."""
    swallowed: list[dict[str, Any]] = []
    loop, records = asyncio.get_running_loop(), _Records()
    loop.set_exception_handler(lambda _, context: swallowed.append(context))
    logging.getLogger().addHandler(records)
    try:
        with capture_logs() as logs:
            yield
    finally:
        logging.getLogger().removeHandler(records)
        loop.set_exception_handler(None)
    faults = [one for one in logs if one["log_level"] in ("error", "critical")]
    assert [*faults, *records.texts, *swallowed] == []
