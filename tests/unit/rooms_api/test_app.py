"""Mounting: the API beside other routes of one application, and on its own."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from allibe_rooms_api.app import create_app, setup
from allibe_rooms_api.call import Context
from allibe_services.auth import TokenVerifier
from allibe_services.contracts.messages import now
from allibe_services.tickets.inprocess import InProcessTickets
from tests.unit.rooms_api.api import ROOM, ROOMS, Api
from tests.unit.rooms_api.fakes import MemoryStore, RecordingBus

Seen = list[tuple[str, int, float]]


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def app(context: Callable[..., Context], seen: Seen) -> web.Application:
    """An application with routes of its own before and behind the API, as the gateway has."""

    async def gateway(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/allibe-ws", gateway)
    setup(app, context(observe=lambda *request: seen.append(request)))
    app.router.add_get("/ws/chat", gateway)
    return app


@pytest.mark.parametrize("path", ["/allibe-ws", "/ws/chat"])
async def test_websockets_beside_the_api_never_meet_its_middlewares(
    api: Api, seen: Seen, path: str
) -> None:
    socket = await api.http.ws_connect(path)
    await socket.receive()
    assert "Cache-Control" not in socket._response.headers
    assert seen == []


@pytest.mark.parametrize("path", ["/", "/api", "/api/chats", "/api/chatter/rooms", "/nope"])
async def test_what_is_not_below_the_prefix_is_not_the_apis(
    api: Api, seen: Seen, path: str
) -> None:
    async with api.http.get(path) as response:
        assert (response.status, response.content_type) == (404, "text/plain")
    assert seen == []


async def test_the_observer_is_told_route_status_and_seconds(api: Api, seen: Seen) -> None:
    await api.room()
    await api.ask("GET", ROOMS)
    await api.ask("GET", f"{ROOMS}/{ROOM}/messages", user=None)
    await api.ask("PUT", f"{ROOMS}/{ROOM}/members/eve", json={"role": "admin"})
    await api.ask("GET", "/api/chat/openapi.json")
    assert [(route, status) for route, status, _ in seen] == [
        ("GET /api/chat/rooms", 200),
        ("GET /api/chat/rooms/{roomId}/messages", 401),
        ("PUT /api/chat/rooms/{roomId}/members/{user}", 404),
        ("GET /api/chat/openapi.json", 200),
    ]
    assert all(0 <= seconds < 60 for _, _, seconds in seen)


async def test_routes_that_do_not_exist_are_one_to_the_observer(api: Api, seen: Seen) -> None:
    """Else anybody could make the metrics grow without end."""
    await api.ask("GET", "/api/chat/made-up-1")
    await api.ask("PROPFIND", ROOMS)
    assert [(route, status) for route, status, _ in seen] == [("unknown", 404), ("unknown", 405)]


async def test_an_application_of_its_own_stamps_messages_with_the_present(
    store: MemoryStore, bus: RecordingBus, context: Callable[..., Context]
) -> None:
    client: TestClient[Any, Any] = TestClient(TestServer(create_app(context())))
    async with client:
        api = Api(client, store, bus)
        await api.room()
        before = now()
        await api.ask("POST", f"{ROOMS}/{ROOM}/messages", json={"content": "x"})
    assert before <= bus.posted[0].sent_at <= now()


async def test_two_applications_do_not_share_what_they_stand_on(verifier: TokenVerifier) -> None:
    async def rooms_of(create: Callable[[Api], Awaitable[Any]]) -> Any:
        store = MemoryStore()
        bus = RecordingBus(store)
        app = create_app(
            Context(store=store, bus=bus, tickets=InProcessTickets(), verifier=verifier)
        )
        client: TestClient[Any, Any] = TestClient(TestServer(app))
        async with client:
            api = Api(client, store, bus)
            await create(api)
            return (await api.ask("GET", ROOMS)).json

    async def nothing(api: Api) -> None: ...

    assert len(await rooms_of(lambda api: api.room())) == 1
    assert await rooms_of(nothing) == []
