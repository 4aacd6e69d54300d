"""The SQL of members: roles, read markers. Functions of a connection.

Whatever changes who belongs to a room locks the room's row first, so that two changes at once
cannot leave members without an owner.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from allibe_services.contracts.errors import Conflict, NotAMember, UnknownMember, UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.rooms import Member, ReadMarker, Role
from allibe_services.store.dialects import POSTGRESQL, OneOf, as_arrays, as_json, rows_of_arrays
from allibe_services.store.tables import members, rooms
from allibe_services.store.unread import UNREAD

_USERS = 500
"""Users looked up in one statement; databases limit its variables."""

MEMBERSHIP = rooms.outerjoin(
    members,
    and_(members.c.room_id == rooms.c.room_id, members.c.user_id == bindparam("user")),
)
"""A room with one user's membership: no row for an unknown room, NULLs where not a member."""

_THIS_ROOM = rooms.c.room_id == bindparam("room")
_THESE_MEMBERS = members.c.room_id == bindparam("room")
_THIS_MEMBER = and_(_THESE_MEMBERS, members.c.user_id == bindparam("user"))

_ROLE = select(members.c.role).select_from(MEMBERSHIP).where(_THIS_ROOM)
_OF_PAIR = select(members.c.room_id, members.c.user_id, members.c.role)
_ARRAYS = rows_of_arrays({"room_id": Text(), "user_id": Text()})
_ROLES_OF_ARRAYS = _OF_PAIR.join_from(
    _ARRAYS,
    members,
    and_(members.c.room_id == _ARRAYS.c.room_id, members.c.user_id == _ARRAYS.c.user_id),
)
# SQLite would walk through all members for `(room_id, user_id) IN (VALUES …)`.
_JSON = func.json_each(bindparam("pairs")).table_valued("value", name="pairs")
_ROLES_OF_JSON = _OF_PAIR.join_from(
    _JSON,
    members,
    and_(
        members.c.room_id == func.json_extract(_JSON.c.value, "$[0]"),
        members.c.user_id == func.json_extract(_JSON.c.value, "$[1]"),
    ),
)
_READ = (
    select(rooms.c.last_offset, members.c.read_offset, UNREAD)
    .select_from(MEMBERSHIP)
    .where(_THIS_ROOM)
)
_LOCK = select(rooms.c.last_offset).where(_THIS_ROOM).with_for_update(key_share=True)
_MEMBER = select(
    members.c.user_id, members.c.role, members.c.joined_at, members.c.read_offset
).order_by(members.c.user_id)
_ONE = _MEMBER.where(_THIS_MEMBER)
_AMONG = select(members.c.user_id).where(_THESE_MEMBERS, OneOf(members.c.user_id, "users"))
_PAGE = _MEMBER.where(_THESE_MEMBERS, members.c.user_id > bindparam("after")).limit(
    bindparam("most")
)
_OTHERS = select(literal(1)).where(_THESE_MEMBERS, members.c.user_id != bindparam("user"))
_OTHERS = _OTHERS.limit(1)
_OTHER_OWNERS = _OTHERS.where(members.c.role == Role.OWNER.value)

_INSERT = insert(members)
_SET_ROLE = update(members).where(_THIS_MEMBER).values(role=bindparam("new_role"))
_REMOVE = delete(members).where(_THIS_MEMBER)
_MARK = (
    update(members)
    .where(_THIS_MEMBER, members.c.read_offset < bindparam("marker"))
    .values(read_offset=bindparam("marker"))
)


def role(connection: Connection, room_id: RoomId, user_id: UserId) -> Role:
    """Return the user's role. Raises `UnknownRoom`, `NotAMember`."""
    row = connection.execute(_ROLE, {"room": room_id, "user": user_id}).one_or_none()
    if row is None:
        raise UnknownRoom
    if row.role is None:
        raise NotAMember
    return Role(row.role)


def roles(
    connection: Connection, pairs: Collection[tuple[RoomId, UserId]]
) -> dict[tuple[RoomId, UserId], Role]:
    """Return the roles of those who are members."""
    wanted = sorted(pairs)
    if connection.dialect.name == POSTGRESQL:
        given = [{"room_id": room, "user_id": user} for room, user in wanted]
        rows = connection.execute(_ROLES_OF_ARRAYS, as_arrays(given, ("room_id", "user_id")))
    else:
        rows = connection.execute(_ROLES_OF_JSON, {"pairs": as_json(wanted)})
    return {(RoomId(room), UserId(user)): Role(role) for room, user, role in rows}


