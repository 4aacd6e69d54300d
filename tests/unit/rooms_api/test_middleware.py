"""Whatever goes wrong, the answer is a problem, in time, and says nothing of the inside."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from allibe_rooms_api.app import setup
from allibe_rooms_api.call import Context
from allibe_services.auth import TokenSigner, TokenVerifier
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.tickets.inprocess import InProcessTickets
from tests.support.server import eventually
from tests.unit.rooms_api.api import ROOM, ROOMS, SECRET, Api
from tests.unit.rooms_api.fakes import MemoryMembers, MemoryRooms, MemoryStore, RecordingBus
from tests.unit.rooms_api.slow_reader import little_listener, reading_nothing


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the room list fail."""

    async def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(MemoryRooms, "of_user", fail)


@pytest.mark.parametrize(
    "path",
    [
        "/api/chat",
        "/api/chat/",
        "/api/chat/nope",
        f"{ROOMS}/",
        f"{ROOMS}//messages",
        f"{ROOMS}/1/messages/2",
        f"{ROOMS}/a/b/c/d/e",
    ],
)
async def test_an_unknown_route_is_a_problem_even_without_a_token(api: Api, path: str) -> None:
    assert (await api.ask("GET", path, user=None)).outcome == (404, "unknown_route")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", ROOMS, "GET, HEAD, POST"),
        ("POST", f"{ROOMS}/1", "GET, HEAD"),
        ("PATCH", f"{ROOMS}/1/messages", "GET, HEAD, POST"),
        ("PUT", f"{ROOMS}/1/members", "GET, HEAD, POST"),
        ("GET", f"{ROOMS}/1/members/bob", "DELETE, PUT"),
        ("GET", f"{ROOMS}/1/read", "PUT"),
        ("OPTIONS", ROOMS, "GET, HEAD, POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    api: Api, method: str, path: str, allow: str
) -> None:
    answer = await api.ask(method, path)
    assert answer.outcome == (405, "method_not_allowed")
    assert answer.headers["allow"] == allow


async def test_a_head_request_gets_the_headers_only(api: Api) -> None:
    answer = await api.ask("HEAD", ROOMS)
    assert (answer.status, answer.json) == (200, None)


async def test_an_unexpected_error_is_logged_and_its_text_kept_from_the_client(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, ValueError("secret detail"))
    with capture_logs() as logs:
        answer = await api.ask("GET", ROOMS)
    assert answer.outcome == (500, "internal_error")
    assert "secret" not in str(answer.json)
    assert [(one["event"], one["route"], one["exc_info"]) for one in logs] == [
        ("request_failed", "GET /api/chat/rooms", True)
    ]


