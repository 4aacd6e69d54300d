"""`sockjs.connection`: a session over requests, with a clock of the test's own."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from allibe_gateway.doors.sockjs import connection as module
from allibe_gateway.doors.sockjs import wire
from allibe_gateway.doors.sockjs.connection import HttpConnection
from allibe_gateway.inbound import LONGEST_PAUSE, Inbound
from allibe_gateway.limits import Limits
from allibe_services.contracts import disconnects
from allibe_services.rates.limiter import Limiter, unlimited
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import GatewayMetrics, LimitMetrics
from tests.support.until import until
from tests.unit.gateway.fakes import settle
from tests.unit.gateway.lines import FakeDoor

LIMITS = Limits(
    slow_consumer_bytes=100,
    shed_bytes=50,
    close_seconds=0.01,
    silent_intervals=3,
    sockjs_heart_beat_seconds=25,
    sockjs_disconnect_seconds=5,
)


class Peer:
    """The transport of a request that receives."""

    def __init__(self) -> None:
        self.unsent = 0
        self.gone = False
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.gone

    def abort(self) -> None:
        self.aborted = True


class Line:
    """A connection over fakes, whose client has the open frame."""

    def __init__(self, limiter: Limiter | None = None) -> None:
        self.registry = CollectorRegistry()
        self.ended: list[HttpConnection] = []
        self.it = HttpConnection(
            LIMITS,
            GatewayMetrics(self.registry),
            Inbound(limiter or unlimited()),
            self.ended.append,
        )
        self.it.door = self.door = FakeDoor()
        self.peer = Peer()
        self.start = asyncio.get_running_loop().time()

    def write(self, *texts: bytes) -> None:
        for text in texts:
            self.it.outbox.write(self.it.framing(text))

    def at(self, seconds: float) -> None:
        """Look at it so many seconds after its beginning."""
        self.it.beat(self.start + seconds)

    def disconnects(self, code: int) -> float:
        name, labels = "allibe_gateway_disconnects_total", {"code": str(code)}
        return self.registry.get_sample_value(name, labels) or 0


@pytest.fixture
async def line() -> Line:
    line = Line()
    assert line.it.attach(line.peer)
    assert await line.it.next_frame() == b"o"
    return line


class TestReceiving:
    async def test_what_waits_comes_in_one_frame(self, line: Line) -> None:
        line.write(b"a", b"b")
        assert await line.it.next_frame() == b'a["a","b"]'
        assert line.it.get_write_buffer_size() == 0

    async def test_a_frame_takes_no_more_than_so_much(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A stream is to end soon after its bound."""
        monkeypatch.setattr(module, "FRAME_BYTES", 6)
        line.write(b"a", b"b", b"c")
        assert [await line.it.next_frame() for _ in range(2)] == [b'a["a","b"]', b'a["c"]']

    async def test_who_waits_is_woken(self, line: Line) -> None:
        waiting = asyncio.create_task(line.it.next_frame())
        await settle()
        line.write(b"a")
        line.write(b"b")  # within the same tick
        assert await waiting == b'a["a","b"]'

    async def test_one_request_at_a_time(self, line: Line) -> None:
        assert not line.it.attach(Peer())
        line.it.detach()
        assert line.it.attach(Peer())

    async def test_one_whose_request_broke_is_over_for_who_asks_next(self, line: Line) -> None:
        line.write(b"a")
        line.peer.gone = True
        assert line.it.attach(Peer())
        assert await line.it.next_frame() == wire.INTERRUPTED
        assert line.disconnects(1002) == 0


class TestBounds:
    async def test_too_much_unsent_closes_it(self, line: Line) -> None:
        """What waits and what the request has not sent count together."""
        line.write(b"x" * 60)
        line.peer.unsent = 60
        assert line.it.outbox.behind
        line.write(b"y")
        assert line.it.closing
        assert line.disconnects(4409) == 1
        assert [(await line.it.next_frame())[:2] for _ in range(2)] == [b"a[", b"c["]

    async def test_what_nobody_fetches_is_not_kept(self, line: Line) -> None:
        line.it.detach()
        line.write(b"x" * 60)
        line.it.disconnect(disconnects.RESTART)
        await until(lambda: bool(line.ended))
        assert line.it.get_write_buffer_size() == 0

    async def test_a_peer_that_does_not_read_is_dropped(self, line: Line) -> None:
        line.it.disconnect(disconnects.SLOW_CONSUMER)
        await until(lambda: bool(line.ended))
        assert line.peer.aborted

    async def test_one_that_the_gateway_has_no_room_for_is_closed_and_then_dropped(
        self, line: Line
    ) -> None:
        line.write(b"x" * 60)
        line.it.fall_behind()
        assert line.disconnects(4409) == 1
        assert (line.it.unsent > 60, line.peer.aborted) == (True, False)
        line.it.fall_behind()
        assert (line.it.unsent, line.peer.aborted) == (0, True)


