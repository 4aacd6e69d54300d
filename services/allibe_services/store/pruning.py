"""The SQL that deletes the old beginning of rooms' logs. Functions of a connection.

What is deleted is always the beginning: what is left has no holes. The room remembers up to where,
in the same transaction, so that an empty beginning is never taken for one that is missing. Offsets,
the end of the log and read markers stay as they are.
"""

from sqlalchemy import BigInteger, Connection, bindparam, case, delete, null, select, update

from allibe_services.contracts.ids import RoomId
from allibe_services.store.tables import messages, rooms

_OLDEST = (
    select(messages.c.sent_at)
    .where(messages.c.room_id == rooms.c.room_id, messages.c.offset > rooms.c.pruned_offset)
    .order_by(messages.c.offset)
    .limit(1)
    .correlate(rooms)
    .scalar_subquery()
)
_ROOMS = (
    select(rooms.c.room_id, _OLDEST.label("oldest"))
    .where(rooms.c.room_id > bindparam("after"))
    .order_by(rooms.c.room_id)
    .limit(bindparam("most"))
)
_ROOM = select(rooms.c.last_offset, rooms.c.pruned_offset).where(
    rooms.c.room_id == bindparam("room")
)
_LOCK = _ROOM.with_for_update(key_share=True)
_BEGINNING = (
    select(messages.c.offset, messages.c.sent_at)
    .where(
        messages.c.room_id == bindparam("room"),
        messages.c.offset > bindparam("after"),
        messages.c.offset <= bindparam("end"),
    )
    .order_by(messages.c.offset)
    .limit(bindparam("most"))
)
_DELETE = delete(messages).where(
    messages.c.room_id == bindparam("room"),
    messages.c.offset > bindparam("after"),
    messages.c.offset <= bindparam("end"),
)
_UP_TO = bindparam("up_to", type_=BigInteger)
_IS_EMPTY = rooms.c.last_offset <= _UP_TO
_REMEMBER = (
    update(rooms)
    .where(rooms.c.room_id == bindparam("room"))
    .values(
        pruned_offset=_UP_TO,
        # The preview in lists of rooms is the last message, too; its time keeps the room's place.
        last_message=case((_IS_EMPTY, null()), else_=rooms.c.last_message),
        last_message_sender=case((_IS_EMPTY, null()), else_=rooms.c.last_message_sender),
    )
)


def rooms_from(
    connection: Connection, after: RoomId | None, before: int, most: int
) -> tuple[list[RoomId], RoomId | None]:
    """Return which of the next `most` rooms begin with a message from `before` that time.

    And the last room that was looked at, to go on after; None at the end.
    """
    rows = connection.execute(_ROOMS, {"after": after or "", "most": most}).all()
    found = [RoomId(room) for room, oldest in rows if oldest is not None and oldest < before]
    return found, RoomId(rows[-1].room_id) if len(rows) == most else None


def exists(connection: Connection, room_id: RoomId) -> bool:
    """Tell whether there is such a room."""
    return connection.execute(_ROOM, {"room": room_id}).first() is not None


def count(
    connection: Connection, room_id: RoomId, after: int, before: int, keep_last: int, most: int
) -> tuple[int, int]:
    """Return how many `prune` would delete after an offset, and the offset of the last of them."""
    room = connection.execute(_ROOM, {"room": room_id}).one()
    begin = max(after, room.pruned_offset)
    return _old(connection, room_id, begin, room.last_offset - keep_last, before, most)


def prune(connection: Connection, room_id: RoomId, before: int, keep_last: int, most: int) -> int:
    """Delete up to `most` of the room's oldest messages; return how many.

    Up to the first one that is not from `before` that time, and never of the last `keep_last`.
    """
    room = connection.execute(_LOCK, {"room": room_id}).one()
    begin, end = room.pruned_offset, room.last_offset - keep_last
    found, up_to = _old(connection, room_id, begin, end, before, most)
    if found:
        connection.execute(_DELETE, {"room": room_id, "after": begin, "end": up_to})
        connection.execute(_REMEMBER, {"room": room_id, "up_to": up_to})
    return found


def _old(
    connection: Connection, room_id: RoomId, after: int, end: int, before: int, most: int
) -> tuple[int, int]:
    wanted = {"room": room_id, "after": after, "end": end, "most": most}
    found, last = 0, after
    for offset, sent_at in connection.execute(_BEGINNING, wanted):
        if sent_at >= before:
            break
        found, last = found + 1, offset
    return found, last
