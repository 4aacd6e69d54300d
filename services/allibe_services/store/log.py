"""The SQL of rooms' logs: append and read messages. Functions of a connection.

`append` is the hot path: three statements, on PostgreSQL two, and the unique constraints tell
whether anything was stored before. Only where they object does `append_with_care` look the
messages up.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    collate,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.exc import DataError, IntegrityError

from allibe_services.contracts.commands import Outcome, PostMessage, Stored
from allibe_services.contracts.ids import RoomId, is_room_id
from allibe_services.contracts.messages import Message, moment
from allibe_services.contracts.rooms import Head
from allibe_services.store.batch import REFUSED, Batch, is_storable
from allibe_services.store.dialects import POSTGRESQL, OneOf, as_arrays, rows_of_arrays
from allibe_services.store.log_insert import write
from allibe_services.store.tables import CLIENT_KEY_COLLATION, messages, rooms

T = TypeVar("T")

OFFSET_MOST = 2**63 - 1
"""The highest offset that a column holds; whoever asks beyond it means the end."""

_IDS = 500
"""Ids per IN list: far below the 32,766 parameters of SQLite and the 32,767 of PostgreSQL."""

_HEADS = (
    select(rooms.c.room_id, rooms.c.epoch, rooms.c.last_offset, rooms.c.pruned_offset)
    .where(OneOf(rooms.c.room_id, "room_ids"))
    .order_by(rooms.c.room_id)
)
# NO KEY UPDATE: rows that refer to the room (new members) need not wait. Sorted: no deadlock.
_LOCK = _HEADS.with_for_update(key_share=True)


def _columns(of: FromClause) -> list[ColumnElement[Any]]:
    return [
        of.c.room_id,
        rooms.c.epoch,
        of.c.offset,
        of.c.message_id,
        of.c.sender,
        of.c.content,
        of.c.sent_at,
        of.c.sender_name,
        of.c.client_message_id,
    ]


_MESSAGES = select(*_columns(messages)).join_from(messages, rooms)
_IN_ROOM = _MESSAGES.where(messages.c.room_id == bindparam("room_id"))
_AFTER = (
    _IN_ROOM.where(messages.c.offset > bindparam("offset"))
    .order_by(messages.c.offset)
    .limit(bindparam("most"))
)
_BEFORE = (
    _IN_ROOM.where(messages.c.offset < bindparam("offset"))
    .order_by(messages.c.offset.desc())
    .limit(bindparam("most"))
)
_BY_ID = _MESSAGES.where(OneOf(messages.c.message_id, "message_ids"))

# `(room_id, sender, client_message_id) IN (…)` would make SQLite read the whole table, VALUES
# are compiled anew each time; an OR of a fixed number of keys is neither.
_KEYS = 32
_BY_CLIENT_KEYS = _MESSAGES.where(
    or_(
        *(
            and_(
                messages.c.room_id == bindparam(f"room{slot}"),
                messages.c.sender == bindparam(f"sender{slot}"),
                messages.c.client_message_id == bindparam(f"id{slot}"),
            )
            for slot in range(_KEYS)
        )
    )
)
_KEY_COLUMNS = {"room": messages.c.room_id.type, "sender": messages.c.sender.type, "id": Text()}
_ONE: ColumnElement[int] = literal_column("1")  # no parameter: plans for any are for this one
_GIVEN_KEYS = rows_of_arrays(_KEY_COLUMNS)
_ID_COLUMNS = {"room": messages.c.room_id.type, "id": messages.c.message_id.type}
_GIVEN_IDS = rows_of_arrays(_ID_COLUMNS)


def _each_of(given: FromClause, *found: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Select the messages that are found for rows of arrays, at most one for each.

    A search for each, in the partition of its room: of a join PostgreSQL may take the room alone
    for it, and read all that is there.
    """
    one = (
        select(messages)
        .where(messages.c.room_id == given.c.room, *found)
        .limit(_ONE)
        .lateral("one")
    )
    joined = given.join(one, true()).join(rooms, rooms.c.room_id == one.c.room_id)
    return select(*_columns(one)).select_from(joined)


_BY_KEY_ARRAYS = _each_of(
    _GIVEN_KEYS,
    collate(messages.c.sender, CLIENT_KEY_COLLATION) == _GIVEN_KEYS.c.sender,
    collate(messages.c.client_message_id, CLIENT_KEY_COLLATION) == _GIVEN_KEYS.c.id,
)
_BY_ID_ARRAYS = _each_of(_GIVEN_IDS, messages.c.message_id == _GIVEN_IDS.c.id)
"""The same two on PostgreSQL. An id is looked for in its room only: it is unique there."""


class MetBefore(Exception):
    """The database refused the batch: part of it is stored already, or cannot be stored."""


