"""`unread_answers`: who asks and does not read loses the connection; nobody else does."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from allibe_standalone.unread_answers import UnreadAnswers
from tests.unit.rooms_api.slow_reader import little_listener, reading_nothing

SECONDS = 10.0
MANY = "GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 20


class Site:
    """A server with long answers, and a WebSocket that writes much."""

    def __init__(self, runner: web.AppRunner, port: int) -> None:
        assert runner.server is not None
        self.server = runner.server
        self.port = port
        self.watch = UnreadAnswers(runner.server, SECONDS)

    async def stuck(self) -> web.RequestHandler:
        """Return the connection whose client does not read, once it is noticed."""
        async with asyncio.timeout(10):
            while not (  # noqa: ASYNC110 - no event for it
                paused := [one for one in self.server.connections if one.writing_paused]
            ):
                await asyncio.sleep(0.01)
        return paused[0]


async def long(_: web.Request) -> web.Response:
    return web.Response(text="x" * 100_000)


async def chatty(request: web.Request) -> web.WebSocketResponse:
    web_socket = web.WebSocketResponse()
    await web_socket.prepare(request)
    while True:
        await web_socket.send_str("x" * 100_000)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    app = web.Application()
    app.add_routes([web.get("/", long), web.get("/socket", chatty)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = little_listener("127.0.0.1", 0, socket.AF_INET)
    await web.SockSite(runner, listener).start()
    yield Site(runner, listener.getsockname()[1])
    await runner.cleanup()


async def test_who_reads_nothing_is_dropped(site: Site) -> None:
    async with reading_nothing(site.port, MANY):
        stuck = await site.stuck()
        with capture_logs() as logs:
            site.watch.sweep(0)
            site.watch.sweep(SECONDS - 1)
            assert logs == []
            site.watch.sweep(SECONDS)
        assert [(one["event"], one["count"]) for one in logs] == [("answers_not_read", 1)]
        async with asyncio.timeout(10):
            while stuck in site.server.connections:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)


async def test_who_reads_slowly_is_not(site: Site) -> None:
    async with reading_nothing(site.port, MANY) as asking:
        stuck = await site.stuck()
        site.watch.sweep(0)
        assert stuck.transport is not None
        before = stuck.transport.get_write_buffer_size()
        async with asyncio.timeout(10):
            while stuck.transport.get_write_buffer_size() == before:
                await asyncio.get_running_loop().sock_recv(asking, 4096)
        site.watch.sweep(SECONDS)
        assert stuck in site.server.connections
        assert not stuck.transport.is_closing()


async def test_who_reads_in_the_end_begins_anew(site: Site) -> None:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{site.port}/") as answer:
        assert len(await answer.read()) == 100_000
        site.watch.sweep(0)
        site.watch.sweep(SECONDS)
        assert site.server.connections


async def test_a_web_socket_has_a_bound_of_its_own(site: Site) -> None:
    upgrade = (
        "GET /socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    async with reading_nothing(site.port, upgrade):
        stuck = await site.stuck()
        for now in (0, SECONDS, 2 * SECONDS):
            site.watch.sweep(now)
        assert stuck.transport is not None
        assert not stuck.transport.is_closing()
