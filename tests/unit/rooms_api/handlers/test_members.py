"""Members, roles, leaving, and read markers."""

from typing import Any

import pytest
from yarl import URL

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.events import (
    MemberAdded,
    MemberRead,
    MemberRemoved,
    RoomChanged,
    RoomJoined,
    RoomLeft,
)
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role
from tests.unit.rooms_api.api import ROOM, ROOMS, SYSTEM, Api, next_page

MEMBERS = f"{ROOMS}/{ROOM}/members"
READ = f"{ROOMS}/{ROOM}/read"
SYSTEM_USER = "backend"

CAST = {"olga": Role.OWNER, "adam": Role.ADMIN, "anna": Role.ADMIN, "mark": Role.MEMBER}
"""Besides alice, who owns the room."""


def scopes_of(user: str) -> frozenset[str]:
    return SYSTEM if user == SYSTEM_USER else frozenset()


def role(api: Api, user: str) -> Role | None:
    members = api.store.room(ROOM).members
    return members[UserId(user)].role if user in members else None


async def test_members_are_listed_by_user_id_over_pages(api: Api) -> None:
    await api.room(**CAST)
    seen, address = [], f"{MEMBERS}?limit=2"
    while address:
        answer = await api.ask("GET", address, user="mark")
        seen.append([member["user"] for member in answer.json])
        address = next_page(answer) or ""
    assert seen == [["adam", "alice"], ["anna", "mark"], ["olga"]]


async def test_a_listed_member_has_exactly_these_fields(api: Api) -> None:
    await api.room()
    (member,) = (await api.ask("GET", MEMBERS)).json
    assert member == {
        "user": "alice",
        "role": "owner",
        "joinedAt": "2025-02-19T21:20:00Z",
        "readOffset": 0,
    }


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "after=!!", "after=YSBi", "after=gA"])
async def test_a_page_of_members_that_cannot_be_is_refused(api: Api, query: str) -> None:
    await api.room()
    assert (await api.ask("GET", f"{MEMBERS}?{query}")).outcome == (400, "bad_request")


async def test_strangers_learn_nothing_of_members(api: Api) -> None:
    await api.room(**CAST)
    assert (await api.ask("GET", MEMBERS, user="eve")).outcome == (403, "not_a_member")
    assert (await api.ask("GET", MEMBERS, user="backend", scopes=SYSTEM)).status == 200
    unknown = await api.ask("GET", f"{ROOMS}/nope/members", user="backend", scopes=SYSTEM)
    assert unknown.outcome == (404, "unknown_room")


async def test_an_added_member_is_stored_shown_and_announced(api: Api) -> None:
    await api.room()
    await api.say("before he came")
    answer = await api.ask("POST", MEMBERS, json={"user": "a/b%", "role": "admin"})
    assert answer.status == 201
    assert answer.headers["location"] == f"{MEMBERS}/a%2Fb%25"
    assert answer.json == {
        "user": "a/b%",
        "role": "admin",
        "joinedAt": "2025-02-19T21:20:00Z",
        "readOffset": 1,
    }
    assert api.bus.events == [
        MemberAdded(ROOM, UserId("a/b%"), Role.ADMIN),
        RoomJoined(UserId("a/b%"), ROOM, Role.ADMIN),
    ]


async def test_a_new_member_is_a_plain_one_when_nobody_says(api: Api) -> None:
    await api.room()
    assert (await api.ask("POST", MEMBERS, json={"user": "bob"})).json["role"] == "member"


@pytest.mark.parametrize("user", ["alice", "adam", "mark", SYSTEM_USER, "eve"])
@pytest.mark.parametrize("new_role", list(Role))
async def test_who_may_add_whom(api: Api, user: str, new_role: Role) -> None:
    allowed = {"alice": list(Role), SYSTEM_USER: list(Role), "adam": [Role.MEMBER]}
    await api.room(**CAST)
    body = {"user": "new", "role": new_role}
    answer = await api.ask("POST", MEMBERS, json=body, user=user, scopes=scopes_of(user))
    if new_role in allowed.get(user, []):
        assert (answer.status, role(api, "new")) == (201, new_role)
    else:
        assert answer.outcome == (403, "not_a_member" if user == "eve" else "not_allowed")
        assert (role(api, "new"), api.bus.events) == (None, [])


