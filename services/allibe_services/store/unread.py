"""The SQL of unread counts: of one member, and of the members of many rooms at once."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    Text,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
)

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Unread
from allibe_services.store.base import OWN_COUNTED
from allibe_services.store.dialects import POSTGRESQL, as_arrays, as_json, rows_of_arrays
from allibe_services.store.tables import members, messages, rooms

_OWN_ONES = (
    select(literal(1))
    .where(
        messages.c.room_id == members.c.room_id,
        messages.c.sender == members.c.user_id,
        messages.c.offset > members.c.read_offset,
    )
    .limit(OWN_COUNTED)  # what it costs is bounded for who posts and never reads
    .correlate(members)
    .subquery("own")
)
_OWN = select(func.count()).select_from(_OWN_ONES).scalar_subquery()
_READ_OR_PRUNED = case(
    (members.c.read_offset < rooms.c.pruned_offset, rooms.c.pruned_offset),
    else_=members.c.read_offset,
)
UNREAD = case(
    (members.c.read_offset >= rooms.c.last_offset, 0),
    else_=rooms.c.last_offset - _READ_OR_PRUNED - _OWN,
).label("unread_count")
"""Messages after a member's read marker that are still there and that others sent.

In a SELECT from rooms and members.
"""


def _page(
    given: FromClause, room_id: ColumnElement[str], after: ColumnElement[str]
) -> Select[tuple[str, int]]:
    """Return the members of one room of those given, after that user.

    A limit for each room: a join of all of them would be worked out whole before it is cut.
    """
    return (
        select(members.c.user_id, UNREAD)
        .join_from(members, rooms)
        .where(members.c.room_id == room_id, members.c.user_id > after)
        .order_by(members.c.user_id)
        .limit(bindparam("most"))
        .correlate(given)
    )


_NAMES = ("room_id", "after")
_ARRAYS = rows_of_arrays(dict.fromkeys(_NAMES, Text()))
_ONE = _page(_ARRAYS, _ARRAYS.c.room_id, _ARRAYS.c.after).lateral("page")
_OF_ARRAYS = (
    select(_ARRAYS.c.room_id, _ONE.c.user_id, _ONE.c.unread_count)
    .select_from(_ARRAYS.join(_ONE, true()))
    .order_by(_ONE.c.user_id)
)

# SQLite has no LATERAL: a page is one value there, which is also what it hands over fastest.
_JSON = func.json_each(bindparam("rooms")).table_valued("value", name="given")
_ROOM_ID = func.json_extract(_JSON.c.value, "$[0]")
_PAGE: Subquery = _page(_JSON, _ROOM_ID, func.json_extract(_JSON.c.value, "$[1]")).subquery("page")
_ROWS = func.json_group_array(func.json_array(_PAGE.c.user_id, _PAGE.c.unread_count))
_OF_JSON = select(_ROOM_ID, select(_ROWS).scalar_subquery())
_decode = msgspec.json.Decoder(list[tuple[UserId, int]]).decode


def unread(
    connection: Connection, after: Mapping[RoomId, UserId | None], most: int
) -> dict[RoomId, list[Unread]]:
    """Return unread counts of each room's members, sorted by user id, after the one given."""
    pages: dict[RoomId, list[Unread]] = {room_id: [] for room_id in after}
    for room_id, user, count in _rows(connection, after, most):
        pages[room_id].append(Unread(user, count))
    return pages


def _rows(
    connection: Connection, after: Mapping[RoomId, UserId | None], most: int
) -> Iterable[tuple[RoomId, UserId, int]]:
    given = [(room_id, last or "") for room_id, last in after.items()]
    if connection.dialect.name == POSTGRESQL:
        arrays = as_arrays([dict(zip(_NAMES, one, strict=True)) for one in given], _NAMES)
        yield from connection.execute(_OF_ARRAYS, {**arrays, "most": most})
        return
    wanted = {"rooms": as_json(given), "most": most}
    for room_id, page in connection.execute(_OF_JSON, wanted):
        for user, count in _decode(page):
            yield room_id, user, count
