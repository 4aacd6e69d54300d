"""One example of every body: what alice and bob say in the demo's rooms."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from allibe_gateway.doors import bodies, json_messages, stomp_queues
from allibe_services.contracts import events
from allibe_services.contracts.errors import InvalidContent
from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Role

_ROOM, _ALICE, _BOB, _CAROL = RoomId("1"), UserId("alice"), UserId("bob"), UserId("carol")
_ID = MessageId("019ab2c4-6f10-7c3e-b1d5-0a4f7e2c9d83")
_EPOCH = "5d1f0a7c"
_AT = datetime(2026, 11, 23, 8, 28, 58, 689000, tzinfo=UTC)
_MESSAGE = Message(
    room_id=_ROOM,
    epoch=_EPOCH,
    offset=2,
    message_id=_ID,
    sender=_BOB,
    content="Hi Alice",
    sent_at=_AT,
    sender_name="Bob",
    client_message_id="c-1",
)

_EXAMPLES: Final[tuple[msgspec.Struct, ...]] = (
    _MESSAGE,
    bodies.MessageBody(content="Hello!", room_id=_ROOM, client_message_id="c-1"),
    bodies.RoomBody(room_id=_ROOM),
    bodies.ReadBody(room_id=_ROOM, offset=2),
    bodies.VisibilityBody(visible=False),
    events.Typing(_ROOM, _BOB, "Bob"),
    events.MemberRead(_ROOM, _BOB, 2),
    events.RoomPresence(_ROOM, 2, (_ALICE, _BOB)),
    events.ScreenLeft(_ROOM, _BOB),
    events.MemberAdded(_ROOM, _CAROL, Role.MEMBER),
    events.MemberRemoved(_ROOM, _CAROL),
    events.Notification(_ALICE, _ROOM, _MESSAGE, 1),
    events.RoomChanged(_ALICE, _ROOM, 1, "Hi Alice", _AT, _BOB),
    events.RoomJoined(_ALICE, _ROOM, Role.MEMBER),
    events.RoomLeft(_ALICE, _ROOM),
    events.RoomMuted(_ALICE, _ROOM, muted=True),
    stomp_queues.ErrorBody(
        code=InvalidContent.code,
        message=InvalidContent.text,
        retryable=InvalidContent.retryable,
        receipt_id="m-1",
        destination="/app/message",
    ),
    stomp_queues.ReconnectBody(12_400),
    json_messages.MessageIn(
        content="Hello!", room_id=_ROOM, sender=_ALICE, client_message_id="c-1"
    ),
    json_messages.LeaveIn(room_id=_ROOM, user=_ALICE),
    json_messages.TypingIn(),
    json_messages.ReadIn(offset=2),
    json_messages.VisibilityIn(visible=False),
    json_messages.RefreshIn("eyJ…"),
    json_messages.PingIn(),
    json_messages.JoinedOut(_ROOM, _ALICE, _EPOCH, 2, recovered=True),
    json_messages.AckOut(_ROOM, _ID, "c-1", 3),
    json_messages.ErrorOut(
        code=InvalidContent.code,
        message=InvalidContent.text,
        retryable=InvalidContent.retryable,
        client_message_id="c-1",
    ),
    json_messages.LeftOut(_ROOM, _ALICE),
    json_messages.PongOut(),
    json_messages.ReconnectOut(12_400),
)


def example_of(kind: type) -> dict[str, Any]:
    """Return an example body of the type, without the fields that may be left out."""
    found = next(example for example in _EXAMPLES if type(example) is kind)
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return {name: value for name, value in fields.items() if value is not None}
