"""The SQL of pushes that ended undeliverable: one row for each way. Functions of a connection."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, tuple_

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.notifications import DeadPush
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import PushEnd
from allibe_services.store.base import DEAD_KEPT, MOST_DEAD
from allibe_services.store.dialects import Upsert
from allibe_services.store.tables import dead_pushes

_KEEP = Upsert(dead_pushes, lambda insert: insert.on_conflict_do_nothing())
_PLACE = tuple_(dead_pushes.c.died_at, dead_pushes.c.push_id, dead_pushes.c.way)
_KEPT = dead_pushes.c.died_at > bindparam("since")
_NEWEST = (
    select(dead_pushes)
    .where(_KEPT)
    .order_by(dead_pushes.c.died_at.desc(), dead_pushes.c.push_id.desc(), dead_pushes.c.way.desc())
    .limit(bindparam("most"))
)
_NEXT = _NEWEST.where(tuple_(bindparam("at"), bindparam("push"), bindparam("by")) > _PLACE)
_NEWEST_TOO_MANY = (
    select(dead_pushes.c.died_at)
    .where(_KEPT)
    .order_by(dead_pushes.c.died_at.desc())
    .offset(bindparam("kept"))
    .limit(1)
)
_OLD = (
    select(dead_pushes.c.died_at)
    .where(dead_pushes.c.died_at <= bindparam("until"))
    .order_by(dead_pushes.c.died_at)
    .limit(bindparam("most"))
)
# Of a range that is open below PostgreSQL expects a third of the table, in a plan for any range.
_FORGET = delete(dead_pushes).where(
    dead_pushes.c.died_at.between(bindparam("first"), bindparam("last"))
)


def keep(connection: Connection, ends: Iterable[PushEnd]) -> None:
    """Keep what is dead of these, as of now."""
    died_at = milliseconds(now())
    rows = [
        {
            "died_at": died_at,
            "push_id": end.push.push_id,
            "way": one.way,
            "user_id": end.user,
            "room_id": end.push.room_id,
            "offset": end.push.told_offset,
            "service": one.service,
            "reason": one.reason.value,
            "last": one.last.value,
            "tries": end.tries,
        }
        for end in ends
        if end.push is not None
        for one in end.dead
    ]
    if rows:
        _KEEP(connection, sorted(rows, key=lambda row: (str(row["push_id"]), str(row["way"]))))


def newest(connection: Connection, most: int, after: DeadPush | None) -> list[DeadPush]:
    """Return the newest, `after` that one."""
    wanted: dict[str, object] = {"since": milliseconds(now() - DEAD_KEPT), "most": most}
    statement = _NEWEST
    if after is not None:
        place = {"at": milliseconds(after.at), "push": after.push_id, "by": after.way}
        statement, wanted = _NEXT, wanted | place
    return [_dead(row) for row in connection.execute(statement, wanted)]


def forget(connection: Connection, most: int) -> int:
    """Forget some that are old or too many; return how many were found, up to `most`."""
    since = milliseconds(now() - DEAD_KEPT)
    kept = {"since": since, "kept": MOST_DEAD}
    too_many = connection.execute(_NEWEST_TOO_MANY, kept).scalar_one_or_none()
    old = {"until": since if too_many is None else too_many, "most": most}
    found = connection.execute(_OLD, old).scalars().all()
    if found:
        connection.execute(_FORGET, {"first": found[0], "last": found[-1]})
    return len(found)


def _dead(row: Row[*tuple[Any, ...]]) -> DeadPush:
    return DeadPush(
        at=moment(row.died_at),
        push_id=row.push_id,
        user=UserId(row.user_id),
        room_id=RoomId(row.room_id),
        offset=row.offset,
        way=row.way,
        service=row.service,
        reason=PushReason(row.reason),
        last=PushReason(row.last),
        tries=row.tries,
    )