async def test_adding_a_member_again_is_a_conflict_and_leaves_the_role(api: Api) -> None:
    await api.room(**CAST)
    answer = await api.ask("POST", MEMBERS, json={"user": "adam", "role": "member"})
    assert answer.outcome == (409, "conflict")
    assert role(api, "adam") is Role.ADMIN


@pytest.mark.parametrize(
    "body", [{}, {"user": ""}, {"user": "a b"}, {"user": "x" * 129}, {"user": "x", "role": "king"}]
)
async def test_a_member_that_cannot_be_is_refused(api: Api, body: dict[str, str]) -> None:
    await api.room()
    assert (await api.ask("POST", MEMBERS, json=body)).outcome == (400, "bad_request")


@pytest.mark.parametrize("user", ["alice", "adam", "mark", SYSTEM_USER, "eve"])
@pytest.mark.parametrize("target", ["olga", "anna", "mark"])
@pytest.mark.parametrize("new_role", list(Role))
async def test_who_may_change_roles(api: Api, user: str, target: str, new_role: Role) -> None:
    await api.room(**CAST)
    answer = await api.ask(
        "PUT", f"{MEMBERS}/{target}", json={"role": new_role}, user=user, scopes=scopes_of(user)
    )
    if user in {"alice", SYSTEM_USER}:
        assert (answer.status, answer.json["role"]) == (200, new_role)
        assert role(api, target) is new_role
    else:
        assert answer.outcome == (403, "not_a_member" if user == "eve" else "not_allowed")
        assert role(api, target) is CAST[target]


async def test_a_changed_role_is_announced_to_room_and_user(api: Api) -> None:
    await api.room(**CAST)
    await api.ask("PUT", f"{MEMBERS}/mark", json={"role": "admin"})
    assert api.bus.events == [
        MemberAdded(ROOM, UserId("mark"), Role.ADMIN),
        RoomJoined(UserId("mark"), ROOM, Role.ADMIN),
    ]


async def test_the_last_owner_cannot_step_down(api: Api) -> None:
    await api.room(mark=Role.MEMBER)
    answer = await api.ask("PUT", f"{MEMBERS}/alice", json={"role": "member"})
    assert answer.outcome == (409, "conflict")
    assert api.bus.events == []


async def test_the_role_of_a_stranger_cannot_change(api: Api) -> None:
    await api.room()
    answer = await api.ask("PUT", f"{MEMBERS}/eve", json={"role": "admin"})
    assert answer.outcome == (404, "unknown_member")
    invalid = await api.ask("PUT", f"{MEMBERS}/a%20b", json={"role": "admin"})
    assert invalid.outcome == (400, "bad_request")


REMOVERS = {
    "alice": {"olga", "anna", "mark"},
    "adam": {"mark"},
    "mark": set[str](),
    "eve": set[str](),
    SYSTEM_USER: {"olga", "anna", "mark"},
}


REMOVALS = [
    (user, target) for user in REMOVERS for target in ("olga", "anna", "mark") if user != target
]


@pytest.mark.parametrize(("user", "target"), REMOVALS)
async def test_who_may_remove_whom(api: Api, user: str, target: str) -> None:
    await api.room(**CAST)
    answer = await api.ask("DELETE", f"{MEMBERS}/{target}", user=user, scopes=scopes_of(user))
    if target in REMOVERS[user]:
        assert (answer.status, answer.json, role(api, target)) == (204, None, None)
        assert api.bus.events == [
            MemberRemoved(ROOM, UserId(target)),
            RoomLeft(UserId(target), ROOM),
        ]
    else:
        assert answer.outcome == (403, "not_a_member" if user == "eve" else "not_allowed")
        assert (role(api, target), api.bus.events) == (CAST[target], [])


@pytest.mark.parametrize("user", ["olga", "adam", "mark"])
async def test_everybody_may_leave(api: Api, user: str) -> None:
    await api.room(**CAST)
    assert (await api.ask("DELETE", f"{MEMBERS}/{user}", user=user)).status == 204
    assert role(api, user) is None


async def test_the_last_owner_leaves_last(api: Api) -> None:
    await api.room(mark=Role.MEMBER)
    assert (await api.ask("DELETE", f"{MEMBERS}/alice")).outcome == (409, "conflict")
    assert (await api.ask("DELETE", f"{MEMBERS}/mark")).status == 204
    assert (await api.ask("DELETE", f"{MEMBERS}/alice")).status == 204


