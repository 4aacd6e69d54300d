"""Subscriptions, quiet hours and muted rooms over HTTP, on both databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.auth import TokenVerifier
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.ids import UserId
from allibe_services.store.sql import SqlStore
from allibe_services.tickets.inprocess import InProcessTickets
from tests.integration.asking import SECRET, SYSTEM, answer_to
from tests.support.push_browser import PushBrowser

API = "/api/chat"
ALICE, BOB = UserId("alice"), UserId("bob")


class Asking:
    """Asks the API, and looks into its store."""

    def __init__(self, http: "TestClient[Any, Any]", store: SqlStore) -> None:
        self._http = http
        self.store = store

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = ALICE,
        system: bool = False,
    ) -> tuple[int, Any]:
        scopes = SYSTEM if system else frozenset()
        status, content, _ = await answer_to(
            self._http, method, API + path, body, user=user, scopes=scopes
        )
        return status, content


@pytest.fixture
async def ask(store: SqlStore) -> AsyncIterator[Asking]:
    bus = InProcessBus()
    app = create_app(
        Context(
            store=store,
            bus=bus,
            tickets=InProcessTickets(),
            verifier=TokenVerifier("HS256", SECRET),
            push_key="the-public-key",
        )
    )
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    async with client:
        yield Asking(client, store)
    await bus.close()


async def test_a_browser_is_subscribed_changes_hands_and_is_unsubscribed(ask: Asking) -> None:
    phone = PushBrowser().subscription("https://push.example.net/phone")
    body = {"endpoint": phone.endpoint, "keys": {"p256dh": phone.p256dh, "auth": phone.auth}}
    for user in (ALICE, BOB, BOB):
        assert await ask("PUT", "/push-subscriptions", body, user=user) == (204, None)
    assert await ask.store.pushes.subscriptions(ALICE) == []
    assert await ask.store.pushes.subscriptions(BOB) == [phone]
    ended = {"endpoint": phone.endpoint}
    await ask("DELETE", "/push-subscriptions", ended, user=ALICE)
    assert await ask.store.pushes.subscriptions(BOB) == [phone]
    assert await ask("DELETE", "/push-subscriptions", ended, user=BOB) == (204, None)
    assert await ask.store.pushes.subscriptions(BOB) == []


async def test_quiet_hours_last(ask: Asking) -> None:
    night = {"quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"}}
    assert await ask("GET", "/notification-settings") == (200, {"quietHours": None})
    assert await ask("PUT", "/notification-settings", night) == (200, night)
    assert await ask("GET", "/notification-settings") == (200, night)
    assert await ask("PUT", "/notification-settings", {"quietHours": None}) == (
        200,
        {"quietHours": None},
    )


async def test_a_muted_room_says_so_in_the_list_and_alone(ask: Asking) -> None:
    for room in ("1", "2"):
        await ask("POST", "/rooms", {"roomId": room, "name": "x", "members": ["bob"]})
    assert await ask("PUT", "/rooms/1/mute", {"until": "2099-01-01T09:00:00+09:00"}) == (204, None)
    assert await ask("PUT", "/rooms/2/mute", {}) == (204, None)
    muted = {
        "1": {"muted": True, "mutedUntil": "2099-01-01T00:00:00Z"},
        "2": {"muted": True},
    }
    assert await muting(ask, ALICE) == muted
    assert await muting(ask, BOB) == {"1": {}, "2": {}}
    assert await ask("DELETE", "/rooms/1/mute") == (204, None)
    assert await muting(ask, ALICE) == muted | {"1": {}}
    for method in ("PUT", "DELETE"):
        status, problem = await ask(method, "/rooms/1/mute", {}, user="eve")
        assert (status, problem["code"]) == (403, "not_a_member")


async def test_the_system_asks_why(ask: Asking) -> None:
    path = "/admin/users/bob/notifications"
    assert await ask("GET", path, user="backend", system=True) == (200, [])
    assert (await ask("GET", path, user=BOB))[0] == 403


async def muting(ask: Asking, user: str) -> dict[str, dict[str, Any]]:
    """Return what each room says of being muted: the same in the list and alone."""
    _, rooms = await ask("GET", "/rooms", user=user)
    for room in rooms:
        assert (await ask("GET", f"/rooms/{room['roomId']}", user=user)) == (200, room)
    return {
        room["roomId"]: {name: room[name] for name in room if name.startswith("muted")}
        for room in rooms
    }
