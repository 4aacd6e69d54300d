"""The store against simple models: any calls leave what a few Python lists and dicts would hold."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.errors import Conflict, NotAMember, UnknownMember
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import ReadMarker, Role
from allibe_services.store.base import Store

Post = Callable[..., PostMessage]

ALICE = UserId("alice")

# Every example has rooms of its own, so that one store serves all of them.
modelled = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

_COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "unknown"]),
        st.sampled_from(["alice", "bob"]),
        st.sampled_from([None, "1", "2", "3"]),
        st.sampled_from(["fine", "also fine", "not\0fine"]),
        st.integers(0, 12),
    ),
    max_size=12,
)


@modelled
@given(calls=st.lists(_COMMANDS, max_size=5))
async def test_any_appends_leave_what_a_simple_model_leaves(
    store: Store, post: Post, calls: list[list[tuple[str, str, str | None, str, int]]]
) -> None:
    run = new_message_id()[-12:]
    rooms = {short: RoomId(f"{short}-{run}") for short in ("a", "b")}
    for room_id in rooms.values():
        await store.rooms.create("room", ALICE, room_id=room_id)
    model: dict[str, list[Message]] = {room_id: [] for room_id in rooms.values()}

    for call in calls:
        commands = [
            post(rooms.get(r, r), content, sender=s, client=c, message=f"{m}-{r}-{run}")
            for r, s, c, content, m in call
        ]
        for command, outcome in zip(commands, await store.log.append(commands), strict=True):
            _check(command, outcome, model)

    for room, expected in model.items():
        assert await store.log.after(RoomId(room), 0, most=10_000) == expected


def _check(command: PostMessage, outcome: Outcome, model: dict[str, list[Message]]) -> None:
    log = model.get(command.room_id)
    if log is None or "\0" in command.content:
        assert isinstance(outcome, Rejected)
        return
    assert isinstance(outcome, Stored)
    same = [
        m
        for m in log
        if m.message_id == command.message_id
        or (
            command.client_message_id is not None
            and (m.sender, m.client_message_id) == (command.sender, command.client_message_id)
        )
    ]
    assert outcome.duplicate == bool(same)
    if same:
        assert outcome.message in same
        return
    assert outcome.message.offset == len(log) + 1
    assert outcome.message.message_id == command.message_id
    log.append(outcome.message)


_USERS = st.sampled_from(["alice", "bob", "carol", "dave"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), _USERS, st.integers(1, 4)),
        st.tuples(st.just("read"), _USERS, st.integers(-1, 8)),
        st.tuples(st.just("add"), _USERS, st.sampled_from(Role)),
        st.tuples(st.just("change"), _USERS, st.sampled_from(Role)),
        st.tuples(st.just("remove"), _USERS, st.just(0)),
    ),
    max_size=25,
)


class _Model:
    """A room as two Python collections: what the store must agree with."""

    def __init__(self) -> None:
        self.senders: list[str] = []
        self.members: dict[str, tuple[Role, int]] = {"alice": (Role.OWNER, 0)}

    def unread(self, user: str) -> int:
        read_offset = self.members[user][1]
        return sum(sender != user for sender in self.senders[read_offset:])

    def read(self, user: str, offset: int) -> bool:
        role, read_offset = self.members[user]
        target = max(read_offset, min(offset, len(self.senders)))
        self.members[user] = (role, target)
        return target > read_offset

    def set(self, changed: dict[str, tuple[Role, int]]) -> bool:
        if changed and all(role is not Role.OWNER for role, _ in changed.values()):
            return False
        self.members = changed
        return True


@modelled
@given(steps=_STEPS)
async def test_roles_markers_and_unread_counts_are_those_of_a_simple_model(
    store: Store, post: Post, steps: list[tuple[str, str, Role | int]]
) -> None:
    room_id = RoomId(f"p-{new_message_id()}")
    await store.rooms.create("r", ALICE, room_id=room_id)
    model = _Model()
    for step in steps:
        await _take(step, store, room_id, model, post)

    found = await store.members.of_room(room_id, most=100)
    assert {m.user: (m.role, m.read_offset) for m in found} == model.members
    counts = (await store.members.unread({room_id: None}, most=100))[room_id]
    assert {u.user: u.unread_count for u in counts} == {u: model.unread(u) for u in model.members}
    for user in model.members:
        room = await store.rooms.get(room_id, UserId(user))
        assert room.unread_count == model.unread(user)
        listed = await store.rooms.of_user(UserId(user), most=100)
        assert room in listed


async def _take(
    step: tuple[str, str, Role | int], store: Store, room_id: RoomId, model: _Model, post: Post
) -> None:
    action, name, argument = step
    user = UserId(name)
    if action == "post" and isinstance(argument, int):
        await store.log.append([post(room_id, sender=user) for _ in range(argument)])
        model.senders += [user] * argument
    elif action == "read" and isinstance(argument, int):
        await _read(store, room_id, user, argument, model)
    else:
        await _change(step, store, room_id, model)


async def _read(store: Store, room_id: RoomId, user: UserId, offset: int, model: _Model) -> None:
    if user not in model.members:
        with pytest.raises(NotAMember):
            await store.members.mark_read(room_id, user, offset)
        return
    marker = await store.members.mark_read(room_id, user, offset)
    moved = model.read(user, offset)
    assert marker == ReadMarker(room_id, model.members[user][1], model.unread(user), moved)


async def _change(
    step: tuple[str, str, Role | int], store: Store, room_id: RoomId, model: _Model
) -> None:
    action, name, argument = step
    user, role = UserId(name), argument if isinstance(argument, Role) else Role.MEMBER
    is_member = name in model.members
    if is_member == (action == "add"):
        expected: type[Exception] | None = Conflict if is_member else UnknownMember
    else:
        changed = dict(model.members)
        if action == "remove":
            del changed[name]
        else:
            changed[name] = (role, changed.get(name, (role, len(model.senders)))[1])
        expected = None if model.set(changed) else Conflict
    await _call(action, store, room_id, user, role, expected)


async def _call(
    action: str,
    store: Store,
    room_id: RoomId,
    user: UserId,
    role: Role,
    expected: type[Exception] | None,
) -> None:
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "add": lambda: store.members.add(room_id, user, role),
        "change": lambda: store.members.change_role(room_id, user, role),
        "remove": lambda: store.members.remove(room_id, user),
    }
    if expected is None:
        await calls[action]()
        return
    with pytest.raises(expected):
        await calls[action]()
