"""Messages for the tests of this folder."""

from datetime import UTC, datetime

from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import Message

NOON = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)


def message(
    content: str,
    *,
    sender: str = "bob",
    offset: int = 1,
    epoch: str = "e1",
    sent_at: datetime = NOON,
    client_message_id: str | None = None,
) -> Message:
    """Return a message of room 1."""
    return Message(
        room_id=RoomId("1"),
        epoch=epoch,
        offset=offset,
        message_id=MessageId(f"id-{offset}"),
        sender=UserId(sender),
        content=content,
        sent_at=sent_at,
        client_message_id=client_message_id,
    )
