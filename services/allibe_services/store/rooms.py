"""The SQL of rooms, as their members see them. Functions of a connection."""

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, and_, bindparam, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from allibe_services.contracts.content import check_name
from allibe_services.contracts.errors import Conflict, NotAMember, UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.rooms import Member, Role, Room
from allibe_services.store.members import MEMBERSHIP, insert_all
from allibe_services.store.notifications import FOREVER
from allibe_services.store.tables import members, muted_rooms, push_progress, rooms
from allibe_services.store.unread import UNREAD

_SEEN = select(
    rooms.c.room_id,
    rooms.c.name,
    rooms.c.epoch,
    rooms.c.created_at,
    rooms.c.last_offset,
    rooms.c.last_message,
    rooms.c.last_message_at,
    rooms.c.last_message_sender,
    members.c.role,
    members.c.read_offset,
    muted_rooms.c.muted_until,
    UNREAD,
)
_MUTING = and_(
    muted_rooms.c.room_id == members.c.room_id, muted_rooms.c.user_id == members.c.user_id
)
_ONE = _SEEN.select_from(MEMBERSHIP.outerjoin(muted_rooms, _MUTING)).where(
    rooms.c.room_id == bindparam("room")
)

_ACTIVITY = func.coalesce(rooms.c.last_message_at, rooms.c.created_at)
_LIST = (
    _SEEN.select_from(members.join(rooms).outerjoin(muted_rooms, _MUTING))
    .where(members.c.user_id == bindparam("user"))
    .order_by(_ACTIVITY.desc(), rooms.c.room_id)
    .limit(bindparam("most"))
)
_BEFORE = bindparam("activity", type_=BigInteger)
_NEXT_LIST = _LIST.where(
    or_(_BEFORE > _ACTIVITY, and_(_BEFORE == _ACTIVITY, rooms.c.room_id > bindparam("room")))
)
_INSERT = insert(rooms)
_START_PROGRESS = insert(push_progress)


def create(
    connection: Connection,
    name: str,
    owner: UserId,
    others: Collection[UserId],
    room_id: RoomId,
) -> Room:
    """Create a room; return it as the owner sees it. Raises `Conflict`, `BadRequest`."""
    check_name(name)
    created_at = now()
    row = {
        "room_id": room_id,
        "name": name,
        "epoch": new_epoch(),
        "created_at": milliseconds(created_at),
        "created_by": owner,
    }
    try:
        connection.execute(_INSERT, row)
    except IntegrityError:
        raise Conflict("The room id is taken.") from None
    progress = {"room_id": room_id, "offset": 0, "target": 0, "after_user": ""}
    connection.execute(_START_PROGRESS, progress)
    joining = [Member(owner, Role.OWNER, created_at, 0)]
    joining += [Member(user, Role.MEMBER, created_at, 0) for user in set(others) - {owner}]
    insert_all(connection, room_id, joining)
    return get(connection, room_id, owner)


def get(connection: Connection, room_id: RoomId, user_id: UserId) -> Room:
    """Return a room as the user sees it. Raises `UnknownRoom`, `NotAMember`."""
    row = connection.execute(_ONE, {"room": room_id, "user": user_id}).one_or_none()
    if row is None:
        raise UnknownRoom
    if row.role is None:
        raise NotAMember
    return _room(row)


def of_user(
    connection: Connection, user_id: UserId, most: int, after: tuple[datetime, RoomId] | None
) -> list[Room]:
    """Return the user's rooms, the latest activity first, `after` that activity and room."""
    wanted: dict[str, object] = {"user": user_id, "most": most}
    if after is None:
        return [_room(row) for row in connection.execute(_LIST, wanted)]
    wanted |= {"activity": milliseconds(after[0]), "room": after[1]}
    return [_room(row) for row in connection.execute(_NEXT_LIST, wanted)]


def new_epoch() -> str:
    """Return an epoch that the log has not had."""
    return secrets.token_hex(4)


def _room(row: Row[*tuple[Any, ...]]) -> Room:
    at = row.last_message_at
    muted = row.muted_until is not None and row.muted_until > milliseconds(now())
    return Room(
        room_id=row.room_id,
        name=row.name,
        last_message=row.last_message,
        last_message_at=None if at is None else moment(at),
        last_message_sender=row.last_message_sender,
        unread_count=row.unread_count,
        read_offset=row.read_offset,
        last_offset=row.last_offset,
        epoch=row.epoch,
        role=Role(row.role),
        created_at=moment(row.created_at),
        muted=muted,
        muted_until=moment(row.muted_until) if muted and row.muted_until != FOREVER else None,
    )
