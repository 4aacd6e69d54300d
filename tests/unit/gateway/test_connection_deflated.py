"""`connection` with permessage-deflate: what comes compressed is the door's as it was before."""

import pytest
from prometheus_client import CollectorRegistry

from allibe_gateway.deflate import MARKING, _shared
from allibe_gateway.limits import Limits
from allibe_gateway.websocket_input import Input
from allibe_services.contracts import disconnects
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics
from tests.support.deflate import compressed
from tests.support.raw_socket import BINARY, CONTINUATION, PING, PONG, TEXT, frame
from tests.unit.gateway.fakes import settle
from tests.unit.gateway.lines import END, Line, text

RSV1 = 4
MOST = 1000
LIMITS = Limits(close_seconds=0.01, websocket_message_bytes=MOST)
LONG = b"as long as it may be " * 40


@pytest.fixture
async def line() -> Line:
    return Line(LIMITS, deflated=True)


def shrunk(content: bytes, opcode: int = TEXT) -> bytes:
    return frame(compressed(content), opcode, reserved=RSV1)


def parts(content: bytes, size: int) -> list[bytes]:
    """Return a compressed message in fragments: only the first one has the bit."""
    wire = compressed(content)
    cut = [wire[place : place + size] for place in range(0, len(wire), size)]
    return [
        frame(
            piece,
            CONTINUATION if number else TEXT,
            final=number == len(cut) - 1,
            reserved=0 if number else RSV1,
        )
        for number, piece in enumerate(cut)
    ]


async def test_compressed_and_plain_messages_take_turns(line: Line) -> None:
    """RFC 7692 §6: the sender chooses for each message."""
    line.begin()
    line.hear(shrunk(LONG), text(b"plain"), shrunk(b"\xff\0", BINARY), shrunk(b""), END)
    await line.end()
    assert line.door.received == [LONG, b"plain", b"\xff\0", b""]
    assert line.closed == [(1000, b"")]


@pytest.mark.parametrize("size", [1, 7])
async def test_a_message_in_parts_with_control_frames_between(line: Line, size: int) -> None:
    """RFC 7692 §6.1: control frames are not compressed, nor are they part of a message."""
    line.begin()
    for part in parts(LONG, size):
        line.hear(part, frame(b"x", PING), frame(b"", PONG))
    line.hear(*parts(b"again", size), END)
    await line.end()
    assert line.door.received == [LONG, b"again"]
    assert set(line.written) == {b"\x8a\x01x"}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(frame(b"", PING, reserved=RSV1), id="on a ping"),
        pytest.param(frame(b"", 8, reserved=RSV1), id="on a close"),
        pytest.param(
            frame(b"a", final=False) + frame(b"b", CONTINUATION, reserved=RSV1),
            id="on a later part of a plain message",
        ),
        pytest.param(
            parts(LONG, 10)[0] + frame(b"b", CONTINUATION, reserved=RSV1),
            id="on a later part of a compressed one",
        ),
        pytest.param(frame(b"a", reserved=2), id="RSV2"),
        pytest.param(frame(compressed(b"a"), reserved=RSV1 | 1), id="RSV3 besides"),
        pytest.param(frame(b"\xff\xff\xff", reserved=RSV1), id="what is not compressed"),
    ],
)
async def test_what_breaks_the_rules_ends_the_connection(line: Line, wrong: bytes) -> None:
    """RFC 7692 §6.1, RFC 6455 §5.2. What came before is handled, what comes after is not."""
    line.begin()
    line.hear(text(b"before") + wrong + text(b"after"), text(b"late"))
    await line.end()
    assert line.door.received == [b"before"]
    assert [code for code, _ in line.closed] == [1002]


async def test_a_connection_that_agreed_on_nothing_takes_nothing_compressed() -> None:
    line = Line(LIMITS)
    line.begin()
    line.hear(shrunk(LONG))
    await line.end()
    assert line.door.received == []
    assert [code for code, _ in line.closed] == [1002]