class TestTime:
    async def test_a_heart_beat_after_so_long_without_anything(self, line: Line) -> None:
        waiting = asyncio.create_task(line.it.next_frame())
        line.at(24)
        await settle()
        assert not waiting.done()
        line.at(26)
        assert await waiting == b"h"

    async def test_it_is_over_when_nobody_has_received_for_so_long(self, line: Line) -> None:
        line.at(100)
        assert not line.it.closing
        line.it.detach()
        line.at(4)
        assert not line.it.closing
        line.at(6)
        await until(lambda: line.ended == [line.it])
        assert line.door.closed == 1
        assert await line.it.next_frame() == wire.INTERRUPTED

    async def test_a_request_that_broke_is_noticed(self, line: Line) -> None:
        line.peer.gone = True
        line.at(0)
        await until(lambda: line.ended == [line.it])

    async def test_the_doors_heart_beats(self, line: Line) -> None:
        line.it.expect_heart_beats(send_seconds=10, receive_seconds=0)
        line.at(8)
        line.at(9)
        assert await line.it.next_frame() == wire.message_frame(line.door.heart_beat)
        line.at(20)
        assert await line.it.next_frame() == wire.message_frame(line.door.heart_beat)

    async def test_silence_is_missed_unless_it_is_ours(self, line: Line) -> None:
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=10)
        line.door.free.clear()
        receiving = asyncio.create_task(line.it.receive([b"a"], 1))
        await settle()
        line.at(31)
        assert not line.it.closing
        line.door.free.set()
        await receiving
        line.at(29)
        assert not line.it.closing
        line.at(31)
        assert line.disconnects(4408) == 1


class TestSending:
    async def test_messages_are_handed_over_in_order_until_it_ends(self, line: Line) -> None:
        line.door.free.clear()
        first = asyncio.create_task(line.it.receive([b"a", b"b"], 1))
        second = asyncio.create_task(line.it.receive([b"c"], 1))
        await settle()
        assert line.door.received == [b"a"]
        line.it.disconnect(disconnects.REFUSED)
        line.door.free.set()
        await asyncio.gather(first, second)
        assert line.door.received == [b"a"]

    async def test_a_fault_of_ours_is_logged_and_closes_it(self, line: Line) -> None:
        line.door.error = RuntimeError("secret")
        with capture_logs() as logs:
            await line.it.receive([b"a"], 1)
        assert [one["event"] for one in logs] == ["connection_failed"]
        assert await line.it.next_frame() == b'c[1011,"internal error"]'


class TestEnding:
    async def test_the_door_is_closed_after_what_it_is_busy_with(self, line: Line) -> None:
        line.door.free.clear()
        receiving = asyncio.create_task(line.it.receive([b"a"], 1))
        await settle()
        line.it.disconnect(disconnects.TOKEN_EXPIRED)
        await settle()
        assert line.door.closed == 0
        line.door.free.set()
        await receiving
        await until(lambda: line.door.closed == 1)

    async def test_it_ends_as_soon_as_the_client_is_told(self, line: Line) -> None:
        line.write(b"last words")
        line.it.disconnect(disconnects.REFUSED)
        line.it.disconnect(disconnects.RESTART)
        await settle()
        assert line.ended == []
        assert await line.it.next_frame() == b'a["last words"]'
        for _ in range(2):
            frame = await line.it.next_frame()
            assert frame == b'c[4405,"refused"]'
            assert line.it.has_ended(frame)
        await settle()
        assert line.ended == [line.it]
        assert (line.disconnects(4405), line.disconnects(1012)) == (1, 0)

    async def test_a_hint_goes_to_the_door_while_it_is_open(self, line: Line) -> None:
        assert line.it.hint(700)
        line.it.disconnect(disconnects.RESTART)
        assert not line.it.hint(800)
        assert line.door.hints == [700]

    async def test_a_drain_waits_for_what_was_taken(self, line: Line) -> None:
        line.door.unsettled.clear()
        draining = asyncio.create_task(line.it.drain())
        await settle()
        await line.it.receive([b"late"], 1)
        assert line.door.received == []
        assert not line.it.closing
        line.door.unsettled.set()
        await draining
        assert await line.it.next_frame() == b'c[1012,"service restart: resume"]'


def hasty(rate: Rate) -> Line:
    """A connection that may send so many frames."""
    return Line(Limiter(Policy(connection_frames=rate), LimitMetrics(CollectorRegistry())))


async def test_who_speaks_too_fast_is_held_back() -> None:
    """The request is answered later, and what it sent is taken all the same."""
    line = hasty(Rate(10, 1))
    assert await line.it.receive([b"a"], 1) == 0
    assert await line.it.receive([b"b", b"c"], 1) == pytest.approx(0.2, abs=0.1)
    assert line.door.received == [b"a", b"b", b"c"]
    assert line.door.failed == []


async def test_bytes_of_the_request_count_not_those_of_its_messages() -> None:
    policy = Policy(connection_bytes=Rate(1000, 1000))
    line = Line(Limiter(policy, LimitMetrics(CollectorRegistry())))
    assert await line.it.receive([], 2000) == pytest.approx(1, abs=0.1)


async def test_who_speaks_far_too_fast_is_told() -> None:
    line = hasty(Rate(1 / (2 * LONGEST_PAUSE), 1))
    await line.it.receive([b"a", b"b"], 1)
    assert [one.code for one in line.door.failed] == ["rate_limited"]
