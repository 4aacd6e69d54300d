"""`handlers.admin`: revocations, and why users were told; only for the system."""

from datetime import timedelta
from typing import Any

import pytest

from allibe_rooms_api.call import TOKEN_LIFE_SECONDS
from allibe_services.contracts.errors import Overloaded, StoreUnavailable
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds
from allibe_services.contracts.notifications import Decision
from allibe_services.contracts.push import PushReason
from tests.support.push_queue import dead_push
from tests.unit.rooms_api.api import SYSTEM, Answer, Api, next_page
from tests.unit.rooms_api.fakes import START

PATH = "/api/chat/admin/revocations"
DAY = timedelta(days=1)
NOTIFICATIONS = "/api/chat/admin/users/b%2Fob/notifications"
DEAD_PUSHES = "/api/chat/admin/dead-pushes"
BOB = UserId("b/ob")


async def revoke(api: Api, **body: Any) -> Answer:
    return await api.ask("POST", PATH, scopes=SYSTEM, json=body)


async def test_a_user_is_revoked_for_the_life_of_a_token(api: Api) -> None:
    answer = await revoke(api, userId="bob")
    [made] = api.store.revocations.kept
    assert (made.kind, made.subject) == ("user", "bob")
    assert made.expires_at == START + timedelta(seconds=TOKEN_LIFE_SECONDS)
    assert answer.status == 201
    assert answer.json.keys() == {"userId", "revokedAt", "expiresAt"}
    assert answer.json["userId"] == "bob"


async def test_a_token_is_revoked_until_its_end(api: Api) -> None:
    answer = await revoke(api, tokenId="t-1", expiresAt=(START + DAY).isoformat())
    [made] = api.store.revocations.kept
    assert (made.kind, made.subject, made.expires_at) == ("token", "t-1", START + DAY)
    assert answer.json.keys() == {"tokenId", "revokedAt", "expiresAt"}


async def test_only_the_system_may(api: Api) -> None:
    for scopes in ((), ("chat:read",)):
        answer = await api.ask("POST", PATH, scopes=scopes, json={"userId": "alice"})
        assert answer.outcome == (403, "not_allowed")
    assert (await api.ask("POST", PATH, user=None, json={})).outcome == (401, "token_required")
    assert api.store.revocations.kept == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"userId": None},
        {"userId": "bob", "tokenId": "t-1"},
        {"userId": "b ob"},
        {"userId": "*"},
        {"userId": 7},
        {"tokenId": ""},
        {"tokenId": "a b"},
        {"tokenId": "a\0"},
        {"tokenId": "x" * 257},
        {"userId": "bob", "expiresAt": START.isoformat()},
        {"userId": "bob", "expiresAt": (START + 367 * DAY).isoformat()},
        {"userId": "bob", "expiresAt": "2099-01-01T00:00:00"},
        {"userId": "bob", "expiresAt": milliseconds(START + DAY)},
    ],
    ids=str,
)
async def test_what_means_nothing_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await revoke(api, **body)).outcome == (400, "bad_request")
    assert api.store.revocations.kept == []


@pytest.mark.parametrize("error", [StoreUnavailable, Overloaded])
async def test_what_could_not_be_stored_is_told(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(api.store.revocations, "revoke", fail)
    assert (await revoke(api, userId="bob")).json["retryable"]


async def test_decisions_about_a_user_are_shown_over_pages(api: Api) -> None:
    decided = [
        Decision(RoomId("1"), PushReason.SENT, 7, START),
        Decision(RoomId("1"), PushReason.MUTED, 5, START - timedelta(hours=1)),
        Decision(RoomId("1"), PushReason.READ, 5, START - timedelta(hours=1)),
        Decision(RoomId("2"), PushReason.MUTED, 5, START - timedelta(hours=1)),
        Decision(RoomId("2"), PushReason.OWN, 1, START - timedelta(hours=2)),
    ]
    api.store.notifications.decided[BOB] = decided
    seen, address = [], f"{NOTIFICATIONS}?limit=2"
    while address:
        answer = await api.ask("GET", address, scopes=SYSTEM)
        assert answer.status == 200
        seen.append([(one["roomId"], one["reason"]) for one in answer.json])
        address = next_page(answer) or ""
    assert seen == [
        [("1", "sent"), ("1", "muted")],
        [("1", "read"), ("2", "muted")],
        [("2", "own")],
    ]
    first = (await api.ask("GET", NOTIFICATIONS, scopes=SYSTEM)).json[0]
    assert first == {"roomId": "1", "reason": "sent", "offset": 7, "at": "2025-02-19T21:20:00Z"}


async def test_of_a_user_without_decisions_there_are_none(api: Api) -> None:
    answer = await api.ask("GET", NOTIFICATIONS, scopes=SYSTEM)
    assert (answer.status, answer.json) == (200, [])


@pytest.mark.parametrize("user", ["b/ob", "alice"])
async def test_only_the_system_sees_them(api: Api, user: str) -> None:
    answer = await api.ask("GET", NOTIFICATIONS, user=user, scopes=("chat:read",))
    assert answer.outcome == (403, "not_allowed")
    assert (await api.ask("GET", NOTIFICATIONS, user=None)).outcome == (401, "token_required")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "after=!!", "after=MQ", "after=MS4xLm5vd2hlcmU", "after=MS4uc2VudA"],
)
async def test_a_page_of_decisions_that_cannot_be_is_refused(api: Api, query: str) -> None:
    """`1`, `1.1.nowhere` and `1..sent` among them."""
    answer = await api.ask("GET", f"{NOTIFICATIONS}?{query}", scopes=SYSTEM)
    assert answer.outcome == (400, "bad_request")


async def test_a_user_that_cannot_be_is_refused(api: Api) -> None:
    address = "/api/chat/admin/users/a%20b/notifications"
    assert (await api.ask("GET", address, scopes=SYSTEM)).outcome == (400, "bad_request")


async def test_what_ended_undeliverable_is_shown_over_pages(api: Api) -> None:
    dead = [dead_push(number, at=START, way="") for number in range(5)]
    api.store.notifications.undeliverable = dead
    seen, address = [], f"{DEAD_PUSHES}?limit=2"
    while address:
        answer = await api.ask("GET", address, scopes=SYSTEM)
        assert answer.status == 200
        seen.append([one["offset"] for one in answer.json])
        address = next_page(answer) or ""
    assert seen == [[0, 1], [2, 3], [4]]
    first = (await api.ask("GET", DEAD_PUSHES, scopes=SYSTEM)).json[0]
    assert first == {
        "at": "2025-02-19T21:20:00Z",
        "pushId": dead[0].push_id,
        "user": "bob",
        "roomId": "1",
        "offset": 0,
        "way": "",
        "service": "https://push.example.net",
        "reason": "gave_up",
        "last": "unavailable",
        "tries": 8,
    }


async def test_only_the_system_sees_what_ended_undeliverable(api: Api) -> None:
    assert (await api.ask("GET", DEAD_PUSHES)).outcome == (403, "not_allowed")
    assert (await api.ask("GET", DEAD_PUSHES, user=None)).outcome == (401, "token_required")
    answer = await api.ask("GET", f"{DEAD_PUSHES}?after=MQ", scopes=SYSTEM)
    assert answer.outcome == (400, "bad_request")
