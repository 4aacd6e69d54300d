"""`doors.stomp` and `stomp_replies`: what only a door without a socket shows. The rest is in
tests/integration."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from allibe_gateway.doors.stomp import StompDoor
from allibe_gateway.stomp import FrameParser, Version
from allibe_services.contracts.errors import Overloaded, ShuttingDown
from allibe_services.contracts.events import RoomLeft
from tests.unit.gateway.doors.connections import FakeConnection
from tests.unit.gateway.fakes import ROOM, settle
from tests.unit.gateway.world import ALICE, World, token, world_of


class Line:
    """A door over a fake connection."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connection = FakeConnection()
        self.door = StompDoor(self.connection, world.shared, "")

    async def say(self, command: str, body: str = "", /, **headers: str) -> None:
        lines = "".join(f"{name.replace('_', '-')}:{value}\n" for name, value in headers.items())
        await self.door.receive(f"{command}\n{lines}\n{body}\0".encode())

    async def post(self, receipt: str) -> None:
        body = json.dumps({"content": "hello", "roomId": ROOM})
        await self.say("SEND", body, destination="/app/message", receipt=receipt)

    def heard(self) -> list[str]:
        """Return commands, with receipt or code, of what was written since the last time."""
        written, self.connection.transport.written = self.connection.transport.written, []
        parser = FrameParser()
        parser.version = Version.V1_2
        frames = [one for text in _texts(b"".join(written)) for one in parser.feed(text)]
        return [
            f"{one.command} {one.headers.get('receipt-id', '')}{one.headers.get('x-code', '')}"
            for one in frames
        ]


def _texts(written: bytes) -> Iterator[bytes]:
    """Yield what is in each WebSocket frame."""
    while written:
        start, length = 2, written[1]
        if length == 126:
            start, length = 4, int.from_bytes(written[2:4])
        yield written[start : start + length]
        written = written[start + length :]


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with world_of() as world:
        line = Line(world)
        await line.say("CONNECT", accept_version="1.2", host="h", Authorization=token())
        assert line.heard() == ["CONNECTED "]
        yield line
        await line.door.close()


async def test_receipts_come_in_the_order_of_the_answers(line: Line) -> None:
    for receipt in ("a", "b"):
        await line.post(receipt)
    (_, first), (_, second) = line.world.bus.posted
    second.set_result(None)
    await settle()
    first.set_result(None)
    await settle()
    assert line.heard() == ["RECEIPT b", "RECEIPT a"]


async def test_what_is_confirmed_at_once_is_written_at_once(line: Line) -> None:
    """One system call for the receipts of a batch."""
    for receipt in ("a", "b", "c"):
        await line.post(receipt)
    for _, future in line.world.bus.posted:
        future.set_result(None)
    await settle()
    assert len(line.connection.transport.written) == 1
    assert line.heard() == ["RECEIPT a", "RECEIPT b", "RECEIPT c"]


async def test_a_receipt_that_waits_for_others_is_written_before_what_comes_later(
    line: Line,
) -> None:
    await line.post("a")
    await line.post("b")
    (_, first), (_, second) = line.world.bus.posted
    first.set_result(None)
    second.set_exception(Overloaded(retry_after_ms=1000))
    await settle()
    assert line.heard() == ["RECEIPT a", "ERROR boverloaded"]


@pytest.mark.parametrize(
    ("error", "code", "close"),
    [
        (Overloaded(retry_after_ms=1000), "overloaded", 1013),
        (ShuttingDown(), "shutting_down", 1012),
    ],
)
async def test_a_command_that_failed_is_an_error_with_its_receipt(
    line: Line, error: Exception, code: str, close: int
) -> None:
    await line.post("a")
    line.world.bus.posted[0][1].set_exception(error)
    await settle()
    assert line.heard() == [f"ERROR a{code}"]
    assert [one.code for one in line.connection.closed_with] == [close]


async def test_one_whose_future_was_cancelled_says_nothing(line: Line) -> None:
    await line.post("a")
    line.world.bus.posted[0][1].cancel()
    await settle()
    assert line.heard() == []


async def test_nothing_after_an_error_is_handled(line: Line) -> None:
    """Frames of the same WebSocket message included."""
    good = json.dumps({"content": "hello", "roomId": ROOM})
    await line.door.receive(
        b"SEND\ndestination:/nowhere\n\n\0" + f"SEND\ndestination:/app/message\n\n{good}\0".encode()
    )
    assert line.heard() == ["ERROR unknown_destination"]
    assert line.world.bus.posted == []


async def test_receipts_of_what_came_before_come_before_the_error(line: Line) -> None:
    await line.post("a")
    line.world.bus.posted[0][1].set_result(None)
    await line.say("NONSENSE")
    assert line.heard() == ["RECEIPT a", "ERROR unknown_command"]


async def test_a_membership_that_ends_with_the_token_is_no_fault(line: Line) -> None:
    """`exp` is over and its timer has not fired yet."""
    await line.say("SUBSCRIBE", id="1", destination="/topic/rooms/1", receipt="r")
    line.heard()
    line.world.ahead = 10_000
    with capture_logs() as logs:
        line.world.hub.on_events([RoomLeft(to=ALICE, room_id=ROOM)])
    assert logs == []


async def test_heart_beats_are_what_both_sides_want(line: Line) -> None:
    assert line.connection.heart_beats == (0.0, 0.0)
    other = Line(line.world)
    await other.say("CONNECT", accept_version="1.2", host="h", heart_beat="20000,5000")
    assert other.connection.heart_beats == (10.0, 20.0)
    await other.door.close()
