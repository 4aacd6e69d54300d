"""Ends connections that never ask: silent ones, and those that send a request's head too slowly.

aiohttp bounds the wait for a request by `keepalive_timeout` only, which has to be long enough for
who has asked before and may ask again; a stranger's first request is not waited for that long.
Who has asked once is never touched here: running requests and WebSockets least of all.
"""

import asyncio

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

from allibe_standalone.sweeping import sweep_within

FEW = 64
"""Ended connections that may be remembered until the next sweep, besides twice as many as are open.
In a storm they would be thousands, more than 1 KiB each, and leave holes in the memory."""

log = structlog.get_logger(__name__)


class IdleConnections:
    """Watches the connections of a server; to be made before the server takes any."""

    def __init__(self, server: web.Server, seconds: float) -> None:
        """Give each connection so many seconds to complete the head of its first request."""
        self._server = server
        self._seconds = seconds
        self._make_request = server.request_factory
        self._asked: set[web.RequestHandler] = set()
        self._look_at = FEW
        self._waiting: dict[web.RequestHandler, float] = {}
        # Called for each request when its head is complete, before any handler.
        server.request_factory = self._on_request

    async def watch(self) -> None:
        """Sweep until cancelled."""
        await sweep_within(self._seconds, self.sweep)

    def sweep(self, now: float) -> None:
        """End the connections that were waiting at a sweep `seconds` ago, and still are."""
        self._forget()
        silent = set(self._server.connections) - self._asked
        self._waiting = {one: self._waiting.get(one, now) for one in silent}
        late = [one for one, since in self._waiting.items() if now - since >= self._seconds]
        for connection in late:
            connection.force_close()
        if late:
            log.debug("idle_connections_ended", count=len(late))

    def _forget(self) -> None:
        """Let go of those that have ended, as a connection has that became a WebSocket."""
        self._asked.intersection_update(self._server.connections)
        self._look_at = FEW + 2 * len(self._asked)

    def _on_request(
        self,
        message: RawRequestMessage,
        body: StreamReader,
        connection: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        self._asked.add(connection)
        if len(self._asked) >= self._look_at:
            self._forget()
        return self._make_request(message, body, connection, writer, task)
