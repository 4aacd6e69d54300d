"""Rooms and members, as stored and as HTTP shows them."""

from datetime import datetime
from enum import StrEnum

import msgspec

from allibe_services.contracts.ids import RoomId, UserId

NAME_LENGTH = 100
"""Longest name of a room, in characters: what a list shows in one line."""

MEMBERS_AT_CREATION = 100
"""Most members named when a room is created; further ones are added one by one."""


class Role(StrEnum):
    """What a member may do: owner > admin > member.

    An owner does everything, an admin adds and removes members, a member reads and writes.
    A room keeps at least one owner as long as it has members.
    """

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Room(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A room as one of its members sees it in the list of rooms.

    `muted` is there where nothing of it is pushed to the member, `mutedUntil` where that ends.
    """

    room_id: RoomId
    name: str
    last_message: str | None
    last_message_at: datetime | None
    last_message_sender: UserId | None
    unread_count: int
    read_offset: int
    last_offset: int
    epoch: str
    role: Role
    created_at: datetime
    muted: bool = False
    muted_until: datetime | None = None


class Member(msgspec.Struct, frozen=True, rename="camel"):
    """A member of a room."""

    user: UserId
    role: Role
    joined_at: datetime
    read_offset: int


class Head(msgspec.Struct, frozen=True):
    """Where a room's log ends now; and up to where it was pruned, so that it begins after that."""

    epoch: str
    last_offset: int
    pruned_offset: int = 0


class ReadMarker(msgspec.Struct, frozen=True, rename="camel"):
    """How far a member has read, and what is left."""

    room_id: RoomId
    offset: int
    unread_count: int
    moved: bool = msgspec.field(default=True)


class Unread(msgspec.Struct, frozen=True):
    """One member's unread count in a room."""

    user: UserId
    unread_count: int
