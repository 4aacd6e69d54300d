"""Commands: what gateways and rooms-api ask of the log, through the bus."""

from datetime import datetime

import msgspec

from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import Message


class PostMessage(msgspec.Struct, frozen=True, tag="post"):
    """Append a message to a room's log. Who publishes it has checked that the sender may."""

    message_id: MessageId
    room_id: RoomId
    sender: UserId
    content: str
    sent_at: datetime
    sender_name: str | None = None
    client_message_id: str | None = None


class Stored(msgspec.Struct, frozen=True):
    """The message is in the log; `duplicate` when it already was (same id or client id)."""

    message: Message
    duplicate: bool = False


class Rejected(msgspec.Struct, frozen=True):
    """The log can never take this command (its room is unknown, its data refused)."""

    code: str
    reason: str


Outcome = Stored | Rejected
