"""The room list, one room, and new rooms."""

import re
from typing import Any

import pytest

from allibe_rooms_api.paging import PAGE_BYTES
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.contracts.events import RoomJoined
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import moment
from allibe_services.contracts.rooms import Role
from tests.unit.rooms_api.api import REQUIRED_LIST, ROOM, ROOMS, SYSTEM, Api, next_page


async def seed_required_list(api: Api) -> None:
    await api.room(room_id="456", name="Friend Chat", carol=Role.MEMBER)
    await api.say("Let's meet at 5 PM", sender="carol", room_id="456", at=1000)
    await api.room(room_id="123", name="Project Team", bob=Role.MEMBER)
    await api.say("See you tomorrow!", sender="bob", room_id="123", at=2500)


async def test_the_room_list_of_the_requirements_comes_out_as_they_show_it(api: Api) -> None:
    await seed_required_list(api)
    answer = await api.ask("GET", ROOMS)
    assert answer.status == 200
    shown = [{key: room[key] for key in REQUIRED_LIST[0]} for room in answer.json]
    assert shown == REQUIRED_LIST


async def test_a_listed_room_has_further_fields(api: Api) -> None:
    await seed_required_list(api)
    first: dict[str, Any] = (await api.ask("GET", ROOMS)).json[0]
    assert first == REQUIRED_LIST[0] | {
        "lastMessageAt": "1970-01-01T00:00:02.500000Z",
        "lastMessageSender": "bob",
        "unreadCount": 1,
        "readOffset": 0,
        "lastOffset": 1,
        "epoch": "e1",
        "role": "owner",
        "createdAt": "2025-02-19T21:20:00Z",
    }


async def test_a_room_without_messages_is_listed_with_nulls(api: Api) -> None:
    await api.room()
    (room,) = (await api.ask("GET", ROOMS)).json
    assert (room["lastMessage"], room["lastMessageAt"], room["unreadCount"]) == (None, None, 0)


async def test_the_list_holds_the_callers_rooms_only(api: Api) -> None:
    await api.room()
    answer = await api.ask("GET", ROOMS, user="eve")
    assert (answer.status, answer.json) == (200, [])


async def test_following_the_links_shows_every_room_once(api: Api) -> None:
    """Two rooms share a time, so that the order depends on the room id across a page's edge."""
    for number, at in enumerate([5, 3, 3, 3, 1]):
        await api.room(room_id=f"r{number}")
        await api.say("hello", room_id=f"r{number}", at=at)
    seen, address = [], f"{ROOMS}?limit=2"
    while address:
        answer = await api.ask("GET", address)
        seen.append([room["roomId"] for room in answer.json])
        address = next_page(answer) or ""
    assert seen == [["r0", "r1"], ["r2", "r3"], ["r4"]]


async def test_a_full_last_page_has_no_link(api: Api) -> None:
    await api.room(room_id="a")
    await api.room(room_id="b")
    answer = await api.ask("GET", f"{ROOMS}?limit=2")
    assert len(answer.json) == 2
    assert "link" not in answer.headers


async def test_a_page_has_100_rooms_when_nobody_says(api: Api) -> None:
    for number in range(101):
        await api.room(room_id=f"r{number}")
    answer = await api.ask("GET", ROOMS)
    assert len(answer.json) == 100
    assert next_page(answer) is not None


async def test_a_page_ends_at_a_mebibyte_of_last_messages_with_a_link(api: Api) -> None:
    """Each is shown whole; the answer is bounded all the same (I7)."""
    for number in range(200):
        await api.room(room_id=f"r{number:03}")
        await api.say("x" * 8192, room_id=f"r{number:03}")
    seen, address = [], f"{ROOMS}?limit=200"
    while address:
        answer = await api.ask("GET", address)
        assert int(answer.headers["content-length"]) < 1.01 * PAGE_BYTES
        seen.append([room["roomId"] for room in answer.json])
        address = next_page(answer) or ""
    assert [room_id for found in seen for room_id in found] == [f"r{n:03}" for n in range(200)]
    assert len(seen) == 2


@pytest.mark.parametrize("limit", ["0", "501", "-1", "ten", "", "1.5", "٣", "9" * 40])
async def test_a_limit_out_of_range_is_refused(api: Api, limit: str) -> None:
    answer = await api.ask("GET", ROOMS, params={"limit": limit})
    assert answer.outcome == (400, "bad_request")
    assert "from 1 to 500" in answer.json["detail"]


async def test_a_new_room_belongs_to_its_creator(api: Api) -> None:
    answer = await api.ask(
        "POST", ROOMS, json={"name": "팀 방", "roomId": "7", "members": ["bob", "alice", "bob"]}
    )
    assert answer.status == 201
    assert answer.headers["location"] == f"{ROOMS}/7"
    assert (answer.json["name"], answer.json["role"]) == ("팀 방", "owner")
    members = await api.store.members.of_room(RoomId("7"), most=10)
    assert [(one.user, one.role) for one in members] == [("alice", "owner"), ("bob", "member")]
    assert (await api.ask("GET", answer.headers["location"])).json == answer.json


