"""The rooms API over the real store, bus and worker, as `allibe serve` puts them together."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from allibe_fanout_worker.app import worker
from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.auth import TokenVerifier
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.events import (
    Event,
    MemberAdded,
    MemberRead,
    MemberRemoved,
    RoomChanged,
    RoomJoined,
    RoomLeft,
)
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.messages import Message, moment
from allibe_services.contracts.rooms import Role
from allibe_services.contracts.routing import room_key, user_key
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.runtime import Readiness, Tasks
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from allibe_services.telemetry import HttpMetrics, WorkerMetrics
from allibe_services.tickets.inprocess import InProcessTickets
from allibe_services.workers.inprocess import InProcessWorkers
from tests.integration.asking import ALICE, API, BOB, SECRET, SYSTEM, Asking

ROOMS = "/rooms"


class Listener:
    """Keeps the events under the keys that it is bound to."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_events(self, events: Sequence[Event]) -> None:
        self.events += events

    def on_doubt(self) -> None: ...


class Chat(Asking):
    """A running chat, asked over HTTP."""

    def __init__(self, http: "TestClient[Any, Any]", bus: InProcessBus) -> None:
        super().__init__(http)
        self.bus = bus

    async def create(self, room_id: str, name: str = "x", *members: str) -> None:
        body = {"roomId": room_id, "name": name, "members": list(members)}
        status, _ = await self.ask("POST", ROOMS, body)
        assert status == 201

    async def post(self, room_id: str, content: str, *, user: str = ALICE) -> int:
        """Post a message; return its offset."""
        body = {"content": content}
        status, message = await self.ask("POST", f"{ROOMS}/{room_id}/messages", body, user=user)
        assert status == 201
        return int(message["offset"])


def ticking() -> Callable[[], datetime]:
    """Return a clock that goes on by a second at each look: the room list is sorted by time."""
    seconds = count(1)
    return lambda: moment(next(seconds) * 1000)


@pytest.fixture
async def chat(sqlite_with_tables: str) -> AsyncIterator[Chat]:
    store, bus, tasks = SqlStore(SqliteDatabase(sqlite_with_tables)), InProcessBus(), Tasks()
    registry = CollectorRegistry()
    running = worker(
        bus=bus,
        store=store,
        presence=InProcessPresence(),
        workers=InProcessWorkers(),
        metrics=WorkerMetrics(registry),
        readiness=Readiness(),
        tasks=tasks,
    )
    app = create_app(
        Context(
            store=store,
            bus=bus,
            tickets=InProcessTickets(),
            verifier=TokenVerifier("HS256", SECRET),
            clock=ticking(),
            observe=HttpMetrics(registry).observe,
        )
    )
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    async with running, client:
        yield Chat(client, bus)
    await tasks.close()
    await bus.close()
    await store.close()


async def test_the_room_list_of_the_requirements(chat: Chat) -> None:
    await chat.create("456", "Friend Chat", BOB)
    await chat.post("456", "Let's meet at 5 PM", user=BOB)
    await chat.create("123", "Project Team", BOB)
    await chat.post("123", "See you tomorrow!", user=BOB)
    status, rooms = await chat.ask("GET", ROOMS)
    assert status == 200
    assert [(room["roomId"], room["name"], room["lastMessage"]) for room in rooms] == [
        ("123", "Project Team", "See you tomorrow!"),
        ("456", "Friend Chat", "Let's meet at 5 PM"),
    ]
    assert [(room["unreadCount"], room["role"]) for room in rooms] == [(1, "owner"), (1, "owner")]


async def test_posts_at_once_get_contiguous_offsets_and_history_has_them_all(chat: Chat) -> None:
    await chat.create("1", "x", BOB)
    posts = (chat.post("1", f"m{n}", user=(ALICE, BOB)[n % 2]) for n in range(60))
    offsets = await asyncio.gather(*posts)
    assert sorted(offsets) == list(range(1, 61))
    seen: list[int] = []
    query = "limit=25"
    while query:
        _, page = await chat.ask("GET", f"{ROOMS}/1/messages?{query}", user=BOB)
        seen = [message["offset"] for message in page["messages"]] + seen
        query = f"limit=25&before={page['nextBefore']}" if "nextBefore" in page else ""
    assert seen == list(range(1, 61))
    assert page["lastOffset"] == 60


async def test_a_repeated_post_is_stored_once(chat: Chat) -> None:
    await chat.create("1")
    body = {"content": "once", "clientMessageId": "c-1"}
    first = await chat.ask("POST", f"{ROOMS}/1/messages", body)
    again = await chat.ask("POST", f"{ROOMS}/1/messages", body)
    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    _, history = await chat.ask("GET", f"{ROOMS}/1/messages")
    assert history["messages"] == [first[1]]


