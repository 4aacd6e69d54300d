"""Events: what became of commands, and what passes by, published to whoever is bound.

Room events go to `room.<roomId>`: log entries (`Message`, ordered, recoverable) and activity
(ephemeral: may be shed, is never stored). User events go to
`user.<userId>`, where `to` is that user.
"""

from datetime import datetime

import msgspec

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Role
from allibe_services.contracts.routing import room_key, user_key


class _Event(msgspec.Struct, frozen=True, rename="camel", tag_field="type", omit_defaults=True):
    pass


class Typing(_Event, frozen=True, tag="typing"):
    """Somebody types. Good for a few seconds."""

    room_id: RoomId
    user: UserId
    user_name: str | None = None


class MemberRead(_Event, frozen=True, tag="read"):
    """A member's read marker moved."""

    room_id: RoomId
    user: UserId
    offset: int


class ScreenLeft(_Event, frozen=True, tag="left"):
    """A member left the room's screen (and is still a member)."""

    room_id: RoomId
    user: UserId


class MemberAdded(_Event, frozen=True, tag="member-added"):
    """Somebody became a member, or has another role now."""

    room_id: RoomId
    user: UserId
    role: Role


class MemberRemoved(_Event, frozen=True, tag="member-removed"):
    """Somebody is no longer a member."""

    room_id: RoomId
    user: UserId


Activity = Typing | MemberRead | ScreenLeft | MemberAdded | MemberRemoved


class RoomPresence(_Event, frozen=True, tag="presence"):
    """Who has the room on the screen now. `users` is absent where too many to be named have.

    Not published: each gateway makes it for its own subscribers.
    """

    room_id: RoomId
    count: int
    users: tuple[UserId, ...] | None = None


class ScreensChanged(_Event, frozen=True, tag="screens"):
    """Somebody has the room on the screen now, or no longer: ask presence. For gateways only."""

    room_id: RoomId


class RoomChanged(_Event, frozen=True, tag="room"):
    """A room of the user's list looks different now; what is absent has not changed."""

    to: UserId
    room_id: RoomId
    unread_count: int
    last_message: str | None = None
    last_message_at: datetime | None = None
    last_message_sender: UserId | None = None


class Notification(_Event, frozen=True, tag="notification"):
    """A new message in a room that the user is not looking at."""

    to: UserId
    room_id: RoomId
    message: Message
    unread_count: int


class RoomJoined(_Event, frozen=True, tag="joined"):
    """The user became a member of a room, or has another role in it."""

    to: UserId
    room_id: RoomId
    role: Role


class RoomLeft(_Event, frozen=True, tag="removed"):
    """The user is no longer a member: subscriptions to the room end."""

    to: UserId
    room_id: RoomId


class RoomMuted(_Event, frozen=True, tag="muted"):
    """The user has muted a room, until a time if there is one; or no longer, on any device."""

    to: UserId
    room_id: RoomId
    muted: bool
    muted_until: datetime | None = None


UserEvent = RoomChanged | Notification | RoomJoined | RoomLeft | RoomMuted
RoomEvent = Message | Activity | ScreensChanged
Event = RoomEvent | UserEvent


def key_of(event: Event) -> str:
    """Return the routing key that the event is published under."""
    if isinstance(event, UserEvent):
        return user_key(event.to)
    return room_key(event.room_id)