@pytest.mark.parametrize("size", [MOST, 5], ids=["whole", "in parts"])
@pytest.mark.parametrize("length", [MOST + 1, 200 * MOST])
async def test_a_bomb_ends_the_connection(line: Line, length: int, size: int) -> None:
    """1009, as what is too long uncompressed; what is behind it is not handled."""
    line.begin()
    line.hear(b"".join([shrunk(b"a" * MOST), *parts(b"a" * length, size), text(b"after")]))
    await line.end()
    assert line.door.received == [b"a" * MOST]
    assert [code for code, _ in line.closed] == [1009]


async def test_text_must_be_utf_8_once_it_is_inflated(line: Line) -> None:
    line.begin()
    line.hear(shrunk(b"cut \xc3"))
    await line.end()
    assert line.door.received == []
    assert [code for code, _ in line.closed] == [1007]


async def test_messages_that_come_together_are_inflated_one_by_one(line: Line) -> None:
    """Or 16 KiB from the wire would be 16 MiB in memory."""
    line.door.free.clear()
    line.begin()
    line.hear(b"".join([shrunk(b"a" * MOST)] * 100))
    await settle()
    waiting = line.it._input._frames
    assert len(waiting) == 99
    assert sum(len(one.data) for one in waiting) < 20 * 99
    line.door.free.set()
    line.hear(END)
    await line.end()
    assert len(line.door.received) == 100


async def test_a_connection_holds_nothing_of_zlibs(line: Line) -> None:
    """A context is 10 to 300 KiB. Nor does it in the middle of a message."""
    line.begin()
    line.hear(shrunk(LONG), *parts(LONG, 7)[:2])
    await settle()
    assert line.door.received == [LONG]
    assert line.it._input.extensions is MARKING
    assert not {"encoder", "decoder"} & vars(_shared).keys()
    line.lose()
    await line.end()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(shrunk(b"a" * MOST), id="short on the wire"),
        # Empty blocks that are not compressed (RFC 1951 §3.2.4): they hold nothing.
        pytest.param(
            frame(b"\0\0\0\xff\xff" * (MOST // 5), reserved=RSV1), id="inflated to nothing"
        ),
    ],
)
async def test_what_is_longer_counts_against_the_rate(message: bytes) -> None:
    """The message as it came takes as long to read as that much takes to handle."""
    policy = Policy(connection_bytes=Rate(MOST, 2 * MOST))
    line = Line(LIMITS, Limiter(policy, LimitMetrics(CollectorRegistry())), deflated=True)
    line.begin()
    line.hear(*[message] * 5)
    await settle()
    assert len(line.door.received) == 3
    line.it.disconnect(disconnects.RESTART)
    await line.end()


async def test_what_is_not_handled_any_more_is_not_inflated(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After our close nothing holds the peer back: 256 KiB of the stream may hold 256 MiB."""
    line.transport.answers_close = False
    line.begin()
    line.hear(shrunk(LONG))
    await settle()
    monkeypatch.setattr(
        "allibe_gateway.websocket_input.inflated", lambda *_: pytest.fail("inflated")
    )
    line.door.free.clear()
    line.hear(text(b"being handled"), shrunk(LONG))
    line.it.disconnect(disconnects.RESTART)
    line.hear(*[shrunk(b"a" * MOST), *parts(LONG, 7)] * 10, END)
    line.door.free.set()
    await line.end()
    assert line.door.received == [LONG, b"being handled"]


def test_the_first_part_of_a_message_is_not_held_twice() -> None:
    """I7: a message that waits for its end takes its own length."""
    it = Input(MOST, deflated=True)
    it.feed(frame(b"a" * MOST, final=False, reserved=RSV1))
    assert it.next() is None
    assert it._parts is not None
    assert len(it._parts) + len(it._first.data) == MOST