async def test_following_the_links_shows_every_room_and_member_once(chat: Chat) -> None:
    """All rooms are made within few milliseconds, so that some share their time."""
    names = [f"r{number}" for number in range(25)]
    for name in names:
        await chat.create(name)
    await chat.create("big", "x", *(f"u/{number}" for number in range(25)))
    rooms = await everything(chat, f"{ROOMS}?limit=7")
    assert sorted(room["roomId"] for room in rooms) == sorted([*names, "big"])
    members = await everything(chat, f"{ROOMS}/big/members?limit=7")
    users = [member["user"] for member in members]
    assert users == sorted(users)
    assert len(users) == len(set(users)) == 26


async def test_unread_counts_are_exact_without_ones_own_messages(chat: Chat) -> None:
    await chat.create("1", "x", BOB)
    for user in (ALICE, BOB, ALICE, ALICE, BOB):
        await chat.post("1", "x", user=user)
    _, marker = await chat.ask("PUT", f"{ROOMS}/1/read", {"offset": 1}, user=BOB)
    assert marker == {"roomId": "1", "offset": 1, "unreadCount": 2, "moved": True}
    _, room = await chat.ask("GET", f"{ROOMS}/1", user=BOB)
    assert (room["unreadCount"], room["readOffset"], room["lastOffset"]) == (2, 1, 5)


async def test_a_room_and_its_users_hear_of_changes(chat: Chat) -> None:
    listener = Listener()
    listening = await chat.bus.listen(listener)
    room = RoomId("1")
    await listening.bind([room_key(room), user_key(BOB)])
    await chat.create("1")
    await chat.ask("POST", f"{ROOMS}/1/members", {"user": "bob"})
    await chat.post("1", "hi")
    await chat.ask("PUT", f"{ROOMS}/1/read", {"offset": 1}, user=BOB)
    await chat.ask("PUT", f"{ROOMS}/1/members/bob", {"role": "admin"})
    await chat.ask("DELETE", f"{ROOMS}/1/members/bob", user=BOB)
    await listening.close()
    message = listener.events.pop(2)
    assert isinstance(message, Message)
    assert (message.offset, message.content) == (1, "hi")
    assert listener.events == [
        MemberAdded(room, BOB, Role.MEMBER),
        RoomJoined(BOB, room, Role.MEMBER),
        MemberRead(room, BOB, 1),
        RoomChanged(BOB, room, unread_count=0),
        MemberAdded(room, BOB, Role.ADMIN),
        RoomJoined(BOB, room, Role.ADMIN),
        MemberRemoved(room, BOB),
        RoomLeft(BOB, room),
    ]


async def test_who_has_left_reads_and_writes_no_more(chat: Chat) -> None:
    await chat.create("1", "x", BOB)
    await chat.post("1", "hi", user=BOB)
    assert (await chat.ask("DELETE", f"{ROOMS}/1/members/bob", user=BOB))[0] == 204
    for method, path, body in (
        ("GET", "/messages", None),
        ("POST", "/messages", {"content": "x"}),
        ("GET", "", None),
        ("GET", "/members", None),
        ("PUT", "/read", {"offset": 1}),
    ):
        status, problem = await chat.ask(method, f"{ROOMS}/1{path}", body, user=BOB)
        assert (status, problem["code"]) == (403, "not_a_member")
    assert (await chat.ask("GET", ROOMS, user=BOB))[1] == []


async def test_the_system_acts_where_it_is_no_member(chat: Chat) -> None:
    options: dict[str, Any] = {"user": "backend", "scopes": SYSTEM}
    new = {"roomId": "1", "name": "x", "owner": "alice"}
    assert (await chat.ask("POST", ROOMS, new, **options))[1]["role"] == "owner"
    for method, path, body, status in (
        ("POST", "/members", {"user": "bob", "role": "owner"}, 201),
        ("PUT", "/members/alice", {"role": "member"}, 200),
        ("DELETE", "/members/alice", None, 204),
        ("POST", "/messages", {"content": "x", "sender": "bob"}, 201),
        ("POST", "/messages", {"content": "y", "sender": "nobody"}, 201),
        ("GET", "/messages", None, 200),
        ("GET", "/members", None, 200),
    ):
        assert (await chat.ask(method, f"{ROOMS}/1{path}", body, **options))[0] == status
    _, room = await chat.ask("GET", f"{ROOMS}/1", **options)
    assert (room["lastMessage"], room["lastOffset"], "role" in room) == ("y", 2, False)


async def test_a_bus_that_is_closing_says_try_again(chat: Chat) -> None:
    await chat.create("1")
    await chat.bus.close()
    status, problem, headers = await chat.answer("POST", f"{ROOMS}/1/messages", {"content": "x"})
    assert (status, problem["code"], headers["Retry-After"]) == (503, "shutting_down", "1")


async def everything(chat: Chat, address: str) -> list[Any]:
    """Return the entries of all pages."""
    entries = []
    while address:
        status, page, headers = await chat.answer("GET", address)
        assert status == 200
        entries += page
        found = re.fullmatch(r'<(.+)>; rel="next"', headers.get("Link", ""))
        address = found[1].removeprefix(API) if found else ""
    return entries
