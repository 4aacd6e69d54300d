"""Subscriptions, quiet hours and muted rooms over HTTP, on both databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.auth import TokenVerifier
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.store.sql import SqlStore
from allibe_services.tickets.inprocess import InProcessTickets
from tests.integration.asking import ALICE, BOB, SECRET, SYSTEM, Asking
from tests.support.push_browser import PushBrowser


class Chat(Asking):
    """The API, asked over HTTP, and its store."""

    def __init__(self, http: "TestClient[Any, Any]", store: SqlStore) -> None:
        super().__init__(http)
        self.store = store


@pytest.fixture
async def chat(store: SqlStore) -> AsyncIterator[Chat]:
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
        yield Chat(client, store)
    await bus.close()


async def test_a_browser_is_subscribed_changes_hands_and_is_unsubscribed(chat: Chat) -> None:
    phone = PushBrowser().subscription("https://push.example.net/phone")
    body = {"endpoint": phone.endpoint, "keys": {"p256dh": phone.p256dh, "auth": phone.auth}}
    for user in (ALICE, BOB, BOB):
        assert await chat.ask("PUT", "/push-subscriptions", body, user=user) == (204, None)
    assert await chat.store.pushes.subscriptions(ALICE) == []
    assert await chat.store.pushes.subscriptions(BOB) == [phone]
    ended = {"endpoint": phone.endpoint}
    await chat.ask("DELETE", "/push-subscriptions", ended, user=ALICE)
    assert await chat.store.pushes.subscriptions(BOB) == [phone]
    assert await chat.ask("DELETE", "/push-subscriptions", ended, user=BOB) == (204, None)
    assert await chat.store.pushes.subscriptions(BOB) == []


async def test_quiet_hours_last(chat: Chat) -> None:
    night = {"quietHours": {"from": "22:00", "to": "07:00", "timeZone": "Asia/Seoul"}}
    assert await chat.ask("GET", "/notification-settings") == (200, {"quietHours": None})
    assert await chat.ask("PUT", "/notification-settings", night) == (200, night)
    assert await chat.ask("GET", "/notification-settings") == (200, night)
    assert await chat.ask("PUT", "/notification-settings", {"quietHours": None}) == (
        200,
        {"quietHours": None},
    )


async def test_a_muted_room_says_so_in_the_list_and_alone(chat: Chat) -> None:
    for room in ("1", "2"):
        await chat.ask("POST", "/rooms", {"roomId": room, "name": "x", "members": ["bob"]})
    assert await chat.ask("PUT", "/rooms/1/mute", {"until": "2099-01-01T09:00:00+09:00"}) == (
        204,
        None,
    )
    assert await chat.ask("PUT", "/rooms/2/mute", {}) == (204, None)
    muted = {
        "1": {"muted": True, "mutedUntil": "2099-01-01T00:00:00Z"},
        "2": {"muted": True},
    }
    assert await muting(chat, ALICE) == muted
    assert await muting(chat, BOB) == {"1": {}, "2": {}}
    assert await chat.ask("DELETE", "/rooms/1/mute") == (204, None)
    assert await muting(chat, ALICE) == muted | {"1": {}}
    for method in ("PUT", "DELETE"):
        status, problem = await chat.ask(method, "/rooms/1/mute", {}, user="eve")
        assert (status, problem["code"]) == (403, "not_a_member")


async def test_the_system_asks_why(chat: Chat) -> None:
    path = "/admin/users/bob/notifications"
    assert await chat.ask("GET", path, user="backend", scopes=SYSTEM) == (200, [])
    assert (await chat.ask("GET", path, user=BOB))[0] == 403


async def muting(chat: Chat, user: str) -> dict[str, dict[str, Any]]:
    """Return what each room says of being muted: the same in the list and alone."""
    _, rooms = await chat.ask("GET", "/rooms", user=user)
    for room in rooms:
        assert (await chat.ask("GET", f"/rooms/{room['roomId']}", user=user)) == (200, room)
    return {
        room["roomId"]: {name: room[name] for name in room if name.startswith("muted")}
        for room in rooms
    }