async def test_what_is_logged_says_whose_request_it_was_and_of_which_trace(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of the next one of the connection that it was that one."""
    fail_with(monkeypatch, ValueError())
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for user, headers in (
        ("alice", {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}),
        ("bob", {"traceparent": "00-what follows is no trace: hunter2"}),
        ("alice", {}),
    ):
        with capture_logs([merge_contextvars]) as logs:
            await api.ask("GET", ROOMS, user=user, headers=headers)
        (line,) = logs
        assert line["user"] == user
        assert line.get("trace") == (trace if trace in str(headers) else None)
        assert "hunter2" not in str(line)


async def test_a_store_that_is_away_is_retryable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, StoreUnavailable(retry_after_ms=2500))
    answer = await api.ask("GET", ROOMS)
    assert answer.outcome == (503, "store_unavailable")
    assert (answer.json["retryAfterMs"], answer.headers["retry-after"]) == (2500, "3")


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (web.HTTPRequestHeaderFieldsTooLarge(), (400, "bad_request")),
        (web.HTTPServiceUnavailable(), (500, "internal_error")),
    ],
)
async def test_other_refusals_of_aiohttp_are_problems_too(
    api: Api, monkeypatch: pytest.MonkeyPatch, refusal: BaseException, outcome: tuple[int, str]
) -> None:
    fail_with(monkeypatch, refusal)
    assert (await api.ask("GET", ROOMS)).outcome == outcome


async def test_a_request_that_takes_too_long_is_answered(
    store: MemoryStore,
    bus: RecordingBus,
    context: Callable[..., Context],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(*args: object, **options: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(MemoryMembers, "role", hang)
    app = web.Application()
    setup(app, context(time_limit=0.01))
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    async with client:
        with capture_logs() as logs:
            answer = await Api(client, store, bus).ask("GET", f"{ROOMS}/{ROOM}/messages")
    assert answer.outcome == (504, "not_confirmed")
    assert [one["event"] for one in logs] == ["request_timed_out"]


async def test_no_log_line_has_the_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ValueError("x"))
    with capture_logs() as logs:
        await api.ask("GET", ROOMS)
    assert logs
    assert "eyJ" not in repr(logs)


@asynccontextmanager
async def asked_for_history(
    store: MemoryStore, verifier: TokenVerifier, *, messages: int, write_limit: float
) -> AsyncIterator[socket.socket]:
    """Give a socket that has asked for so many long messages and has read nothing.

    At its end the socket is closed, and the server has noticed.
    """
    app = web.Application()
    bus = RecordingBus(store)
    setup(
        app,
        Context(
            store=store,
            bus=bus,
            tickets=InProcessTickets(),
            verifier=verifier,
            write_limit=write_limit,
        ),
    )
    server = TestServer(app, socket_factory=little_listener)
    client: TestClient[Any, Any] = TestClient(server)
    async with client:
        # As with `AppRunner`: a handler is not cancelled when its connection is gone.
        server.handler.handler_cancellation = False
        api = Api(client, store, bus)
        await api.room()
        for _ in range(messages):
            await api.say("x" * 8192)
        token = TokenSigner("HS256", SECRET).sign("alice", ttl=60)
        path = f"{ROOMS}/{ROOM}/messages?limit=100"
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n"
        assert api.http.port is not None
        async with reading_nothing(api.http.port, head) as asking:
            yield asking
        await asyncio.to_thread(eventually, lambda: not server.handler.connections, "all have gone")


async def read(asking: socket.socket, most: int) -> int:
    """Return how many bytes came until there were `most`, or until the end."""
    came = 0
    async with asyncio.timeout(10):
        while came < most:
            chunk = await asyncio.get_running_loop().sock_recv(asking, 65_536)
            if not chunk:
                break
            came += len(chunk)
    return came


@pytest.mark.parametrize("messages", [5, 100])
async def test_the_connection_of_who_never_reads_his_answer_ends(
    store: MemoryStore, verifier: TokenVerifier, caplog: pytest.LogCaptureFixture, messages: int
) -> None:
    """Else each such client would hold an answer in memory, as long as he likes (I7).

    Five messages are less than what a transport takes without telling that it is full.
    """
    with capture_logs() as logs:
        async with asked_for_history(store, verifier, messages=messages, write_limit=0.1) as asking:
            await asyncio.to_thread(eventually, lambda: bool(logs), "a connection is ended")
            size = messages * 8192
            assert await read(asking, size) < size
    assert [(one["event"], one["route"]) for one in logs] == [
        ("answer_not_read", "GET /api/chat/rooms/{roomId}/messages")
    ]
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_who_reads_late_but_in_time_gets_all(
    store: MemoryStore, verifier: TokenVerifier
) -> None:
    with capture_logs() as logs:
        async with asked_for_history(store, verifier, messages=100, write_limit=10) as asking:
            await asyncio.sleep(0.1)
            assert await read(asking, 100 * 8192) >= 100 * 8192
    assert logs == []


async def test_who_leaves_while_his_answer_is_sent_is_no_error(
    store: MemoryStore, verifier: TokenVerifier, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as logs:
        async with asked_for_history(store, verifier, messages=100, write_limit=10) as asking:
            await read(asking, 1)
    assert logs == []
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


async def test_what_follows_on_the_same_connection_writes_as_ever(
    store: MemoryStore, bus: RecordingBus, verifier: TokenVerifier
) -> None:
    """A WebSocket may: nothing of its own flow control is left changed."""

    async def limits(request: web.Request) -> web.Response:
        assert request.transport is not None
        port = request.transport.get_extra_info("peername")[1]
        return web.json_response([port, request.transport.get_write_buffer_limits()])

    app = web.Application()
    app.router.add_get("/limits", limits)
    setup(app, Context(store=store, bus=bus, tickets=InProcessTickets(), verifier=verifier))
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    async with client:
        before = await (await client.get("/limits")).json()
        await Api(client, store, bus).ask("GET", ROOMS)
        assert await (await client.get("/limits")).json() == before
