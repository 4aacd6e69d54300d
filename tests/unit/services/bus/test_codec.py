"""`bus.rabbitmq.codec`: what goes into AMQP messages comes out of them, or is refused."""

from datetime import UTC, datetime

import pytest

from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.codec import Undecodable
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.events import (
    Event,
    MemberAdded,
    MemberRead,
    MemberRemoved,
    Notification,
    RoomChanged,
    RoomJoined,
    RoomLeft,
    ScreenLeft,
    Typing,
)
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role
from tests.contract.factories_bus import stored
from tests.support.commands import post

ROOM, ALICE = RoomId("1"), UserId("alice")
MESSAGE = stored(post("안녕 \N{GRINNING FACE}")).message


def test_commands_come_out_as_they_went_in() -> None:
    full = PostMessage(
        message_id=MESSAGE.message_id,
        room_id=ROOM,
        sender=ALICE,
        content="안녕 \N{GRINNING FACE}",
        sent_at=datetime(2026, 11, 24, 12, 0, 0, 123000, UTC),
        sender_name="Alice",
        client_message_id="c-1",
    )
    commands = [post(), full]
    assert codec.decode_commands(codec.encode(commands), codec.COMMANDS) == commands


def test_so_do_events_of_every_type() -> None:
    events: list[Event] = [
        MESSAGE,
        Typing(room_id=ROOM, user=ALICE),
        MemberRead(room_id=ROOM, user=ALICE, offset=7),
        ScreenLeft(room_id=ROOM, user=ALICE),
        MemberAdded(room_id=ROOM, user=ALICE, role=Role.MEMBER),
        MemberRemoved(room_id=ROOM, user=ALICE),
        RoomChanged(to=ALICE, room_id=ROOM, unread_count=3, last_message_at=MESSAGE.sent_at),
        Notification(to=ALICE, room_id=ROOM, message=MESSAGE, unread_count=3),
        RoomJoined(to=ALICE, room_id=ROOM, role=Role.OWNER),
        RoomLeft(to=ALICE, room_id=ROOM),
    ]
    assert codec.decode_events(codec.encode(events), codec.EVENTS) == events


@pytest.mark.parametrize("content_type", [None, "", "application/json", codec.EVENTS])
def test_another_content_type_is_refused(content_type: str | None) -> None:
    with pytest.raises(Undecodable, match="content type"):
        codec.decode_commands(codec.encode([post()]), content_type)


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\xff\xff", codec.encode([MESSAGE])])
def test_another_body_is_refused_and_not_quoted(body: bytes) -> None:
    with pytest.raises(Undecodable, match="not a list of commands") as caught:
        codec.decode_commands(body, codec.COMMANDS)
    assert "안녕" not in str(caught.value)
    with pytest.raises(Undecodable):
        codec.decode_events(codec.encode([post()]), codec.EVENTS)


def test_nothing_is_no_command() -> None:
    with pytest.raises(Undecodable, match="empty"):
        codec.decode_commands(codec.encode([]), codec.COMMANDS)
