"""How long a list of 500 rooms takes over HTTP on each database, with what is unread in them.

`pytest tests/integration/test_room_list_speed.py -m long -s` prints it. The best of many is judged:
what the others take on top is the machine's.
"""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Connection, insert

from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.auth import TokenSigner, TokenVerifier
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.store.sql import SqlStore
from allibe_services.store.tables import members, messages, muted_rooms, rooms
from allibe_services.tickets.inprocess import InProcessTickets

SECRET = "a secret that is long enough for HS256"
ROOMS = 500
MEMBERS = 10
TIMES = 50
MOST_SECONDS = 0.030

pytestmark = pytest.mark.long


@pytest.fixture
async def http(store: SqlStore) -> AsyncIterator["TestClient[Any, Any]"]:
    bus = InProcessBus()
    verifier = TokenVerifier("HS256", SECRET)
    context = Context(store=store, bus=bus, tickets=InProcessTickets(), verifier=verifier)
    client: TestClient[Any, Any] = TestClient(TestServer(create_app(context)))
    async with client:
        yield client
    await bus.close()


@pytest.mark.parametrize(("unread", "own"), [(0, 0), (100, 0), (100, 20), (300, 100)], ids=str)
async def test_a_list_of_500_rooms_takes_under_30_ms(
    store: SqlStore, http: "TestClient[Any, Any]", unread: int, own: int
) -> None:
    for start in range(0, ROOMS, 50):
        await store._database.write(_fill, range(start, start + 50), unread, own)
    headers = {"Authorization": TokenSigner("HS256", SECRET).sign("user-0", ttl=60)}
    taken = []
    for _ in range(TIMES):
        since = time.perf_counter()
        async with http.get("/api/chat/rooms?limit=500", headers=headers) as answer:
            listed = await answer.json()
        taken.append(time.perf_counter() - since)
        assert len(listed) == ROOMS
        assert {room["unreadCount"] for room in listed} == {unread - own}
        assert sum(room.get("muted", False) for room in listed) == ROOMS // 10
    best, middle = min(taken), sorted(taken)[TIMES // 2]
    name = type(store._database).__name__
    print(f"\n{name}, {unread} unread, {own} own among them:", end=" ")
    print(f"best {best * 1e3:.1f} ms, median {middle * 1e3:.1f} ms")
    assert best < MOST_SECONDS


def _fill(connection: Connection, numbers: range, unread: int, own: int) -> None:
    """Make rooms with a log, of which user-0 has read nothing and has sent the first ones."""
    for number in numbers:
        room = {"room_id": f"room-{number}"}
        row = {"name": "A room", "epoch": "e", "created_at": number, "created_by": "user-1"}
        last = {"last_message": "a message of a usual length", "last_message_at": number}
        connection.execute(insert(rooms), [room | row | last | {"last_offset": unread}])
        joined = {"role": "member", "joined_at": 1, "read_offset": 0}
        people = [room | joined | {"user_id": f"user-{n}"} for n in range(MEMBERS)]
        connection.execute(insert(members), people)
        if number % 10 == 0:
            muted = room | {"user_id": "user-0", "muted_until": 2**63 - 1}
            connection.execute(insert(muted_rooms), [muted])
        log = [
            room
            | {"offset": n + 1, "message_id": f"{number}-{n}", "sent_at": n, "content": "hello"}
            | {"sender": "user-0" if n < own else "user-1", "client_message_id": f"{n}"}
            for n in range(unread)
        ]
        if log:
            connection.execute(insert(messages), log)
