"""Commands for the tests of the store."""

from datetime import UTC, datetime

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId, new_message_id

ALICE = UserId("alice")
ONE = RoomId("1")


def post(content: str = "hello", *, room: str = "1", client: str | None = None) -> PostMessage:
    """Make alice's command to post in a room."""
    return PostMessage(
        message_id=new_message_id(),
        room_id=RoomId(room),
        sender=ALICE,
        content=content,
        sent_at=datetime.now(UTC),
        client_message_id=client,
    )