def append(connection: Connection, commands: Sequence[PostMessage]) -> list[Outcome]:
    """Store messages that are probably new; see `RoomLog.append`.

    Raises `MetBefore`: roll back, and call `append_with_care` in another transaction.
    """
    batch = Batch(_lock_rooms(connection, commands))
    outcomes = [batch.take(command) for command in commands]
    try:
        write(connection, batch.fresh)
    except (IntegrityError, DataError):
        raise MetBefore from None
    return outcomes


def append_with_care(connection: Connection, commands: Sequence[PostMessage]) -> list[Outcome]:
    """Store what is not stored yet, and set aside what the database refuses."""
    known = _lock_rooms(connection, commands)
    stored = _find_stored(connection, commands)
    batch = Batch(known, stored)
    outcomes = [batch.take(command) for command in commands]
    try:
        with connection.begin_nested():
            write(connection, batch.fresh)
    except (IntegrityError, DataError):
        batch = Batch(known, stored)
        return [_append_one(connection, command, batch) for command in commands]
    return outcomes


def after(connection: Connection, room_id: RoomId, offset: int, most: int) -> list[Message]:
    """Return up to `most` messages after an offset, oldest first."""
    wanted = {"room_id": room_id, "offset": min(offset, OFFSET_MOST), "most": most}
    return [_message(row) for row in connection.execute(_AFTER, wanted)]


def before(connection: Connection, room_id: RoomId, offset: int | None, most: int) -> list[Message]:
    """Return the up to `most` messages right before an offset (None: the newest), oldest first."""
    end = OFFSET_MOST if offset is None else min(offset, OFFSET_MOST)
    wanted = {"room_id": room_id, "offset": end, "most": most}
    newest_first = connection.execute(_BEFORE, wanted).all()
    return [_message(row) for row in reversed(newest_first)]


def heads(connection: Connection, room_ids: Collection[RoomId]) -> dict[RoomId, Head]:
    """Return where the logs of these rooms end; unknown rooms are left out."""
    return _heads(connection, _HEADS, room_ids)


def _heads(
    connection: Connection, statement: Select[*tuple[Any, ...]], room_ids: Collection[RoomId]
) -> dict[RoomId, Head]:
    found = {}
    for chunk in _chunks(sorted(filter(is_room_id, room_ids)), _IDS):
        for room_id, *head in connection.execute(statement, {"room_ids": chunk}):
            found[room_id] = Head(*head)
    return found


def _lock_rooms(connection: Connection, commands: Sequence[PostMessage]) -> dict[RoomId, Head]:
    return _heads(connection, _LOCK, {command.room_id for command in commands})


def _append_one(connection: Connection, command: PostMessage, batch: Batch) -> Outcome:
    outcome = batch.take(command)
    if not isinstance(outcome, Stored) or outcome.duplicate:
        return outcome
    try:
        with connection.begin_nested():
            write(connection, [outcome.message])
    except (IntegrityError, DataError):
        batch.withdraw()
        return REFUSED
    return outcome


def _find_stored(connection: Connection, commands: Sequence[PostMessage]) -> list[Message]:
    sound = [command for command in commands if is_storable(command)]
    keys = [
        {"room": command.room_id, "sender": command.sender, "id": command.client_message_id}
        for command in sound
        if command.client_message_id is not None
    ]
    found: list[Row[*tuple[Any, ...]]] = []
    if connection.dialect.name == POSTGRESQL:
        ids = [{"room": command.room_id, "id": command.message_id} for command in sound]
        found += connection.execute(_BY_ID_ARRAYS, as_arrays(ids, _ID_COLUMNS)).all()
        found += connection.execute(_BY_KEY_ARRAYS, as_arrays(keys, _KEY_COLUMNS)).all()
        return [_message(row) for row in found]
    for some_ids in _chunks((command.message_id for command in sound), _IDS):
        found += connection.execute(_BY_ID, {"message_ids": some_ids}).all()
    for some in _chunks(keys, _KEYS):
        found += connection.execute(_BY_CLIENT_KEYS, _in_slots(some)).all()
    return [_message(row) for row in found]


def _in_slots(keys: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the parameters of `_BY_CLIENT_KEYS`; unused slots repeat the last key."""
    slots = [keys[min(slot, len(keys) - 1)] for slot in range(_KEYS)]
    return {f"{name}{slot}": value for slot, key in enumerate(slots) for name, value in key.items()}


def _message(row: Row[*tuple[Any, ...]]) -> Message:
    room_id, epoch, offset, message_id, sender, content, sent_at, sender_name, client_id = row
    return Message(
        room_id,
        epoch,
        offset,
        message_id,
        sender,
        content,
        moment(sent_at),
        sender_name,
        client_id,
    )


def _chunks(wanted: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(wanted)
    while chunk := list(islice(rest, size)):
        yield chunk
