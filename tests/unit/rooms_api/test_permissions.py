"""The table of permissions, every cell; and as what a caller stands in a room."""

import pytest

from allibe_rooms_api import permissions
from allibe_rooms_api.permissions import (
    ALLOWED,
    Action,
    Standing,
    adding,
    is_system,
    removing,
    require,
    standing,
)
from allibe_services.auth import Identity
from allibe_services.contracts.errors import NotAllowed, NotAMember, UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role
from tests.unit.rooms_api.api import ROOM, ROOMS, Api
from tests.unit.rooms_api.fakes import MemoryStore

EXPECTED = {
    Action.READ: "member admin owner system",
    Action.POST: "member admin owner system",
    Action.POST_AS_ANOTHER: "system",
    Action.ADD_MEMBER: "admin owner system",
    Action.APPOINT: "owner system",
    Action.CHANGE_ROLE: "owner system",
    Action.REMOVE_MEMBER: "admin owner system",
    Action.REMOVE_ADMIN: "owner system",
    Action.REMOVE_OWNER: "owner system",
}


def test_the_table_is_complete() -> None:
    assert set(EXPECTED) == set(Action)
    assert set(ALLOWED) == set(Standing)


@pytest.mark.parametrize("caller", Standing)
@pytest.mark.parametrize("action", Action)
def test_the_table_allows_what_it_should(caller: Standing, action: Action) -> None:
    if caller.name.lower() in EXPECTED[action].split():
        require(caller, action)
    else:
        with pytest.raises(NotAllowed, match=action.value):
            require(caller, action)


@pytest.mark.parametrize(
    ("role", "add", "remove"),
    [
        (Role.MEMBER, Action.ADD_MEMBER, Action.REMOVE_MEMBER),
        (Role.ADMIN, Action.APPOINT, Action.REMOVE_ADMIN),
        (Role.OWNER, Action.APPOINT, Action.REMOVE_OWNER),
    ],
)
def test_adding_and_removing_depend_on_the_others_role(
    role: Role, add: Action, remove: Action
) -> None:
    assert (adding(role), removing(role)) == (add, remove)


@pytest.mark.parametrize(
    ("scopes", "system"),
    [
        ({"chat:admin"}, True),
        ({"chat:admin", "x"}, True),
        (set(), False),
        ({"chat"}, False),
        ({"chat:admins"}, False),
        ({"CHAT:ADMIN"}, False),
    ],
)
def test_only_the_exact_scope_speaks_for_the_system(scopes: set[str], system: bool) -> None:
    assert is_system(identity("x", scopes)) is system


@pytest.mark.parametrize("role", Role)
async def test_a_member_stands_as_its_role_says(role: Role) -> None:
    store = await room_with("bob", role)
    found = await standing(store.members, identity("bob"), RoomId("1"))
    assert found.name == role.name


async def test_a_stranger_stands_nowhere() -> None:
    store = await room_with("bob", Role.MEMBER)
    with pytest.raises(NotAMember):
        await standing(store.members, identity("eve"), RoomId("1"))


@pytest.mark.parametrize("user", ["bob", "backend"])
async def test_the_system_stands_above_its_own_membership(user: str) -> None:
    store = await room_with("bob", Role.MEMBER)
    found = await standing(store.members, identity(user, {"chat:admin"}), RoomId("1"))
    assert found is Standing.SYSTEM


async def test_nobody_stands_in_an_unknown_room() -> None:
    store = await room_with("bob", Role.MEMBER)
    for scopes in (set[str](), {"chat:admin"}):
        with pytest.raises(UnknownRoom):
            await standing(store.members, identity("bob", scopes), RoomId("2"))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/messages", None),
        ("POST", "/messages", {"content": "x"}),
        ("GET", "/members", None),
        ("POST", "/members", {"user": "x"}),
        ("PUT", "/members/alice", {"role": "member"}),
        ("DELETE", "/members/alice", None),
    ],
)
async def test_whatever_the_table_does_not_allow_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: object
) -> None:
    """Every action goes through the table, those too that all roles have today."""
    monkeypatch.setattr(permissions, "ALLOWED", dict.fromkeys(Standing, frozenset[Action]()))
    await api.room(bob=Role.MEMBER)
    answer = await api.ask(method, f"{ROOMS}/{ROOM}{path}", json=body, user="bob")
    assert answer.outcome == (403, "not_allowed")


def identity(user: str, scopes: set[str] | frozenset[str] = frozenset()) -> Identity:
    return Identity(UserId(user), expires_at=0.0, scopes=frozenset(scopes))


async def room_with(user: str, role: Role) -> MemoryStore:
    store = MemoryStore()
    await store.rooms.create("x", UserId("alice"), room_id=RoomId("1"))
    await store.members.add(RoomId("1"), UserId(user), role)
    return store
