"""The SQL that keeps why somebody was, or was not, pushed something. Functions of a connection.

Of a user, a room and a reason there is one row, the newest: a day of a busy room would otherwise be
a row per member and second.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, select

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, now
from allibe_services.contracts.push import PushReason
from allibe_services.store.base import DECISIONS_KEPT
from allibe_services.store.dialects import OneOf, Upsert
from allibe_services.store.tables import push_decisions

Decided = tuple[UserId, RoomId, PushReason, int]
"""Whom, of which room, why, and up to which offset."""

_KEEP = Upsert(
    push_decisions,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["user_id", "room_id", "reason"],
        set_={name: insert.excluded[name] for name in ("offset", "decided_at")},
    ),
)
_OLD_USERS = (
    select(push_decisions.c.user_id)
    .where(push_decisions.c.decided_at <= bindparam("since"))
    .order_by(push_decisions.c.decided_at)
    .limit(bindparam("most"))
)
_FORGET = delete(push_decisions).where(
    OneOf(push_decisions.c.user_id, "users"), push_decisions.c.decided_at <= bindparam("since")
)


def keep(connection: Connection, decided: Iterable[Decided]) -> None:
    """Keep decisions of now."""
    present = milliseconds(now())
    rows = {
        (user, room_id, reason): {
            "user_id": user,
            "room_id": room_id,
            "reason": reason.value,
            "offset": offset,
            "decided_at": present,
        }
        for user, room_id, reason, offset in decided
    }
    if rows:
        _KEEP(connection, [rows[key] for key in sorted(rows)])


def forget(connection: Connection, most: int) -> int:
    """Forget what is older than a day, of some users; return how many old ones were found."""
    since = milliseconds(now() - DECISIONS_KEPT)
    users = connection.execute(_OLD_USERS, {"since": since, "most": most}).scalars().all()
    if users:
        connection.execute(_FORGET, {"users": sorted(set(users)), "since": since})
    return len(users)
