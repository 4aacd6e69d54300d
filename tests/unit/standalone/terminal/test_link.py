"""`terminal.link`: a scripted WebSocket server says and does what a server may."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from yarl import URL

from allibe_gateway.stomp import Frame, FrameParser
from allibe_services.contracts.disconnects import NOT_ALLOWED, UNAVAILABLE
from allibe_standalone.terminal import link as module
from allibe_standalone.terminal.endings import CONNECTION_LOST, NO_ANSWER, CannotChat, Lost
from allibe_standalone.terminal.link import Link, linked

CONNECTED = "CONNECTED\nversion:1.2\nheart-beat:10000,10000\nuser-name:alice\n\n\0"

Script = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def _connected(script: Script, *, protocols: tuple[str, ...]) -> AsyncIterator[Link]:
    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=protocols)
        await socket.prepare(request)
        await script(socket)
        return socket

    app = web.Application()
    app.router.add_get("/under/allibe-ws", serve)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as session,
        linked(session, server.make_url("/under")) as made,
    ):
        yield made


@asynccontextmanager
async def _linked(script: Script) -> AsyncIterator[Link]:
    async with _connected(script, protocols=("v12.stomp",)) as made:
        yield made


async def _sign_in(socket: web.WebSocketResponse) -> Frame:
    """Take CONNECT, answer CONNECTED."""
    (frame,) = FrameParser().feed((await socket.receive_str()).encode())
    await socket.send_str(CONNECTED)
    return frame


async def test_it_connects_as_stomp_1_2_and_asks_for_soft_errors() -> None:
    came: list[Frame] = []

    async def script(socket: web.WebSocketResponse) -> None:
        came.append(await _sign_in(socket))

    async with _linked(script) as link:
        assert await link.sign_in("secret") == "alice"
    headers = came[0].headers
    assert headers["accept-version"] == "1.2"
    assert headers["host"] == "127.0.0.1"
    assert headers["Authorization"] == "Bearer secret"
    assert headers["x-soft-errors"] == "true"


async def test_frames_come_in_however_they_are_cut() -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await _sign_in(socket)
        await socket.send_str("\nRECEIPT\nreceipt-id:a\\cb\n\n\0RECEIPT\nrec")
        await socket.send_bytes(b"eipt-id:2\n\n\0\n")

    async with _linked(script) as link:
        await link.sign_in("secret")
        assert (await link.next_frame()).headers == {"receipt-id": "a:b"}
        assert (await link.next_frame()).headers == {"receipt-id": "2"}


async def test_an_error_gives_the_words_and_the_close_that_follows_says_what_to_do() -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await _sign_in(socket)
        await socket.send_str("ERROR\nmessage:You may\\c not\n\n\0")
        await socket.close(code=NOT_ALLOWED.code)

    async with _linked(script) as link:
        await link.sign_in("secret")
        with pytest.raises(Lost, match="You may: not") as caught:
            await link.next_frame()
    assert caught.value.disconnect is NOT_ALLOWED


@pytest.mark.parametrize(
    ("header", "delay_ms"),
    [("x-retry-after-ms:12000\n", 12_000), ("x-retry-after-ms:soon\n", 1000), ("", 1000)],
)
async def test_an_error_that_says_when_to_come_back_counts_more_than_the_code(
    header: str, delay_ms: int
) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await _sign_in(socket)
        await socket.send_str(f"ERROR\nmessage:No\n{header}\n\0")
        await socket.close(code=UNAVAILABLE.code)

    async with _linked(script) as link:
        await link.sign_in("secret")
        with pytest.raises(Lost) as caught:
            await link.next_frame()
    assert caught.value.disconnect.delay_ms == delay_ms


async def test_a_connection_that_breaks_off_is_lost_and_not_a_normal_end() -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await _sign_in(socket)
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    async with _linked(script) as link:
        await link.sign_in("secret")
        with pytest.raises(Lost) as caught:
            await link.next_frame()
    assert caught.value.disconnect is CONNECTION_LOST


async def test_a_server_that_answers_no_ping_is_lost_and_one_that_does_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection may die without a word: a laptop that slept, a cable that was pulled."""
    monkeypatch.setattr(module, "PING_SECONDS", 0.05)
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.1)
    silent = asyncio.Event()

    async def script(socket: web.WebSocketResponse) -> None:
        await _sign_in(socket)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await socket.receive()  # answers pings meanwhile
        await socket.send_str("RECEIPT\nreceipt-id:alive\n\n\0")
        await silent.wait()

    async with _linked(script) as link:
        await link.sign_in("secret")
        assert (await link.next_frame()).headers == {"receipt-id": "alive"}
        with pytest.raises(Lost) as caught:
            await link.next_frame()
        silent.set()
    assert caught.value.disconnect is NO_ANSWER


async def test_a_server_that_says_nothing_to_connect_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)

    async def script(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            assert message.type is WSMsgType.TEXT

    async with _linked(script) as link:
        with pytest.raises(Lost) as caught:
            await link.sign_in("secret")
    assert caught.value.disconnect is NO_ANSWER


@pytest.mark.parametrize(
    "answer",
    ["HTTP/1.1 400 Bad\n\n\0", "CONNECTED\nversion:1.1\n\n\0", "CONNECTED\n\n\0", "RECEIPT\n\n\0"],
)
async def test_what_does_not_speak_stomp_1_2_is_given_up(answer: str) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_str(answer)

    async with _linked(script) as link:
        with pytest.raises(CannotChat, match="does not speak STOMP"):
            await link.sign_in("secret")


async def test_a_websocket_without_the_subprotocol_is_given_up() -> None:
    async def script(_: web.WebSocketResponse) -> None:
        return

    with pytest.raises(CannotChat, match="does not speak STOMP"):
        async with _connected(script, protocols=()):
            pass


@pytest.mark.parametrize(
    ("status", "later"), [(503, True), (502, True), (404, False), (200, False)]
)
async def test_a_refused_handshake_is_for_now_or_for_good(status: int, later: bool) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/allibe-ws", refuse)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        with pytest.raises(Lost if later else CannotChat) as caught:
            async with linked(session, server.make_url("/")):
                pass
    if isinstance(caught.value, Lost):
        assert caught.value.disconnect is UNAVAILABLE


async def test_nobody_there_is_a_lost_connection_that_names_the_address() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Lost, match=r"cannot connect to .*: Connection refused"):
            async with linked(session, URL("http://127.0.0.1:9")):
                pass


async def test_writing_to_a_connection_that_is_gone_is_a_loss() -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await _sign_in(socket)

    async with _linked(script) as link:
        await link.sign_in("secret")
        await link.close()
        with pytest.raises(Lost):
            await link.send(Frame("DISCONNECT", {}))
