"""What clients and server say to each other at `/ws/chat`, besides a room's events."""

from typing import get_args

import msgspec

from allibe_services.contracts.ids import MessageId, RoomId, UserId


class In(msgspec.Struct, frozen=True, rename="camel", tag_field="type", kw_only=True):
    """What a client may send. `room_id`, where given, is the connection's room."""

    room_id: str | None = None


class MessageIn(In, frozen=True, tag="message"):
    """Post a message."""

    content: str
    sender: str | None = None
    client_message_id: str | None = None


class LeaveIn(In, frozen=True, tag="leave"):
    """Leave the room's screen; the connection closes."""

    user: str | None = None


class TypingIn(In, frozen=True, tag="typing"):
    """The user types."""

    user: str | None = None


class ReadIn(In, frozen=True, tag="read"):
    """The user has read up to an offset."""

    offset: int


class VisibilityIn(In, frozen=True, tag="visibility"):
    """Whether the client's window can be seen."""

    visible: bool


class RefreshIn(In, frozen=True, tag="refresh"):
    """Sign in, or extend the sign-in, with a token."""

    token: str


class PingIn(In, frozen=True, tag="ping"):
    """Ask for a pong."""


_Any = MessageIn | LeaveIn | TypingIn | ReadIn | VisibilityIn | RefreshIn | PingIn
KINDS = tuple(str(kind.__struct_config__.tag) for kind in get_args(_Any))
"""What `type` may be."""

decoder = msgspec.json.Decoder(_Any)


class Out(msgspec.Struct, frozen=True, rename="camel", tag_field="type", omit_defaults=True):
    """What a client is told."""


class JoinedOut(Out, frozen=True, tag="joined"):
    """The room is open. `recovered` is there when `since` was given."""

    room_id: RoomId
    user: UserId
    epoch: str
    offset: int
    recovered: bool | None = None


class AckOut(Out, frozen=True, tag="ack"):
    """A message was accepted and is durable; `offset` where it is known already."""

    room_id: RoomId
    message_id: MessageId
    client_message_id: str | None = None
    offset: int | None = None


class ErrorOut(Out, frozen=True, tag="error"):
    """A request was refused; `clientMessageId` says which message, where it is one."""

    code: str
    message: str
    retryable: bool
    retry_after_ms: int | None = None
    client_message_id: str | None = None


class LeftOut(Out, frozen=True, tag="left"):
    """The client's own leave is done."""

    room_id: RoomId
    user: UserId


class PongOut(Out, frozen=True, tag="pong"):
    """The answer to a ping, or to a refresh that extended the sign-in."""


class ReconnectOut(Out, frozen=True, tag="reconnect"):
    """The server will stop: come back after so many milliseconds, on a connection to another."""

    in_ms: int
