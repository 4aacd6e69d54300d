"""Bodies of requests and responses, besides those of `allibe_services.contracts`.

The OpenAPI document is made from these types: docstrings and `Meta` are what its readers see.
Patterns are only documented here; the handlers check them with `contracts.ids`, because
a pattern of msgspec's is searched for, not matched in full.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from allibe_services.contracts.ids import (
    CLIENT_MESSAGE_ID_PATTERN,
    ROOM_ID_PATTERN,
    TOKEN_ID_PATTERN,
    USER_ID_PATTERN,
    MessageId,
    RoomId,
    UserId,
)
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import MEMBERS_AT_CREATION, NAME_LENGTH, Role, Room

MOST_OFFSET = 2**53 - 1
"""Largest offset taken: the last whole number that JavaScript knows exactly."""


CLOCK_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


def pattern(of: str) -> dict[str, object]:
    """Return what a JSON schema says of text that matches a pattern of `contracts.ids` in full."""
    return {"pattern": "^" + of.replace(r"\"", '"') + "$"}


_RoomIdText = Annotated[str, Meta(extra_json_schema=pattern(ROOM_ID_PATTERN))]
_UserIdText = Annotated[str, Meta(extra_json_schema=pattern(USER_ID_PATTERN))]
_ClientMessageIdText = Annotated[str, Meta(extra_json_schema=pattern(CLIENT_MESSAGE_ID_PATTERN))]
_TokenIdText = Annotated[str, Meta(extra_json_schema=pattern(TOKEN_ID_PATTERN))]
_RoomName = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": NAME_LENGTH})]
_Content = Annotated[
    str,
    Meta(
        description="Text, not only blanks, without NUL, at most 8192 bytes of UTF-8.",
        extra_json_schema={"minLength": 1},
    ),
]


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    pass


class NewRoom(_Body, frozen=True):
    """A room to create.

    Without `roomId` it gets one. `members` become members besides the owner. The owner is
    the caller; only a token of scope `chat:admin` may name another.
    """

    name: _RoomName
    room_id: _RoomIdText | None = None
    members: Annotated[list[_UserIdText], Meta(max_length=MEMBERS_AT_CREATION)] = []
    owner: _UserIdText | None = None


class NewMessage(_Body, frozen=True):
    """A message to post.

    Repeated with the same `clientMessageId` it is stored once. `sender`, where given, is
    the caller; only a token of scope `chat:admin` may name another.
    """

    content: _Content
    client_message_id: _ClientMessageIdText | None = None
    sender: _UserIdText | None = None


class NewMember(_Body, frozen=True):
    """A user to make a member of the room."""

    user: _UserIdText
    role: Role = Role.MEMBER


class RoleChange(_Body, frozen=True):
    """The role that a member is to have."""

    role: Role


class ReadPosition(_Body, frozen=True):
    """The offset of the last message that the caller has read."""

    offset: Annotated[int, Meta(ge=0, le=MOST_OFFSET)]


class NewRevocation(_Body, frozen=True):
    """A user or a token to revoke: one of the two.

    Of a user all tokens are meant that were issued (`iat`) up to now, and all that do not say
    when; of a token the one with this `jti`. It may be forgotten at `expiresAt`: without it, when
    the longest life of a token has passed.
    """

    user_id: _UserIdText | None = None
    token_id: _TokenIdText | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class RevocationMade(_Body, frozen=True):
    """A revocation: what it means, since when, until when."""

    revoked_at: datetime
    expires_at: datetime
    user_id: str | UnsetType = UNSET
    token_id: str | UnsetType = UNSET


class TicketMade(_Body, frozen=True):
    """A ticket, and when it is over if nobody uses it before."""

    ticket: str
    expires_at: datetime


class PushKey(_Body, frozen=True):
    """The public VAPID key, in base64url: what browsers subscribe with (`applicationServerKey`)."""

    key: str


class SubscriptionKeys(_Body, frozen=True):
    """The browser's public key (65 bytes) and its secret (16), in base64url."""

    p256dh: str
    auth: str


class NewSubscription(_Body, frozen=True):
    """A browser to push to: what its `PushSubscription.toJSON()` says.

    The endpoint is an `https` URL with a host name, port 443, of at most 2048 characters.
    """

    endpoint: str
    keys: SubscriptionKeys


class OldSubscription(_Body, frozen=True):
    """A browser to push to no more."""

    endpoint: str


class KnownSubscription(_Body, frozen=True):
    """A browser as it was put here; its secret, 16 bytes in base64url, shows who asks."""

    endpoint: str
    auth: str


class RenewedSubscription(_Body, frozen=True):
    """A browser that its push service has given another subscription."""

    old: KnownSubscription
    new: NewSubscription


_Clock = Annotated[str, Meta(extra_json_schema={"pattern": CLOCK_PATTERN})]


class QuietTimes(_Body, frozen=True):
    """Nothing is pushed from one time of each day to another, `HH:MM` on the clocks of a time zone.

    Where `to` is the earlier one, to that of the next day. `timeZone` is an IANA name.
    """

    start: _Clock = field(name="from")
    end: _Clock = field(name="to")
    time_zone: str


class Wishes(_Body, frozen=True):
    """When the user wants no pushes; `null` for never."""

    quiet_hours: QuietTimes | None


class Mute(_Body, frozen=True, forbid_unknown_fields=True):
    """How long a room is to be muted: until that time, or without one until it is unmuted.

    A field that nobody knows is refused: it would mute for good what was to be muted for a while.
    """

    until: Annotated[datetime, Meta(tz=True)] | None = None


class RoomSummary(_Body, frozen=True):
    """A room as the system sees it, which is no member: without role, read marker and unread."""

    room_id: RoomId
    name: str
    last_message: str | None
    last_message_at: datetime | None
    last_message_sender: UserId | None
    last_offset: int
    epoch: str
    created_at: datetime

    @classmethod
    def of(cls, room: Room) -> "RoomSummary":
        """Return what is the same for every member."""
        return cls(**{name: getattr(room, name) for name in cls.__struct_fields__})


class History(_Body, frozen=True):
    """A page of a room's messages, oldest first.

    `nextBefore` and `nextAfter` are what to ask for next in either direction; each is absent
    where nothing more is there now. It may hold fewer messages than asked for: it ends at about
    1 MiB, but has a message wherever there is one. `lastOffset` is where the log ended when the
    page was read.
    """

    messages: list[Message]
    epoch: str
    last_offset: int
    next_before: int | UnsetType = UNSET
    next_after: int | UnsetType = UNSET


class Accepted(_Body, frozen=True):
    """The message is durable and will be in the log soon.

    Was it stored before under the same `clientMessageId`, it keeps the id that it has there.
    """

    message_id: MessageId
    room_id: RoomId
    client_message_id: str | None
