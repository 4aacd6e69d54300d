"""Frames and events as they may stand in a log: short, on one line, and without secrets.

Values are shown only for headers on the list below, bodies never: a header that nobody thought
of (a token under another name) must stay hidden by default.
"""

from collections.abc import Mapping
from typing import Final

_SHOWN: Final = frozenset(
    {
        "accept-version",
        "ack",
        "content-length",
        "content-type",
        "destination",
        "heart-beat",
        "host",
        "id",
        "message",
        "message-id",
        "receipt",
        "receipt-id",
        "server",
        "subscription",
        "transaction",
        "version",
        "x-code",
        "x-offset",
        "x-recovered",
        "x-since",
    }
)
_LONGEST: Final = 40
"""Characters of a value: enough for a destination with its room id in most cases."""


def show_text(text: str) -> str:
    """The text quoted, with control characters escaped and the middle of a long one left out."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST // 2] + "…" + text[-_LONGEST // 2 :]
    return repr(str(text))


def show_headers(headers: Mapping[str, str]) -> str:
    """Each header's name, with its value where that is harmless."""
    return " ".join(
        f"{name}={show_text(value)}" if name in _SHOWN else f"{show_text(name)[1:-1]}=<hidden>"
        for name, value in headers.items()
    )


def show_body(body: bytes) -> str:
    """Only how long it is."""
    return f"<{len(body)} bytes>"
