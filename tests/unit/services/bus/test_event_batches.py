"""`rabbitmq.events.batches`: events in AMQP messages that are never too long."""

from collections.abc import Sequence

import msgspec
import pytest

from allibe_services.bus.base import DELIVERY_BYTES
from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.events import KEY_BYTES, batches
from allibe_services.contracts.events import Event, Notification, RoomChanged, Typing
from allibe_services.contracts.ids import RoomId, UserId
from tests.contract.factories_bus import stored
from tests.support.commands import post

ROOM = RoomId("1")
LONG = "\N{GRINNING FACE}" * 8000
MESSAGE = msgspec.structs.replace(stored(post()).message, content=LONG)


def users(count: int) -> list[UserId]:
    return [UserId(f"user-{number}") for number in range(count)]


@pytest.mark.parametrize(
    "events",
    [
        [MESSAGE] * 100,
        [RoomChanged(user, ROOM, unread_count=1, last_message=LONG) for user in users(100)],
        [Notification(user, ROOM, message=MESSAGE, unread_count=1) for user in users(100)],
    ],
)
def test_no_message_is_much_longer_than_a_delivery(events: Sequence[Event]) -> None:
    """A page of members who are told of a long message, in emoji, is 32 MB."""
    cut = [batch for _, batch in batches(events)]
    assert [event for batch in cut for event in batch] == events
    assert max(len(codec.encode(batch)) for batch in cut) < DELIVERY_BYTES * 1.1
    assert len(cut) <= 5


def test_nor_are_its_keys() -> None:
    events = [Typing(RoomId(f"{number:064}"), UserId("alice")) for number in range(3000)]
    cut = list(batches(events))
    assert [event for _, batch in cut for event in batch] == events
    assert all(sum(map(len, keys)) <= KEY_BYTES for keys, _ in cut)


def test_a_key_is_named_once() -> None:
    [(keys, batch)] = batches([Typing(ROOM, UserId("alice"))] * 3)
    assert (keys, len(batch)) == (["room.1"], 3)
