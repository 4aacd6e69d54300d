"""Ends connections that ask and do not read what they are answered.

aiohttp waits for ever until an answer fits into the socket's buffer, while up to some MiB of those
before stay in the kernel: who sends requests by the thousand and reads nothing costs that much for
each of his connections. A WebSocket has a bound of its own, which knows who may be how far behind.
"""

import structlog
from aiohttp import web

from allibe_standalone.sweeping import sweep_within

log = structlog.get_logger(__name__)


class UnreadAnswers:
    """Watches the connections of a server, all of them in one sweep.

    One whose client has taken nothing for `seconds`, while there was something to take, is dropped.
    """

    def __init__(self, server: web.Server, seconds: float) -> None:
        self._server = server
        self._seconds = seconds
        self._waiting: dict[web.RequestHandler, tuple[int, float]] = {}

    async def watch(self) -> None:
        """Sweep until cancelled."""
        await sweep_within(self._seconds, self.sweep)

    def sweep(self, now: float) -> None:
        """Drop those that had as much unsent at a sweep `seconds` ago, and ever since."""
        before, self._waiting = self._waiting, {}
        dropped = 0
        for one in self._server.connections:
            # What has a parser of its own is a WebSocket; aiohttp has no public word for that.
            if one.transport is None or not one.writing_paused or one._payload_parser is not None:
                continue
            unsent = one.transport.get_write_buffer_size()
            last, since = before.get(one, (unsent, now))
            if last != unsent:
                since = now
            if now - since >= self._seconds:
                one.transport.abort()
                dropped += 1
            else:
                self._waiting[one] = (unsent, since)
        if dropped:
            log.warning("answers_not_read", count=dropped)
