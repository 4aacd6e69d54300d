"""The SQL of users' turns: who is due, what of, and how it ended. Functions of a connection.

A turn is one user's, and one push's: whoever claims it has the user until `due_at`, which is moved
to the end of the claim, so that another takes over from whoever dies. The claim's name is compared
at the end: one that was overtaken changes nothing any more.

A push that is over stays for a day as `NEVER` due. It remembers up to where the user was told, for
a round over the room that comes later than the push.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from uuid_utils import uuid7

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.push import Subscription
from allibe_services.contracts.push_queue import WEBHOOK, Browser, DuePush, PushClaim, PushEnd
from allibe_services.store import dead_pushes, push_decisions
from allibe_services.store.base import OWN_COUNTED, PUSH_LIFE
from allibe_services.store.dialects import OneOf, Upsert
from allibe_services.store.notifications import NEVER, quiet_hours
from allibe_services.store.tables import (
    members,
    messages,
    muted_rooms,
    notification_settings,
    push_subscriptions,
    push_users,
    pushes,
    rooms,
)
from allibe_services.store.unread import UNREAD

_DUE = (
    select(push_users.c.user_id, push_users.c.due_at)
    .where(push_users.c.due_at <= bindparam("now"))
    .order_by(push_users.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(push_users)
    .where(OneOf(push_users.c.user_id, "users"))
    .values(claimed_by=bindparam("claim"), due_at=bindparam("until"))
)

_TOLD = case((pushes.c.tries > 0, pushes.c.told_offset), else_=rooms.c.last_offset)
_BEFORE = case(
    (members.c.read_offset >= pushes.c.first_offset, members.c.read_offset),
    else_=pushes.c.first_offset - 1,
)
_OWN_ONES = (
    select(literal(1))
    .where(
        messages.c.room_id == pushes.c.room_id,
        messages.c.sender == pushes.c.user_id,
        messages.c.offset > _BEFORE,
        messages.c.offset <= _TOLD,
    )
    .limit(OWN_COUNTED)
    .correlate(pushes, members, rooms)
    .subquery("own")
)
_OWN = select(func.count()).select_from(_OWN_ONES).scalar_subquery()
_FIRST = pushes.alias("first")
_NEXT_ROOM = (
    select(_FIRST.c.room_id)
    .where(_FIRST.c.user_id == push_users.c.user_id, _FIRST.c.due_at <= bindparam("now"))
    # What waits for another try goes first, and so keeps its place.
    .order_by(
        case((_FIRST.c.tries > 0, 0), else_=1),
        case((_FIRST.c.tries > 0, _FIRST.c.push_id), else_=""),
        _FIRST.c.due_at,
        _FIRST.c.room_id,
    )
    .limit(1)
    .correlate(push_users)
    .scalar_subquery()
)
_EARLIER = pushes.alias("earlier")
_WEBHOOK_AFTER = (
    select(func.max(_EARLIER.c.due_at))
    .where(
        _EARLIER.c.user_id == pushes.c.user_id,
        _EARLIER.c.room_id != pushes.c.room_id,
        _EARLIER.c.due_at < NEVER,
        _EARLIER.c.tries > 0,
        # In the order in which their turns come, so that no two wait for one another.
        or_(pushes.c.tries == 0, _EARLIER.c.push_id < pushes.c.push_id),
        (literal(" ") + _EARLIER.c.done + " ").not_like(f"% {WEBHOOK} %"),
    )
    .correlate(pushes)
    .scalar_subquery()
)
_NEWEST = messages.alias("newest")


def _of(table: Any) -> Any:
    return and_(table.c.room_id == pushes.c.room_id, table.c.user_id == pushes.c.user_id)


_NEXT = (
    select(
        pushes.c.user_id,
        pushes.c.room_id,
        pushes.c.push_id,
        pushes.c.first_offset,
        _TOLD.label("told"),
        pushes.c.expires_at,
        pushes.c.tries,
        pushes.c.done,
        _WEBHOOK_AFTER.label("webhook_after"),
        push_users.c.free_at,
        rooms.c.name,
        members.c.read_offset,
        (_TOLD - _BEFORE - _OWN).label("messages"),
        UNREAD,
        muted_rooms.c.muted_until,
        notification_settings.c.quiet_start,
        notification_settings.c.quiet_end,
        notification_settings.c.time_zone,
        _NEWEST.c.sender,
        _NEWEST.c.sender_name,
        _NEWEST.c.content,
    )
    .select_from(
        push_users.join(
            pushes,
            and_(pushes.c.user_id == push_users.c.user_id, pushes.c.room_id == _NEXT_ROOM),
        )
        .join(rooms, rooms.c.room_id == pushes.c.room_id)
        .outerjoin(members, _of(members))
        .outerjoin(muted_rooms, _of(muted_rooms))
        .outerjoin(notification_settings, notification_settings.c.user_id == pushes.c.user_id)
        .outerjoin(_NEWEST, and_(_NEWEST.c.room_id == pushes.c.room_id, _NEWEST.c.offset == _TOLD))
    )
    .where(OneOf(push_users.c.user_id, "users"))
)
_BROWSERS = (
    select(push_subscriptions)
    .where(OneOf(push_subscriptions.c.user_id, "users"))
    .order_by(push_subscriptions.c.created_at.desc(), push_subscriptions.c.subscription_id)
)

_HELD = (
    select(push_users.c.user_id, push_users.c.claimed_by, push_users.c.free_at)
    .where(OneOf(push_users.c.user_id, "users"))
    .order_by(push_users.c.user_id)
    .with_for_update()
)
_ENDS = select(rooms.c.room_id, rooms.c.last_offset).where(OneOf(rooms.c.room_id, "rooms"))
_PUT = Upsert(
    pushes,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["user_id", "room_id"],
        set_={
            column.name: insert.excluded[column.name]
            for column in pushes.columns
            if not column.primary_key
        },
    ),
)
_FORGET = delete(pushes).where(
    OneOf(pushes.c.user_id, "users"),
    pushes.c.due_at == NEVER,
    pushes.c.expires_at <= bindparam("now"),
)
_WAITS_UNTIL = case((pushes.c.due_at == NEVER, pushes.c.expires_at), else_=pushes.c.due_at)
_FIRST_DUE = (
    select(pushes.c.user_id, func.min(_WAITS_UNTIL))
    .where(OneOf(pushes.c.user_id, "users"))
    .group_by(pushes.c.user_id)
)
_PUT_USER = Upsert(
    push_users,
    lambda insert: insert.on_conflict_do_update(
        index_elements=["user_id"],
        set_={
            name: insert.excluded[name]
            for name in ("due_at", "held_until", "free_at", "claimed_by")
        },
    ),
)
_DROP_USERS = delete(push_users).where(OneOf(push_users.c.user_id, "users"))
_DROP_BROWSERS = delete(push_subscriptions).where(
    OneOf(push_subscriptions.c.subscription_id, "ids"),
    OneOf(push_subscriptions.c.user_id, "users"),
)


def claim(connection: Connection, most: int, length: timedelta) -> PushClaim:
    """Claim up to `most` users who are due, the longest waiting first, for that long."""
    present = now()
    due = {"now": milliseconds(present), "most": most}
    rows = connection.execute(_DUE, due).all()
    name = secrets.token_hex(8)
    if not rows:
        return PushClaim(name, ())
    users = [row.user_id for row in rows]
    until = milliseconds(present + length)
    connection.execute(_CLAIM, {"users": sorted(users), "claim": name, "until": until})
    late = (milliseconds(present) - rows[0].due_at) / 1000
    return PushClaim(name, tuple(UserId(user) for user in users), late)


def due(connection: Connection, users: Sequence[UserId]) -> list[DuePush]:
    """Return the push that is next of each of these users; none of who has none that is due."""
    wanted = {"users": sorted(users), "now": milliseconds(now())}
    rows = connection.execute(_NEXT, wanted).all()
    browsers: dict[str, list[Browser]] = {}
    if rows:
        for row in connection.execute(_BROWSERS, {"users": sorted(row.user_id for row in rows)}):
            if (browser := _browser(row)) is not None:
                browsers.setdefault(row.user_id, []).append(browser)
    return [_due(row, tuple(browsers.get(row.user_id, ()))) for row in rows]


def end(connection: Connection, ends: Sequence[PushEnd], newer_at: datetime) -> None:
    """Keep how turns ended, one of each user; what another has claimed since is left alone.

    A push that is over is due again at `newer_at` where the room has got further messages.
    """
    users = sorted({one.user for one in ends})
    held = {row.user_id: row for row in connection.execute(_HELD, {"users": users})}
    ours = [one for one in ends if one.user in held and held[one.user].claimed_by == one.claim]
    _end_pushes(connection, [one for one in ours if one.push is not None], newer_at)
    _end_turns(connection, ours, {user: row.free_at for user, row in held.items()})
    gone = [name for one in ends for name in one.gone]
    if gone:
        connection.execute(_DROP_BROWSERS, {"ids": gone, "users": users})
    dead_pushes.keep(connection, ours)
    push_decisions.keep(
        connection,
        (
            (one.user, one.push.room_id, reason, one.push.told_offset)
            for one in ends
            if one.push is not None
            for reason in one.reasons
        ),
    )


def _end_pushes(connection: Connection, ends: Sequence[PushEnd], newer_at: datetime) -> None:
    pushed = [(one, one.push) for one in ends if one.push is not None]
    if not pushed:
        return
    # Read after the users are locked: a round that has passed over a push since is seen here.
    room_ids = sorted({push.room_id for _, push in pushed})
    last = dict(connection.execute(_ENDS, {"rooms": room_ids}).all())
    rows = [_ended(one, push, last.get(push.room_id, 0), newer_at) for one, push in pushed]
    _PUT(connection, sorted(rows, key=lambda row: (row["user_id"], row["room_id"])))


def _end_turns(
    connection: Connection, ends: Sequence[PushEnd], free_before: dict[str, int]
) -> None:
    if not ends:
        return
    present = milliseconds(now())
    users = {"users": sorted(one.user for one in ends)}
    connection.execute(_FORGET, users | {"now": present})
    first = dict(connection.execute(_FIRST_DUE, users).all())
    rows, idle = [], []
    for one in sorted(ends, key=lambda one: one.user):
        free_at = free_before[one.user] if one.free_at is None else milliseconds(one.free_at)
        held_until = 0 if one.held_until is None else milliseconds(one.held_until)
        waits_until = first.get(one.user)
        if waits_until is None and free_at <= present:
            idle.append(one.user)
            continue
        rows.append(
            {
                "user_id": one.user,
                "due_at": max(free_at if waits_until is None else waits_until, held_until),
                "held_until": held_until,
                "free_at": free_at,
                "claimed_by": "",
            }
        )
    if rows:
        _PUT_USER(connection, rows)
    if idle:
        connection.execute(_DROP_USERS, {"users": idle})


def _ended(end: PushEnd, push: DuePush, last_offset: int, newer_at: datetime) -> dict[str, Any]:
    row = {
        "user_id": push.user,
        "room_id": push.room_id,
        "push_id": push.push_id,
        "first_offset": push.first_offset,
        "told_offset": push.told_offset,
        "due_at": NEVER,
        "expires_at": milliseconds(push.expires_at),
        "tries": end.tries,
        "done": " ".join(sorted(end.done)),
    }
    is_newer = last_offset > push.told_offset
    if end.again_at is not None and not (end.gives_way and is_newer):
        return row | {"due_at": milliseconds(end.again_at)}
    over = {"expires_at": milliseconds(now() + PUSH_LIFE), "tries": 0, "done": ""}
    if not is_newer:
        return row | over
    # What gives way and nobody has got is told of with the news.
    is_told = end.again_at is None or bool(end.done)
    return (
        row
        | over
        | {
            "push_id": str(uuid7()),
            "first_offset": push.told_offset + 1 if is_told else push.first_offset,
            "told_offset": last_offset,
            "due_at": milliseconds(newer_at),
        }
    )


def _due(row: Row[*tuple[Any, ...]], browsers: tuple[Browser, ...]) -> DuePush:
    is_member = row.read_offset is not None
    newest = None
    if row.content is not None and row.sender != row.user_id:
        newest = (row.sender_name or row.sender, row.content)
    return DuePush(
        user=UserId(row.user_id),
        room_id=RoomId(row.room_id),
        push_id=row.push_id,
        room_name=row.name,
        first_offset=row.first_offset,
        told_offset=row.told,
        expires_at=moment(row.expires_at),
        tries=row.tries,
        done=frozenset(row.done.split()),
        is_member=is_member,
        is_muted=row.muted_until is not None and row.muted_until > milliseconds(now()),
        messages=max(0, row.messages) if is_member else 0,
        unread_count=row.unread_count if is_member else 0,
        newest=newest,
        quiet_hours=None if row.time_zone is None else quiet_hours(row),
        free_at=moment(row.free_at),
        browsers=browsers,
        webhook_after=None if row.webhook_after is None else moment(row.webhook_after),
    )


def _browser(row: Row[*tuple[Any, ...]]) -> Browser | None:
    """Return a row's browser; None for one that cannot be: it would end each worker in turn."""
    try:
        return Browser(row.subscription_id, Subscription(row.endpoint, row.p256dh, row.auth))
    except ValueError:
        return None
