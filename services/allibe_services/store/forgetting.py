"""The SQL that erases a user. Functions of a connection.

Messages stay where they are in the log, which so has no hole: without content, from nobody, under
no id of a client's. The transaction that erases the last of a room gives the room's log a new
epoch: by that gateways and clients know that what they have of it is not what it says any more.
"""

from sqlalchemy import (
    Connection,
    String,
    and_,
    bindparam,
    case,
    delete,
    or_,
    select,
    update,
)

from allibe_services.contracts.ids import FORGOTTEN, RoomId, UserId
from allibe_services.contracts.rooms import Role
from allibe_services.store.rooms import new_epoch
from allibe_services.store.tables import (
    dead_pushes,
    members,
    messages,
    muted_rooms,
    notification_settings,
    push_decisions,
    push_subscriptions,
    push_users,
    pushes,
    rooms,
)

_USER = bindparam("user", type_=String)
_THIS_ROOM = rooms.c.room_id == bindparam("room")
_LAST_IS_THEIRS = rooms.c.last_message_sender == _USER
# No EXISTS: for it PostgreSQL may gather all of the user's messages, and read the whole table.
_ONE_WRITTEN = (
    select(messages.c.offset)
    .where(messages.c.room_id == rooms.c.room_id, messages.c.sender == _USER)
    .limit(1)
    .correlate(rooms)
    .scalar_subquery()
)
_THEIRS = or_(
    _ONE_WRITTEN.is_not(None),
    rooms.c.created_by == _USER,
    _LAST_IS_THEIRS,
)
_ROOMS = (
    select(rooms.c.room_id, _THEIRS.label("is_theirs"))
    .where(rooms.c.room_id > bindparam("after"))
    .order_by(rooms.c.room_id)
    .limit(bindparam("most"))
)
_LOCK = select(rooms.c.room_id).where(_THIS_ROOM).with_for_update(key_share=True)

_WRITTEN = (
    select(messages.c.offset)
    .where(messages.c.room_id == bindparam("room"), messages.c.sender == _USER)
    .order_by(messages.c.offset)
    .limit(bindparam("most"))
)
_BLANK = (
    update(messages)
    .where(
        messages.c.room_id == bindparam("room"),
        messages.c.sender == _USER,
        messages.c.offset <= bindparam("up_to"),
    )
    .values(sender=FORGOTTEN, sender_name=None, content="", client_message_id=None)
)
_BLANK_ROOM = (
    update(rooms)
    .where(_THIS_ROOM, or_(rooms.c.created_by == _USER, _LAST_IS_THEIRS))
    .values(
        created_by=case((rooms.c.created_by == _USER, FORGOTTEN), else_=rooms.c.created_by),
        last_message=case((_LAST_IS_THEIRS, ""), else_=rooms.c.last_message),
        last_message_sender=case((_LAST_IS_THEIRS, FORGOTTEN), else_=rooms.c.last_message_sender),
    )
)
_NEW_EPOCH = update(rooms).where(_THIS_ROOM).values(epoch=bindparam("new_epoch"))

_MEMBERSHIPS = select(members.c.room_id).where(members.c.user_id == _USER).limit(bindparam("most"))
_HEIR = (
    select(members.c.user_id, members.c.role)
    .where(members.c.room_id == bindparam("room"), members.c.user_id != _USER)
    .order_by(
        case(
            (members.c.role == Role.OWNER.value, 0),
            (members.c.role == Role.ADMIN.value, 1),
            else_=2,
        ),
        members.c.joined_at,
        members.c.user_id,
    )
    .limit(1)
)
_THIS_MEMBER = and_(members.c.room_id == bindparam("room"), members.c.user_id == _USER)
_MAKE_OWNER = update(members).where(_THIS_MEMBER).values(role=Role.OWNER.value)
_LEAVE = delete(members).where(_THIS_MEMBER)

# Users before pushes, in which order all take them. Dead pushes have no index for this: they are
# MOST_DEAD at most, and read through within a tenth of a second.
_OWNED = tuple(
    delete(table).where(table.c.user_id == _USER)
    for table in (
        push_users,
        pushes,
        push_subscriptions,
        notification_settings,
        muted_rooms,
        push_decisions,
        dead_pushes,
    )
)


def rooms_of(
    connection: Connection, user: UserId, after: RoomId | None, most: int
) -> tuple[list[RoomId], RoomId | None]:
    """Return which of the next `most` rooms hold something that the user wrote or made.

    And the last room that was looked at, to go on after; None at the end.
    """
    wanted = {"user": user, "after": after or "", "most": most}
    rows = connection.execute(_ROOMS, wanted).all()
    found = [RoomId(row.room_id) for row in rows if row.is_theirs]
    return found, RoomId(rows[-1].room_id) if len(rows) == most else None


def erase(connection: Connection, room_id: RoomId, user: UserId, most: int) -> int:
    """Blank up to `most` of the user's messages in a room; return how many."""
    theirs = {"room": room_id, "user": user}
    connection.execute(_LOCK, {"room": room_id})
    found = connection.execute(_WRITTEN, theirs | {"most": most + 1}).scalars().all()
    if found:
        connection.execute(_BLANK, theirs | {"up_to": found[:most][-1]})
    connection.execute(_BLANK_ROOM, theirs)
    if 0 < len(found) <= most:  # these were the last
        connection.execute(_NEW_EPOCH, {"room": room_id, "new_epoch": new_epoch()})
    return min(len(found), most)


def memberships(connection: Connection, user: UserId, most: int) -> list[RoomId]:
    """Return up to `most` rooms of which the user is a member."""
    return [
        RoomId(room) for (room,) in connection.execute(_MEMBERSHIPS, {"user": user, "most": most})
    ]


def leave(connection: Connection, room_id: RoomId, user: UserId) -> None:
    """End the user's membership. Others who would be left without an owner get one.

    An admin rather than a member, and of these the one who has been there longest.
    """
    this = {"room": room_id, "user": user}
    connection.execute(_LOCK, {"room": room_id})
    heir = connection.execute(_HEIR, this).one_or_none()
    if heir is not None and heir.role != Role.OWNER.value:
        connection.execute(_MAKE_OWNER, {"room": room_id, "user": heir.user_id})
    connection.execute(_LEAVE, this)


def drop_settings(connection: Connection, user: UserId) -> None:
    """Delete what is kept of the user beside rooms: browsers, settings, pushes, decisions."""
    for statement in _OWNED:
        connection.execute(statement, {"user": user})
