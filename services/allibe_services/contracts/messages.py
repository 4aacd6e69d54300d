"""The stored message: one type for history, the bus and what clients receive."""

from datetime import UTC, datetime, timedelta

import msgspec

from allibe_services.contracts.ids import MessageId, Position, RoomId, UserId

CONTENT_BYTES = 8192
"""Longest content of a message, in bytes of UTF-8: a long page of text; files belong elsewhere."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Message(
    msgspec.Struct, frozen=True, rename="camel", tag_field="type", tag="message", omit_defaults=True
):
    """An entry of a room's log. Encoded as JSON it is the body that subscribers get."""

    room_id: RoomId
    epoch: str
    offset: int
    message_id: MessageId
    sender: UserId
    content: str
    sent_at: datetime
    sender_name: str | None = None
    client_message_id: str | None = None

    @property
    def position(self) -> Position:
        """Where the message stands in its room's log."""
        return Position(self.room_id, self.epoch, self.offset)


def milliseconds(moment: datetime) -> int:
    """Return the moment as whole milliseconds since 1970, the form in which it is stored."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(ms: int) -> datetime:
    """Return the UTC time of so many milliseconds since 1970; exact, unlike `fromtimestamp`."""
    return _EPOCH + ms * _MILLISECOND


def now() -> datetime:
    """Return the present, cut to the stored millisecond, so that live equals history."""
    return moment(milliseconds(datetime.now(UTC)))