def among(connection: Connection, room_id: RoomId, users: Collection[UserId]) -> set[UserId]:
    """Return those of the users who are members of the room."""
    wanted = sorted(users)
    found: set[UserId] = set()
    for start in range(0, len(wanted), _USERS):
        some = wanted[start : start + _USERS]
        rows = connection.execute(_AMONG, {"room": room_id, "users": some})
        found.update(UserId(user) for (user,) in rows)
    return found


def of_room(
    connection: Connection, room_id: RoomId, most: int, after: UserId | None
) -> list[Member]:
    """Return members sorted by user id, `after` that one."""
    wanted = {"room": room_id, "after": after or "", "most": most}
    return [_member(row) for row in connection.execute(_PAGE, wanted)]


def add(connection: Connection, room_id: RoomId, user_id: UserId, new_role: Role) -> Member:
    """Make the user a member who has read all so far. Raises `UnknownRoom`, `Conflict`.

    An empty room takes only an owner.
    """
    last_offset = _lock_room(connection, room_id)
    owned = _exists(connection, _OTHER_OWNERS, room_id, user_id)
    member = Member(user_id, new_role, now(), last_offset)
    try:
        insert_all(connection, room_id, [member])
    except IntegrityError:
        raise Conflict("The user is a member already.") from None
    if not owned and new_role is not Role.OWNER:
        raise Conflict("The first member of a room must be an owner.")
    return member


def insert_all(connection: Connection, room_id: RoomId, joining: Sequence[Member]) -> None:
    """Insert memberships as they are; raises the driver's `IntegrityError` for one that exists."""
    rows = [
        {
            "room_id": room_id,
            "user_id": member.user,
            "role": member.role.value,
            "joined_at": milliseconds(member.joined_at),
            "read_offset": member.read_offset,
        }
        for member in joining
    ]
    connection.execute(_INSERT, rows)


def change_role(connection: Connection, room_id: RoomId, user_id: UserId, new_role: Role) -> Member:
    """Give a member another role. Raises `UnknownRoom`, `UnknownMember`, `Conflict`."""
    _lock_room(connection, room_id)
    _existing(connection, room_id, user_id)
    if new_role is not Role.OWNER and not _exists(connection, _OTHER_OWNERS, room_id, user_id):
        raise Conflict("A room needs an owner.")
    chosen = {"room": room_id, "user": user_id, "new_role": new_role.value}
    connection.execute(_SET_ROLE, chosen)
    return _existing(connection, room_id, user_id)


def remove(connection: Connection, room_id: RoomId, user_id: UserId) -> None:
    """End a membership. Raises `UnknownRoom`, `UnknownMember`, `Conflict`."""
    _lock_room(connection, room_id)
    _existing(connection, room_id, user_id)
    others = _exists(connection, _OTHERS, room_id, user_id)
    if others and not _exists(connection, _OTHER_OWNERS, room_id, user_id):
        raise Conflict("Members would be left without an owner.")
    connection.execute(_REMOVE, {"room": room_id, "user": user_id})


def mark_read(connection: Connection, room_id: RoomId, user_id: UserId, offset: int) -> ReadMarker:
    """Move the read marker forward, at most to the end of the log; never back."""
    last_offset, marker, unread_count = _reading(connection, room_id, user_id)
    target, moved = min(offset, last_offset), False
    if target > marker:
        moving = {"room": room_id, "user": user_id, "marker": target}
        moved = connection.execute(_MARK, moving).rowcount == 1
        _, marker, unread_count = _reading(connection, room_id, user_id)
    return ReadMarker(room_id, marker, unread_count, moved)


def _lock_room(connection: Connection, room_id: RoomId) -> int:
    last_offset = connection.execute(_LOCK, {"room": room_id}).scalar_one_or_none()
    if last_offset is None:
        raise UnknownRoom
    return int(last_offset)


def _existing(connection: Connection, room_id: RoomId, user_id: UserId) -> Member:
    row = connection.execute(_ONE, {"room": room_id, "user": user_id}).one_or_none()
    if row is None:
        raise UnknownMember
    return _member(row)


def _exists(
    connection: Connection, statement: Select[*tuple[Any, ...]], room_id: RoomId, user_id: UserId
) -> bool:
    return connection.execute(statement, {"room": room_id, "user": user_id}).first() is not None


def _reading(connection: Connection, room_id: RoomId, user_id: UserId) -> tuple[int, int, int]:
    row = connection.execute(_READ, {"room": room_id, "user": user_id}).one_or_none()
    if row is None:
        raise UnknownRoom
    if row.read_offset is None:
        raise NotAMember
    return row.last_offset, row.read_offset, row.unread_count


def _member(row: Row[*tuple[Any, ...]]) -> Member:
    return Member(row.user_id, Role(row.role), moment(row.joined_at), row.read_offset)
