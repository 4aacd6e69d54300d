"""The SQL of what users want to be told, and why they were or were not. Functions of a connection.

A muted room refers to the membership, and the database ends it with that.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from allibe_services.contracts.errors import NotAMember
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.notifications import (
    Decision,
    MutedRoom,
    NotificationSettings,
    QuietHours,
)
from allibe_services.contracts.push import PushReason
from allibe_services.store.base import DECISIONS_KEPT
from allibe_services.store.dialects import Upsert
from allibe_services.store.members import role
from allibe_services.store.tables import (
    muted_rooms,
    notification_settings,
    push_decisions,
    push_users,
    pushes,
)

FOREVER = 2**63 - 1
"""Muted until then: until further notice."""

NEVER = 2**63 - 1
"""When a push is due that is over, and only remembered."""

_SOON = timedelta(seconds=10)

_QUIET = select(notification_settings).where(notification_settings.c.user_id == bindparam("user"))
_PUT = Upsert(
    notification_settings,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["user_id"],
        set_={name: insert.excluded[name] for name in ("quiet_start", "quiet_end", "time_zone")},
    ),
)
_DROP = delete(notification_settings).where(notification_settings.c.user_id == bindparam("user"))

# Who changes their quiet hours hears at once of what waits for the end of the former ones.
_HASTEN_USER = (
    update(push_users)
    .where(
        push_users.c.user_id == bindparam("user"),
        push_users.c.claimed_by == "",
        push_users.c.due_at > bindparam("soon"),
        push_users.c.held_until <= bindparam("soon"),
    )
    .values(due_at=bindparam("soon"))
)
_HASTEN = (
    update(pushes)
    .where(
        pushes.c.user_id == bindparam("user"),
        pushes.c.tries == 0,
        pushes.c.due_at > bindparam("soon"),
        pushes.c.due_at < NEVER,
    )
    .values(due_at=bindparam("soon"))
)

_MUTED = (
    select(muted_rooms.c.room_id, muted_rooms.c.muted_until)
    .where(muted_rooms.c.user_id == bindparam("user"), muted_rooms.c.muted_until > bindparam("now"))
    .order_by(muted_rooms.c.room_id)
)
_MUTE = Upsert(
    muted_rooms,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["room_id", "user_id"], set_={"muted_until": insert.excluded.muted_until}
    ),
)
_UNMUTE = delete(muted_rooms).where(
    muted_rooms.c.room_id == bindparam("room"), muted_rooms.c.user_id == bindparam("user")
)

_DECISIONS = (
    select(
        push_decisions.c.room_id,
        push_decisions.c.reason,
        push_decisions.c.offset,
        push_decisions.c.decided_at,
    )
    .where(
        push_decisions.c.user_id == bindparam("user"),
        push_decisions.c.decided_at > bindparam("since"),
    )
    .order_by(push_decisions.c.decided_at.desc(), push_decisions.c.room_id, push_decisions.c.reason)
    .limit(bindparam("most"))
)
_BEFORE = bindparam("at", type_=BigInteger)
_NEXT_DECISIONS = _DECISIONS.where(
    or_(
        push_decisions.c.decided_at < _BEFORE,
        and_(
            push_decisions.c.decided_at == _BEFORE,
            tuple_(push_decisions.c.room_id, push_decisions.c.reason)
            > tuple_(bindparam("room"), bindparam("reason")),
        ),
    )
)


def settings(connection: Connection, user: UserId) -> NotificationSettings:
    """Return what the user wants; nothing for an unknown user."""
    row = connection.execute(_QUIET, {"user": user}).one_or_none()
    rows = connection.execute(_MUTED, {"user": user, "now": milliseconds(now())})
    return NotificationSettings(
        quiet_hours=None if row is None else quiet_hours(row),
        muted=tuple(_muted(room_id, until) for room_id, until in rows),
    )


def change_settings(
    connection: Connection, user: UserId, quiet: QuietHours | None
) -> NotificationSettings:
    """Put these quiet hours in the place of the former ones; return what the user wants now."""
    if quiet is None:
        connection.execute(_DROP, {"user": user})
    else:
        row = {
            "user_id": user,
            "quiet_start": quiet.start,
            "quiet_end": quiet.end,
            "time_zone": quiet.time_zone,
        }
        _PUT(connection, [row])
    soon = {"user": user, "soon": milliseconds(now() + _SOON)}
    connection.execute(_HASTEN_USER, soon)
    connection.execute(_HASTEN, soon)
    return settings(connection, user)


def mute(connection: Connection, user: UserId, room_id: RoomId, until: datetime | None) -> None:
    """Mute a room. Raises `UnknownRoom`, `NotAMember`."""
    role(connection, room_id, user)
    muted_until = FOREVER if until is None else milliseconds(until)
    row = {"room_id": room_id, "user_id": user, "muted_until": muted_until}
    try:
        _MUTE(connection, [row])
    except IntegrityError:  # they left just now
        raise NotAMember from None


def unmute(connection: Connection, user: UserId, room_id: RoomId) -> None:
    """End that. Raises `UnknownRoom`, `NotAMember`."""
    role(connection, room_id, user)
    connection.execute(_UNMUTE, {"user": user, "room": room_id})


def decisions(
    connection: Connection, user: UserId, most: int, after: Decision | None
) -> list[Decision]:
    """Return the newest decisions of the last day, `after` that one."""
    since = milliseconds(now() - DECISIONS_KEPT)
    wanted: dict[str, object] = {"user": user, "since": since, "most": most}
    statement = _DECISIONS
    if after is not None:
        place = {"at": milliseconds(after.at), "room": after.room_id, "reason": after.reason.value}
        statement, wanted = _NEXT_DECISIONS, wanted | place
    rows = connection.execute(statement, wanted)
    return [
        Decision(RoomId(room_id), PushReason(reason), offset, moment(at))
        for room_id, reason, offset, at in rows
    ]


def quiet_hours(row: Row[*tuple[Any, ...]]) -> QuietHours | None:
    """Return a row's quiet hours; None where this machine does not know their time zone."""
    try:
        return QuietHours(row.quiet_start, row.quiet_end, row.time_zone)
    except ValueError:
        return None


def _muted(room_id: RoomId, until: int) -> MutedRoom:
    return MutedRoom(room_id, None if until == FOREVER else moment(until))
