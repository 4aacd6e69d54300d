"""A server for the load generator that does as it is told: right, or wrong in one way."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

Deliver = Callable[[str, int], Iterable[str]]
"""From a text and its number in its room to what each listener of the room gets for it."""


def faithfully(text: str, _: int) -> Iterable[str]:
    """Return it once."""
    return [text]


class BareServer:
    """Speaks what bench/load/bare.c does: "S<room>", answered with "R", and "P<room>\\n<text>"."""

    def __init__(self, deliver: Deliver = faithfully, pause: float = 0.0) -> None:
        """`pause` is the seconds for which everything stands still after the first message."""
        self.port = 0
        self._deliver = deliver
        self._pause = pause
        self._listeners: dict[str, list[web.WebSocketResponse]] = defaultdict(list)
        self._counts: dict[str, int] = defaultdict(int)
        self._gate = asyncio.Lock()
        self.was_sent_to = asyncio.Event()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Handle one connection until it ends."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._take(socket, message.data)
        return socket

    async def _take(self, socket: web.WebSocketResponse, text: str) -> None:
        room, _, content = text[1:].partition("\n")
        if text[0] == "S":
            self._listeners[room].append(socket)
            await socket.send_str("R")
            return
        self.was_sent_to.set()
        async with self._gate:
            number = self._counts[room]
            self._counts[room] += 1
            for listener in self._listeners[room]:
                for delivery in self._deliver(content, number):
                    await listener.send_str(delivery)
            if number == 0:
                await asyncio.sleep(self._pause)


@asynccontextmanager
async def bare_server(
    deliver: Deliver = faithfully, pause: float = 0.0
) -> AsyncIterator[BareServer]:
    """Run one on a free port of loopback."""
    server = BareServer(deliver, pause)
    app = web.Application()
    app.router.add_get("/", server.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()
