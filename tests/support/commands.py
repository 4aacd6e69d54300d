"""Commands, as a gateway posts them."""

from datetime import UTC, datetime

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId, new_message_id


def post(
    content: str = "hello",
    *,
    room: str = "1",
    sender: str = "alice",
    client: str | None = None,
    at: datetime | None = None,
) -> PostMessage:
    """Make a command to post in a room, now unless at another time."""
    return PostMessage(
        message_id=new_message_id(),
        room_id=RoomId(room),
        sender=UserId(sender),
        content=content,
        sent_at=at or datetime.now(UTC),
        client_message_id=client,
    )