async def test_a_new_room_is_announced_once_to_each_initial_member(api: Api) -> None:
    body = {"name": "x", "roomId": "7", "members": ["bob", "alice", "bob"]}
    await api.ask("POST", ROOMS, json=body)
    assert api.bus.events == [
        RoomJoined(UserId("alice"), RoomId("7"), Role.OWNER),
        RoomJoined(UserId("bob"), RoomId("7"), Role.MEMBER),
    ]


async def test_a_room_without_an_id_gets_a_sortable_one(api: Api) -> None:
    ids = [(await api.ask("POST", ROOMS, json={"name": "x"})).json["roomId"] for _ in range(3)]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}", one) for one in ids)


async def test_a_bus_that_is_away_does_not_undo_a_new_room(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(events: object) -> None:
        raise BusUnavailable

    monkeypatch.setattr(api.bus, "publish", away)
    answer = await api.ask("POST", ROOMS, json={"name": "x", "roomId": "7"})
    assert answer.status == 201
    assert RoomId("7") in api.store.all


async def test_a_taken_room_id_is_a_conflict(api: Api) -> None:
    await api.room()
    answer = await api.ask("POST", ROOMS, json={"name": "x", "roomId": ROOM}, user="eve")
    assert answer.outcome == (409, "conflict")
    assert api.bus.events == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": ""}, "bad_request"),
        ({"name": "\u3000"}, "bad_request"),
        ({"name": "x" * 101}, "bad_request"),
        ({"name": "a\u0000b"}, "bad_request"),
        ({"name": "x", "roomId": "a b"}, "invalid_room_id"),
        ({"name": "x", "roomId": ""}, "invalid_room_id"),
        ({"name": "x", "roomId": "1\n"}, "invalid_room_id"),
        ({"name": "x", "members": ["a b"]}, "bad_request"),
        ({"name": "x", "members": [str(n) for n in range(101)]}, "bad_request"),
        ({"name": "x", "owner": "#"}, "bad_request"),
    ],
)
async def test_a_room_that_cannot_be_is_refused(
    api: Api, body: dict[str, object], code: str
) -> None:
    assert (await api.ask("POST", ROOMS, json=body)).outcome == (400, code)
    assert api.store.all == {}


async def test_only_the_system_creates_rooms_for_others(api: Api) -> None:
    body = {"name": "x", "roomId": "7", "owner": "bob", "members": ["carol"]}
    refused = await api.ask("POST", ROOMS, json=body)
    assert refused.outcome == (403, "not_allowed")
    answer = await api.ask("POST", ROOMS, json=body, user="backend", scopes=SYSTEM)
    assert (answer.status, answer.json["role"]) == (201, "owner")
    members = await api.store.members.of_room(RoomId("7"), most=10)
    assert [(one.user, one.role) for one in members] == [("bob", "owner"), ("carol", "member")]


async def test_naming_oneself_as_the_owner_is_allowed(api: Api) -> None:
    answer = await api.ask("POST", ROOMS, json={"name": "x", "owner": "alice"})
    assert answer.status == 201


async def test_a_room_is_shown_to_its_members_only(api: Api) -> None:
    await api.room(bob=Role.MEMBER)
    assert (await api.ask("GET", f"{ROOMS}/{ROOM}", user="bob")).json["role"] == "member"
    assert (await api.ask("GET", f"{ROOMS}/{ROOM}", user="eve")).outcome == (403, "not_a_member")
    assert (await api.ask("GET", f"{ROOMS}/nope")).outcome == (404, "unknown_room")
    assert (await api.ask("GET", f"{ROOMS}/a.b")).outcome == (400, "invalid_room_id")


async def test_the_system_sees_a_room_without_what_is_a_members_own(api: Api) -> None:
    await api.room()
    await api.say("hi", at=1000)
    answer = await api.ask("GET", f"{ROOMS}/{ROOM}", user="backend", scopes=SYSTEM)
    assert answer.json == {
        "roomId": "1",
        "name": "Project Team",
        "lastMessage": "hi",
        "lastMessageAt": "1970-01-01T00:00:01Z",
        "lastMessageSender": "alice",
        "lastOffset": 1,
        "epoch": "e1",
        "createdAt": "2025-02-19T21:20:00Z",
    }


async def test_the_system_sees_a_room_of_its_own_as_a_member(api: Api) -> None:
    await api.room(backend=Role.MEMBER)
    answer = await api.ask("GET", f"{ROOMS}/{ROOM}", user="backend", scopes=SYSTEM)
    assert answer.json["role"] == "member"


async def test_the_system_gets_404_for_a_room_that_is_not_there_or_deserted(api: Api) -> None:
    await api.room(room_id="empty")
    await api.store.members.remove(RoomId("empty"), UserId("alice"))
    for room_id in ("nope", "empty"):
        answer = await api.ask("GET", f"{ROOMS}/{room_id}", user="backend", scopes=SYSTEM)
        assert answer.outcome == (404, "unknown_room")


async def test_activity_before_1970_or_after_9999_is_no_page(api: Api) -> None:
    assert moment(99_999_999_999_999).year == 5138
    for place in ("LTEueA", "OTk5OTk5OTk5OTk5OTk5Lng"):  # "-1.x" and "999999999999999.x"
        answer = await api.ask("GET", f"{ROOMS}?after={place}")
        assert answer.outcome == (400, "bad_request")