async def test_a_stranger_can_neither_be_removed_nor_leave(api: Api) -> None:
    await api.room()
    assert (await api.ask("DELETE", f"{MEMBERS}/eve")).outcome == (404, "unknown_member")
    answer = await api.ask("DELETE", f"{MEMBERS}/eve", user="eve")
    assert answer.outcome == (404, "unknown_member")
    unknown = await api.ask("DELETE", f"{ROOMS}/nope/members/eve")
    assert unknown.outcome == (404, "unknown_room")


@pytest.mark.parametrize("user", ["mark", "alice", SYSTEM_USER])
async def test_a_removal_that_was_committed_too_late_is_announced_when_it_is_tried_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, user: str
) -> None:
    """Else the subscriptions of who was removed would live on (I6)."""
    await api.room(**CAST)
    remove = type(api.store.members).remove

    async def overrun(*args: Any) -> None:
        await remove(*args)
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(type(api.store.members), "remove", overrun)
        first = await api.ask("DELETE", f"{MEMBERS}/mark", user=user, scopes=scopes_of(user))
    assert first.outcome == (503, "store_unavailable")
    assert api.bus.events == []
    again = await api.ask("DELETE", f"{MEMBERS}/mark", user=user, scopes=scopes_of(user))
    assert again.outcome == (404, "unknown_member")
    assert api.bus.events == [MemberRemoved(ROOM, UserId("mark")), RoomLeft(UserId("mark"), ROOM)]


async def test_who_may_not_remove_announces_nothing_of_strangers(api: Api) -> None:
    await api.room(**CAST)
    refused = await api.ask("DELETE", f"{MEMBERS}/stranger", user="mark")
    assert refused.outcome == (403, "not_allowed")
    assert api.bus.events == []


@pytest.mark.parametrize(
    "user", ["a/b", "100%", "a%2Fb", "{x}", "me@example.com", "~", "a?b", "'\"<>"]
)
async def test_any_user_id_can_be_named_in_a_path(api: Api, user: str) -> None:
    """The address is the one that the API itself gives out."""
    await api.room()
    added = await api.ask("POST", MEMBERS, json={"user": user})
    assert added.status == 201
    address = URL(added.headers["location"], encoded=True)
    assert (await api.ask("PUT", str(address), json={"role": "admin"})).json["user"] == user


async def test_reading_moves_the_marker_and_counts_what_is_left(api: Api) -> None:
    await api.room(mark=Role.MEMBER)
    for sender in ("alice", "mark", "alice", "alice"):
        await api.say("x", sender=sender)
    answer = await api.ask("PUT", READ, json={"offset": 1}, user="mark")
    assert answer.status == 200
    assert answer.json == {"roomId": "1", "offset": 1, "unreadCount": 2, "moved": True}
    assert api.bus.events == [
        MemberRead(ROOM, UserId("mark"), 1),
        RoomChanged(UserId("mark"), ROOM, unread_count=2),
    ]


async def test_a_marker_never_moves_back_and_then_nobody_is_told(api: Api) -> None:
    await api.room()
    await api.say("x")
    await api.ask("PUT", READ, json={"offset": 99})
    api.bus.events.clear()
    answer = await api.ask("PUT", READ, json={"offset": 0})
    assert answer.json == {"roomId": "1", "offset": 1, "unreadCount": 0, "moved": False}
    assert api.bus.events == []


@pytest.mark.parametrize("offset", [-1, 1.5, "1", None, True, 2**53])
async def test_an_offset_that_cannot_be_is_refused(api: Api, offset: object) -> None:
    await api.room()
    answer = await api.ask("PUT", READ, json={"offset": offset})
    assert answer.outcome == (400, "bad_request")
    assert "`$.offset`" in answer.json["detail"]


async def test_only_members_have_read_markers(api: Api) -> None:
    """The system has none where it is no member."""
    await api.room()
    for user, scopes in (("eve", frozenset[str]()), ("backend", SYSTEM)):
        answer = await api.ask("PUT", READ, json={"offset": 0}, user=user, scopes=scopes)
        assert answer.outcome == (403, "not_a_member")
    unknown = await api.ask("PUT", f"{ROOMS}/nope/read", json={"offset": 0})
    assert unknown.outcome == (404, "unknown_room")
    assert RoomId("nope") not in api.store.all
