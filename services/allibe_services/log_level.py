"""The least level that is logged, for the whole process; it can be changed at any time."""

import logging
from typing import Any

import structlog

LOG_LEVELS = ("debug", "info", "warning", "error")

_NUMBERS = {name: logging.getLevelNamesMapping()[name.upper()] for name in LOG_LEVELS}

_least = _NUMBERS["info"]


def level() -> str:
    """Return the least level that is logged now."""
    return next(name for name, number in _NUMBERS.items() if number == _least)


def set_level(name: str) -> None:
    """Log this level and what is more urgent from now on; libraries from `warning` on at most.

    `name` is one of `LOG_LEVELS`.
    """
    global _least  # noqa: PLW0603 - of the process, as all of logging is
    _least = _NUMBERS[name]
    logging.getLogger().setLevel(max(_least, logging.WARNING))


def debugs() -> bool:
    """Tell whether `debug` is logged: to be asked first where there is a line for each message."""
    return _least <= logging.DEBUG


class Logger(structlog.BoundLoggerBase):
    """A logger that looks at the level with each call: structlog's own have it for good."""

    def debug(self, event: str, **fields: Any) -> None:
        if _least <= logging.DEBUG:
            self._proxy_to_logger("debug", event, **fields)

    def info(self, event: str, **fields: Any) -> None:
        if _least <= logging.INFO:
            self._proxy_to_logger("info", event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        if _least <= logging.WARNING:
            self._proxy_to_logger("warning", event, **fields)

    def error(self, event: str, **fields: Any) -> None:
        self._proxy_to_logger("error", event, **fields)

    def exception(self, event: str, **fields: Any) -> None:
        self.error(event, **{"exc_info": True} | fields)
