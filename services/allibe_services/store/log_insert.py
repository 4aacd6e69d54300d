"""How new messages are written: the rows, and where their rooms' logs end now.

On PostgreSQL both are one statement over arrays, for a single message too: of two, each has to be
sent, planned and waited for. See docs/decisions/0008 and 0027.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, select, update

from allibe_services.contracts.messages import Message, milliseconds
from allibe_services.store.dialects import POSTGRESQL, ForEach, rows_of_arrays
from allibe_services.store.tables import messages, rooms

_INSERT = ForEach(insert(messages))
_MOVE_HEAD = ForEach(
    update(rooms)
    .where(rooms.c.room_id == bindparam("room_id"))
    .values(
        last_offset=bindparam("offset"),
        last_message=bindparam("content"),
        last_message_at=bindparam("sent_at"),
        last_message_sender=bindparam("sender"),
    )
)

_COLUMNS = {column.name: column.type for column in messages.columns}
_ROOM_ENDS = {"room_last_offset": rooms.c.last_offset.type}
_FRESH = select(rows_of_arrays({**_COLUMNS, **_ROOM_ENDS})).cte("fresh")
_MOVED_HEADS = (
    update(rooms)
    .where(
        rooms.c.room_id == _FRESH.c.room_id,
        # of several messages for a room PostgreSQL would take any
        _FRESH.c.offset == _FRESH.c.room_last_offset,
    )
    .values(
        last_offset=_FRESH.c.offset,
        last_message=_FRESH.c.content,
        last_message_at=_FRESH.c.sent_at,
        last_message_sender=_FRESH.c.sender,
    )
    .cte("moved_heads")
)
_INSERT_AND_MOVE = (
    insert(messages).from_select(list(_COLUMNS), select(*_FRESH.c[*_COLUMNS])).add_cte(_MOVED_HEADS)
)


def write(connection: Connection, fresh: Sequence[Message]) -> None:
    """Insert messages that have their offsets, and move the ends of their rooms' logs there.

    Raises the driver's `IntegrityError` for one that is stored, `DataError` for what the
    database cannot hold.
    """
    if not fresh:
        return
    last = {message.room_id: message for message in fresh}
    if connection.dialect.name == POSTGRESQL:
        ends = [last[message.room_id].offset for message in fresh]
        connection.execute(_INSERT_AND_MOVE, {**_arrays(fresh), "room_last_offsets": ends})
    else:
        _INSERT(connection, [_row(message) for message in fresh])
        _MOVE_HEAD(connection, [_row(message) for message in last.values()])


def _arrays(fresh: Sequence[Message]) -> dict[str, object]:
    return {
        "room_ids": [message.room_id for message in fresh],
        "offsets": [message.offset for message in fresh],
        "message_ids": [message.message_id for message in fresh],
        "senders": [message.sender for message in fresh],
        "sender_names": [message.sender_name for message in fresh],
        "contents": [message.content for message in fresh],
        "client_message_ids": [message.client_message_id for message in fresh],
        "sent_ats": [milliseconds(message.sent_at) for message in fresh],
    }


def _row(message: Message) -> dict[str, object]:
    return {
        "room_id": message.room_id,
        "offset": message.offset,
        "message_id": message.message_id,
        "sender": message.sender,
        "sender_name": message.sender_name,
        "content": message.content,
        "client_message_id": message.client_message_id,
        "sent_at": milliseconds(message.sent_at),
    }
