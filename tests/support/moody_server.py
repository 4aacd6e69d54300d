"""An HTTP server on loopback whose mood the test sets: it answers well, refuses, stalls or floods.

What a good answer is, and what is looked at before it, is said by whoever derives from it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self

from aiohttp import web
from yarl import URL

Mood = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MoodyServer:
    """Takes POST at every path. `asked` counts requests, `connections` what was accepted."""

    def __init__(self) -> None:
        self.mood: Mood = self.take
        self.asked = 0
        self.flooded = 0
        """Bytes that were written of bodies without an end."""
        self.connections: set[object] = set()
        self.url = URL()
        """Where it is, without a path."""
        self.ended = asyncio.Event()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer as a good server would."""
        return web.Response(status=204)

    @classmethod
    @asynccontextmanager
    async def running(cls, tls: ssl.SSLContext | None = None) -> AsyncIterator[Self]:
        """Hold one that listens on a port of its own."""
        server = cls()
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", server._asked)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
            await site.start()
            port = runner.addresses[0][1]
            server.url = URL.build(
                scheme="https" if tls else "http",
                host="localhost" if tls else "127.0.0.1",
                port=port,
            )
            yield server
        finally:
            server.ended.set()
            await runner.cleanup()

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.connections.add(request.transport)
        return await self.mood(request)

    def answers(self, status: int, **headers: str) -> None:
        """Answer with that status from now on; `retry_after="7"` is a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def mood(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers=named, text="no content of yours")

        self.mood = mood

    def takes_its_time(self, seconds: float) -> None:
        """Answer well, but later."""

        async def mood(request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return await self.take(request)

        self.mood = mood

    def hangs(self) -> None:
        """Never answer."""

        async def mood(_: web.Request) -> web.StreamResponse:
            await self.ended.wait()
            return web.Response(status=503)

        self.mood = mood

    def floods(self, status: int) -> None:
        """Send a body without an end behind that status."""

        async def mood(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(status=status)
            await answer.prepare(request)
            with suppress(ConnectionError):
                while not self.ended.is_set():
                    await answer.write(b"x" * 65536)
                    self.flooded += 65536
            return answer

        self.mood = mood

    def stalls(self, status: int) -> None:
        """Promise a body behind that status, and never send it."""

        async def mood(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(status=status)
            answer.content_length = 10
            await answer.prepare(request)
            await self.ended.wait()
            return answer

        self.mood = mood

    def hangs_up(self) -> None:
        """Close the connection in place of an answer."""

        async def mood(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=503)

        self.mood = mood
