"""How things end, for now (`Lost`) or for good (`CannotChat`), and how long to wait between tries.

What the server decides is in its own table (`contracts.disconnects`). What the client finds out by
itself has the code 1006, which no peer sends (RFC 6455 §7.4.1).
"""

import random
import re
from collections.abc import Callable

import msgspec

from allibe_services.contracts.disconnects import TABLE, Disconnect
from allibe_standalone.terminal.view import visible

CONNECTION_LOST = Disconnect(1006, "connection lost", reconnect=True)
NO_ANSWER = Disconnect(1006, "the server does not answer", reconnect=True)

FIRST_SECONDS = 0.5
"""Ceiling of the first wait: a restart behind a load balancer is barely noticed."""

LONGEST_SECONDS = 30.0
"""Ceiling of all waits: somebody watches, and a server that is down costs two tries a minute."""

_DOUBLINGS = 10  # more would be over the longest anyway
_MILLISECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_BY_CODE = {disconnect.code: disconnect for disconnect in TABLE}


class CannotChat(ValueError):
    """Over for good; the text is the one line that the user gets."""

    def __init__(self, text: str) -> None:
        super().__init__(visible(text))


class Lost(Exception):
    """Over for now, unless `disconnect` says otherwise; `text` is the reason in words."""

    def __init__(self, disconnect: Disconnect, text: str = "") -> None:
        self.disconnect = disconnect
        self.text = visible(text or disconnect.reason)
        super().__init__(self.text)


def disconnect_of(code: int, retry_after_ms: str = "") -> Disconnect:
    """Return what a close code stands for; one that the table does not have is a lost connection.

    What the server said besides of when to come back counts more than the table.
    Later servers may have more codes, and proxies have their own: coming back harms neither.
    """
    disconnect = _BY_CODE.get(code, CONNECTION_LOST)
    if disconnect is CONNECTION_LOST or not _MILLISECONDS.fullmatch(retry_after_ms):
        return disconnect
    return msgspec.structs.replace(disconnect, delay_ms=int(retry_after_ms))


class Backoff:
    """Waits with full jitter, so that clients spread out; the ceiling doubles until `reset`.

    It is `longest` seconds at most.
    """

    def __init__(
        self,
        uniform: Callable[[float, float], float] = random.uniform,
        *,
        longest: float = LONGEST_SECONDS,
    ) -> None:
        self._uniform = uniform
        self._longest = longest
        self._tries = 0

    def next(self, at_least_ms: int = 0) -> float:
        """Return the seconds to wait: what the server asks for, plus a share of the ceiling."""
        ceiling = min(self._longest, FIRST_SECONDS * 2**self._tries)
        self._tries = min(self._tries + 1, _DOUBLINGS)
        return at_least_ms / 1000 + self._uniform(0.0, ceiling)

    def reset(self) -> None:
        """Begin again: the connection was good."""
        self._tries = 0
