"""The SQL that turns a room's news into scheduled pushes, page by page. Functions of a connection.

How far a room has come is a row: the offset up to which every member is accounted for, and, in the
middle of a round, its target and the last user of the last page. The transaction that schedules a
page moves that row from exactly where the page began, or does nothing at all: so each member is
scheduled once per round, whoever else works on the room, and whatever dies in between.

Whoever writes here takes users in order, `push_users` before `pushes`, as `push_turns` does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, exists, select, update
from uuid_utils import uuid7

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, now
from allibe_services.contracts.push_queue import Candidate, NewsPage, Scheduling
from allibe_services.store import push_decisions
from allibe_services.store.dialects import OneOf, Upsert
from allibe_services.store.notifications import NEVER
from allibe_services.store.tables import (
    members,
    messages,
    muted_rooms,
    push_progress,
    push_subscriptions,
    push_users,
    pushes,
    rooms,
)

LOOKED_BACK = 1000
"""Newest messages whose senders are looked at: whether there are two."""

_THIS_ROOM = push_progress.c.room_id == bindparam("room")
_PROGRESS = (
    select(
        push_progress.c.offset,
        push_progress.c.target,
        push_progress.c.after_user,
        rooms.c.last_offset,
    )
    .join_from(push_progress, rooms)
    .where(_THIS_ROOM)
)
_SENDERS = (
    select(messages.c.sender)
    .where(
        messages.c.room_id == bindparam("room"),
        messages.c.offset > bindparam("after"),
        messages.c.offset <= bindparam("target"),
    )
    .distinct()
    .limit(2)
)
_CANDIDATES = (
    select(
        members.c.user_id,
        members.c.read_offset,
        muted_rooms.c.muted_until,
        exists().where(push_subscriptions.c.user_id == members.c.user_id).label("is_subscribed"),
        pushes.c.due_at,
        push_users.c.claimed_by,
    )
    .select_from(
        members.outerjoin(
            muted_rooms,
            and_(
                muted_rooms.c.room_id == members.c.room_id,
                muted_rooms.c.user_id == members.c.user_id,
            ),
        )
        .outerjoin(
            pushes,
            and_(pushes.c.user_id == members.c.user_id, pushes.c.room_id == members.c.room_id),
        )
        .outerjoin(push_users, push_users.c.user_id == members.c.user_id)
    )
    .where(members.c.room_id == bindparam("room"), members.c.user_id > bindparam("after"))
    .order_by(members.c.user_id)
    .limit(bindparam("most"))
)
_MOVE = (
    update(push_progress)
    .where(
        _THIS_ROOM,
        push_progress.c.offset == bindparam("old_offset"),
        push_progress.c.target == bindparam("old_target"),
        push_progress.c.after_user == bindparam("old_after"),
    )
    .values(
        offset=bindparam("new_offset"),
        target=bindparam("new_target"),
        after_user=bindparam("new_after"),
    )
)


def _sooner(insert: Any) -> Any:
    due = insert.excluded.due_at
    due = case((due < push_users.c.held_until, push_users.c.held_until), else_=due)
    return insert.on_conflict_do_update(
        index_elements=["user_id"],
        set_={"due_at": due},
        # A claimed one is due when the claim ends; whoever ends it looks for what has come.
        where=and_(push_users.c.claimed_by == "", push_users.c.due_at > due),
    )


def _if_it_is_news(insert: Any) -> Any:
    new = insert.excluded
    beyond = pushes.c.told_offset + 1
    return insert.on_conflict_do_update(
        index_elements=["user_id", "room_id"],
        set_={
            "push_id": new.push_id,
            "first_offset": case((beyond > new.first_offset, beyond), else_=new.first_offset),
            "told_offset": new.told_offset,
            "due_at": new.due_at,
            "expires_at": new.expires_at,
            "tries": 0,
            "done": "",
        },
        # One that waits will tell of these as well; one that is over may have told of them.
        where=and_(pushes.c.due_at == NEVER, pushes.c.told_offset < new.told_offset),
    )


_LOCK = (
    select(push_users.c.user_id)
    .where(OneOf(push_users.c.user_id, "users"))
    .order_by(push_users.c.user_id)
    .with_for_update()
)
_FRESH = (
    select(pushes.c.user_id, pushes.c.due_at)
    .where(
        OneOf(pushes.c.user_id, "users"),
        pushes.c.room_id == bindparam("room"),
        OneOf(pushes.c.push_id, "ids"),
    )
    .order_by(pushes.c.user_id)
)
_USERS = Upsert(push_users, _sooner, columns=("user_id", "due_at"))
_PUSHES = Upsert(
    pushes,
    _if_it_is_news,
    columns=(
        "user_id",
        "room_id",
        "push_id",
        "first_offset",
        "told_offset",
        "due_at",
        "expires_at",
    ),
)

_NTH = (
    select(rooms.c.room_id)
    .where(rooms.c.room_id > bindparam("after"))
    .order_by(rooms.c.room_id)
    .limit(1)
    .offset(bindparam("nth"))
)
_BEHIND = (
    select(rooms.c.room_id)
    .join_from(rooms, push_progress)
    .where(
        rooms.c.room_id > bindparam("after"),
        rooms.c.room_id <= bindparam("last"),
        rooms.c.last_offset > push_progress.c.offset,
        rooms.c.last_message_at > bindparam("since"),
        rooms.c.last_message_at <= bindparam("until"),
    )
    .order_by(rooms.c.room_id)
)

_LAST_ROOM = "~"
"""After every room id."""


def page(connection: Connection, room_id: RoomId, most: int) -> NewsPage | None:
    """Return the next members to account for; None where a room has no news, or there is none."""
    progress = connection.execute(_PROGRESS, {"room": room_id}).one_or_none()
    if progress is None:
        return None
    target = progress.target if progress.target > progress.offset else progress.last_offset
    if target <= progress.offset:
        return None
    wanted = {"room": room_id, "after": progress.after_user, "most": most}
    rows = connection.execute(_CANDIDATES, wanted).all()
    present = milliseconds(now())
    return NewsPage(
        room_id=room_id,
        offset=progress.offset,
        target=target,
        started=progress.target,
        after_user=progress.after_user,
        is_last=len(rows) < most,
        sole_sender=_sole_sender(connection, room_id, progress.offset, target),
        candidates=[_candidate(row, present) for row in rows],
    )


def schedule(
    connection: Connection,
    page: NewsPage,
    decided: Sequence[Scheduling],
    expires_at: datetime,
) -> bool:
    """Keep what was decided for a page, and go on behind it; False if another has done so."""
    if connection.execute(_MOVE, _moved(page)).rowcount != 1:
        return False
    due = {one.user: milliseconds(one.due_at) for one in decided if one.due_at is not None}
    if due:
        _schedule(connection, page, due, milliseconds(expires_at))
    reasons = ((one.user, page.room_id, one.reason, page.target) for one in decided)
    push_decisions.keep(connection, reasons)
    return True


def _schedule(
    connection: Connection, page: NewsPage, due: Mapping[UserId, int], expires_at: int
) -> None:
    rows = [
        {
            "user_id": user,
            "room_id": page.room_id,
            "push_id": str(uuid7()),
            "first_offset": page.offset + 1,
            "told_offset": page.target,
            "due_at": due[user],
            "expires_at": expires_at,
        }
        for user in sorted(due)
    ]
    users = [row["user_id"] for row in rows]
    # Whoever ends a turn has locked its user: what is over is seen as over, what waits as waiting.
    connection.execute(_LOCK, {"users": users}).all()
    _PUSHES(connection, rows)
    new = {"users": users, "room": page.room_id, "ids": [row["push_id"] for row in rows]}
    fresh = connection.execute(_FRESH, new).mappings().all()
    if fresh:
        _USERS(connection, [dict(row) for row in fresh])


def behind(
    connection: Connection, after: RoomId | None, most: int, since: datetime, until: datetime
) -> tuple[list[RoomId], RoomId | None]:
    """Return rooms with news, of the next `most` rooms, and the last of these; None at the end."""
    start = {"after": after or "", "nth": most - 1}
    last = connection.execute(_NTH, start).scalar_one_or_none()
    wanted = {
        "after": after or "",
        "last": last or _LAST_ROOM,
        "since": milliseconds(since),
        "until": milliseconds(until),
    }
    found = connection.execute(_BEHIND, wanted).scalars().all()
    return [RoomId(room_id) for room_id in found], None if last is None else RoomId(last)


def _sole_sender(
    connection: Connection, room_id: RoomId, offset: int, target: int
) -> UserId | None:
    after = max(offset, target - LOOKED_BACK)
    wanted = {"room": room_id, "after": after, "target": target}
    senders = connection.execute(_SENDERS, wanted).scalars().all()
    is_all = after == offset and len(senders) == 1
    return UserId(senders[0]) if is_all else None


def _candidate(row: Row[*tuple[Any, ...]], present: int) -> Candidate:
    return Candidate(
        UserId(row.user_id),
        row.read_offset,
        row.muted_until is not None and row.muted_until > present,
        bool(row.is_subscribed),
        # Whoever claims the user from now on sees this news, too. Who has claimed them may not.
        row.due_at is not None and row.due_at < NEVER and row.claimed_by == "",
    )


def _moved(page: NewsPage) -> dict[str, object]:
    return {
        "room": page.room_id,
        "old_offset": page.offset,
        "old_target": page.started,
        "old_after": page.after_user,
        "new_offset": page.target if page.is_last else page.offset,
        "new_target": page.target,
        "new_after": "" if page.is_last else page.candidates[-1].user,
    }
