"""`doors.json`: what only a door without a socket can show. The rest is in tests/integration."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from allibe_gateway.doors.json import JsonDoor
from allibe_gateway.limits import Limits
from allibe_services.contracts.errors import Overloaded, StoreUnavailable
from allibe_services.contracts.events import RoomChanged, RoomLeft
from tests.unit.gateway.doors.connections import FakeConnection
from tests.unit.gateway.fakes import ROOM, message, settle, stored
from tests.unit.gateway.world import ALICE, OTHER, World, token, world_of


class Line:
    """A door over a fake connection."""

    def __init__(self, world: World, *, signed: str = "") -> None:
        self.world = world
        self.connection = FakeConnection()
        self.door = JsonDoor(self.connection, world.shared, signed, room_id=ROOM, since="")

    async def say(self, kind: str, **fields: object) -> None:
        await self.door.receive(json.dumps({"type": kind, **fields}).encode())

    def heard(self) -> list[dict[str, Any]]:
        """Return what was written since the last time."""
        written, self.connection.transport.written = self.connection.transport.written, []
        return [json.loads(one[4 if one[1] == 126 else 2 :]) for one in written]

    @property
    def codes(self) -> list[int]:
        return [one.code for one in self.connection.closed_with]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with world_of(Limits(receipt_seconds=0.02)) as world:
        yield world


@pytest.fixture
async def line(world: World) -> AsyncIterator[Line]:
    line = Line(world, signed=token())
    await line.door.open()
    assert [one["type"] for one in line.heard()] == ["joined"]
    yield line
    await line.door.close()


async def test_an_ack_without_an_offset_says_that_it_is_not_known_yet(line: Line) -> None:
    """On a bus that confirms before the commit."""
    await line.say("message", content="hello", clientMessageId="c-1")
    command, future = line.world.bus.posted[0]
    future.set_result(None)
    await settle()
    assert line.heard() == [
        {
            "type": "ack",
            "roomId": "1",
            "messageId": command.message_id,
            "clientMessageId": "c-1",
        }
    ]


async def test_a_command_that_failed_is_told_with_its_client_message_id(line: Line) -> None:
    await line.say("message", content="hello", clientMessageId="c-1")
    line.world.bus.posted[0][1].set_exception(Overloaded(retry_after_ms=1000))
    await settle()
    (error,) = line.heard()
    assert (error["code"], error["retryAfterMs"], error["clientMessageId"]) == (
        "overloaded",
        1000,
        "c-1",
    )
    assert line.codes == []


async def test_one_whose_future_was_cancelled_says_nothing(line: Line) -> None:
    await line.say("message", content="hello")
    line.world.bus.posted[0][1].cancel()
    await settle()
    assert line.heard() == []


async def test_leaving_does_not_wait_for_ever(line: Line) -> None:
    await line.say("message", content="hello")
    await line.say("leave")
    assert [one["type"] for one in line.heard()] == ["left"]
    assert line.codes == [1000]


async def test_a_log_that_was_reset_ends_the_connection_so_that_it_comes_back(line: Line) -> None:
    line.world.hub.on_events([message(1, epoch="e2")])
    assert line.codes == [4410]


async def test_changes_of_the_list_of_rooms_are_not_for_this_door(line: Line) -> None:
    line.world.hub.on_events(
        [
            RoomChanged(to=ALICE, room_id=OTHER, unread_count=1),
            RoomLeft(to=ALICE, room_id=OTHER),
        ]
    )
    assert line.heard() == []
    assert line.codes == []


async def test_a_lost_membership_is_told_once(line: Line) -> None:
    line.world.hub.on_events([RoomLeft(to=ALICE, room_id=ROOM)])
    assert [one["code"] for one in line.heard()] == ["not_a_member"]
    assert line.codes[:1] == [4404]


async def test_a_store_that_is_away_sends_the_client_away_for_a_while(world: World) -> None:
    world.store.members.away = True
    line = Line(world, signed=token())
    await line.door.open()
    (error,) = line.heard()
    assert (error["code"], error["retryable"]) == (StoreUnavailable.code, True)
    assert line.codes == [4406]
    await line.door.close()


async def test_messages_and_acks_of_one_sender_keep_their_order(line: Line) -> None:
    for content in "abc":
        await line.say("message", content=content)
    for offset, (command, future) in enumerate(line.world.bus.posted, start=1):
        future.set_result(stored(command, offset))
    await settle()
    assert [one["offset"] for one in line.heard()] == [1, 2, 3]
