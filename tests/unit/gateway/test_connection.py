"""`connection`: one WebSocket, read for its door, closed once, by the table."""

import asyncio
import time
from typing import cast

import pytest
from aiohttp import WSMessage, WSMsgType, web
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from allibe_gateway.connection import WebSocketConnection
from allibe_gateway.doors.base import disconnect_for
from allibe_gateway.fanout.backlogs import Backlogs
from allibe_gateway.inbound import LONGEST_PAUSE, Inbound
from allibe_gateway.limits import Limits
from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import AllibeError, Overloaded
from allibe_services.rates.limiter import Limiter, unlimited
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import GatewayMetrics, LimitMetrics
from tests.unit.gateway.fakes import FakeTransport, settle, until

END = WSMessage(WSMsgType.CLOSE, 1000, "")


def text(content: bytes) -> WSMessage:
    return WSMessage(WSMsgType.TEXT, content, "")


class FakeWebSocket:
    """An aiohttp WebSocket: what comes, what was answered, how it was closed."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[WSMessage | Exception] = asyncio.Queue()
        self.closed: list[tuple[int, bytes]] = []
        self.pongs: list[bytes] = []
        self.answers_close = True
        self.gone = False

    async def receive(self) -> WSMessage:
        message = await self.incoming.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def pong(self, content: bytes) -> None:
        if self.gone:
            raise ConnectionResetError("Cannot write to closing transport")
        self.pongs.append(content)

    async def close(self, *, code: int, message: bytes) -> None:
        self.closed.append((code, message))
        self.incoming.put_nowait(WSMessage(WSMsgType.CLOSING, None, None))
        if self.gone:
            raise ConnectionResetError
        if not self.answers_close:
            await asyncio.Event().wait()


class Transport(FakeTransport):
    def __init__(self) -> None:
        super().__init__()
        self.aborted = False

    def get_extra_info(self, _: str) -> None:
        return None

    def abort(self) -> None:
        self.aborted = True


class FakeDoor:
    """A door that keeps what it gets; `busy` holds each message back until set free."""

    heart_beat = b"beat"

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.failed: list[AllibeError] = []
        self.line: WebSocketConnection | None = None
        self.error: BaseException | None = None
        self.opening_error: Exception | None = None
        self.hints: list[int] = []
        self.closed = 0
        self.free = asyncio.Event()
        self.free.set()
        self.unsettled = asyncio.Event()
        self.unsettled.set()

    async def open(self) -> None:
        if self.opening_error is not None:
            raise self.opening_error

    async def receive(self, chunk: bytes) -> int:
        self.received.append(chunk)
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return 1

    def fail(self, error: AllibeError) -> None:
        self.failed.append(error)
        if self.line is not None:
            self.line.disconnect(disconnect_for(error))

    def hint(self, in_ms: int) -> bool:
        self.hints.append(in_ms)
        return True

    async def settled(self) -> None:
        await self.unsettled.wait()

    async def close(self) -> None:
        self.closed += 1


class Line:
    """A connection over fakes, running."""

    def __init__(self, limits: Limits | None = None, limiter: Limiter | None = None) -> None:
        self.web_socket = FakeWebSocket()
        self.transport = Transport()
        self.registry = CollectorRegistry()
        self.it = WebSocketConnection(
            cast(web.WebSocketResponse, self.web_socket),
            cast(asyncio.Transport, self.transport),
            limits or Limits(close_seconds=0.01, slow_consumer_bytes=10),
            GatewayMetrics(self.registry),
            Inbound(limiter or unlimited()),
            Backlogs(),
        )
        self.door = FakeDoor()
        self.door.line = self.it
        self.task: asyncio.Task[None] | None = None

    def run(self) -> "asyncio.Task[None]":
        self.task = asyncio.create_task(self.it.run(self.door))
        return self.task

    def hear(self, *messages: WSMessage | Exception) -> None:
        for message in messages:
            self.web_socket.incoming.put_nowait(message)


@pytest.fixture
async def line() -> Line:
    return Line()


class TestReading:
    async def test_text_and_binary_go_to_the_door_in_order(self, line: Line) -> None:
        line.hear(text(b"a"), WSMessage(WSMsgType.BINARY, b"b", ""), text(b"c"), END)
        await line.run()
        assert line.door.received == [b"a", b"b", b"c"]

    @pytest.mark.parametrize("content", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"cut \xc3"])
    async def test_text_that_is_not_utf_8_ends_the_connection_before_its_door(
        self, line: Line, content: bytes
    ) -> None:
        """RFC 6455 §8.1. Binary messages may hold anything."""
        line.hear(WSMessage(WSMsgType.BINARY, content, ""), text(content), text(b"late"), END)
        await line.run()
        assert line.door.received == [content]
        assert line.web_socket.closed == [(1007, b"text is not UTF-8")]

    async def test_a_ping_is_answered_and_a_pong_is_not(self, line: Line) -> None:
        line.hear(WSMessage(WSMsgType.PING, b"x", ""), WSMessage(WSMsgType.PONG, b"", ""), END)
        await line.run()
        assert line.web_socket.pongs == [b"x"]
        assert line.door.received == []

    async def test_the_peers_end_is_the_end(self, line: Line) -> None:
        line.hear(END, text(b"late"))
        await line.run()
        assert line.door.received == []
        assert line.door.closed == 1
        assert line.it.outbox.closed
        assert line.web_socket.closed == []

    async def test_nothing_more_is_read_once_it_closes(self, line: Line) -> None:
        line.hear(text(b"a"), text(b"b"))
        line.door.free.clear()
        line.run()
        await settle()
        line.it.disconnect(disconnects.NOT_ALLOWED)
        line.door.free.set()
        await until(line.task.done if line.task else bool)
        assert line.door.received == [b"a"]

    async def test_a_peer_that_vanishes_before_its_pong_is_no_fault_of_ours(
        self, line: Line
    ) -> None:
        """It would fill the log with tracebacks."""
        line.web_socket.gone = True
        line.hear(WSMessage(WSMsgType.PING, b"x", ""), END)
        with capture_logs() as logs:
            await line.run()
        assert logs == []
        assert line.door.closed == 1


class TestFaults:
    @pytest.mark.parametrize("where", ["open", "receive", "socket"])
    async def test_a_fault_of_ours_is_logged_and_closes_without_its_text(
        self, line: Line, where: str
    ) -> None:
        error = LookupError("secret")
        if where == "open":
            line.door.opening_error = error
        elif where == "receive":
            line.door.error = error
            line.hear(text(b"a"))
        else:
            line.hear(error)
        with capture_logs() as logs:
            await line.run()
        assert [entry["event"] for entry in logs] == ["connection_failed"]
        assert line.web_socket.closed == [(1011, b"internal error")]
        assert line.door.closed == 1

    async def test_a_task_that_is_cancelled_lets_go_all_the_same(self, line: Line) -> None:
        """aiohttp cancels its handlers when the server stops."""
        task = line.run()
        await settle()
        task.cancel()
        await asyncio.wait([task])
        assert line.door.closed == 1
        assert line.it.outbox.closed


class TestDisconnecting:
    """Once, with code and reason from the table, after what was written; nothing after it."""

    async def test_the_first_reason_counts(self, line: Line) -> None:
        line.run()
        await settle()
        line.it.outbox.write(b"ERROR")
        line.it.disconnect(disconnects.TOKEN_EXPIRED)
        line.it.disconnect(disconnects.NOT_ALLOWED)
        line.it.outbox.write(b"late")
        await until(line.task.done if line.task else bool)
        assert line.web_socket.closed == [(4403, b"token expired")]
        assert line.transport.written == [b"ERROR"]
        assert line.it.closing
        count = line.registry.get_sample_value("allibe_gateway_disconnects_total", {"code": "4403"})
        assert count == 1

    async def test_a_peer_that_does_not_answer_is_dropped_after_its_time(self, line: Line) -> None:
        line.web_socket.answers_close = False
        line.transport.unsent = 5
        line.run()
        await settle()
        line.it.disconnect(disconnects.SLOW_CONSUMER)
        await until(line.task.done if line.task else bool)
        assert line.transport.aborted

    async def test_one_that_has_vanished_is_no_error(self, line: Line) -> None:
        line.web_socket.gone = True
        line.run()
        await settle()
        line.it.disconnect(disconnects.NORMAL)
        with capture_logs() as logs:
            await until(line.task.done if line.task else bool)
        assert logs == []

    async def test_a_slow_consumer_is_closed_and_told_to_resume(self, line: Line) -> None:
        line.run()
        await settle()
        line.transport.unsent = 11
        line.it.outbox.write(b"a")
        await until(line.task.done if line.task else bool)
        assert line.web_socket.closed == [(4409, b"slow consumer: resume")]
        assert line.transport.written == []

    async def test_one_that_the_gateway_has_no_room_for_is_closed_and_then_dropped(
        self, line: Line
    ) -> None:
        """What it has not read stays until its socket is dropped: the second time, or in time."""
        line.web_socket.answers_close = False
        line.transport.unsent = 9
        line.run()
        await settle()
        line.it.fall_behind()
        await settle()
        assert line.web_socket.closed == [(4409, b"slow consumer: resume")]
        assert not line.transport.aborted
        assert (line.it.unsent, line.it.outbox.unsent()) == (9, 0)
        line.it.fall_behind()
        assert line.transport.aborted


class TestHeartBeats:
    """One is sent when it is due; a peer is dead after so many intervals of silence."""

    async def test_none_is_sent_or_missed_unless_agreed(self, line: Line) -> None:
        line.run()
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 1000)
        assert line.transport.written == []
        assert not line.it.closing

    async def test_one_is_sent_each_interval(self, line: Line) -> None:
        line.run()
        await settle()
        line.it.expect_heart_beats(send_seconds=10, receive_seconds=10)
        start = asyncio.get_running_loop().time()
        for seconds in (1, 7, 8, 9, 15, 16, 17):
            line.it.beat(start + seconds)
        assert line.transport.written == [b"beat", b"beat"]

    @pytest.mark.parametrize(
        ("send", "receive", "written"),
        [
            (10, 10, [b"beat"]),
            (10, 0, [b"beat\x89\x00"]),
            (10, 3600, [b"beat\x89\x00"]),
            (3600, 3600, [b"beat\x89\x00"]),
            (0, 10, []),
            (0, 0, [b"\x89\x00"]),
        ],
    )
    async def test_who_promises_too_little_is_pinged(
        self, line: Line, send: float, receive: float, written: list[bytes]
    ) -> None:
        """Who must answer something is known to be there, and no proxy takes it for idle."""
        line.run()
        await settle()
        line.it.expect_heart_beats(send_seconds=send, receive_seconds=receive)
        start = asyncio.get_running_loop().time()
        line.it.beat(start + 7)
        line.it.beat(start + 8)
        assert line.transport.written == written

    @pytest.mark.parametrize("receive", [10, 0, 1e15], ids=["promised", "nothing", "too little"])
    async def test_a_silent_peer_is_dead_after_two(self, line: Line, receive: float) -> None:
        line.run()
        await settle()
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=receive)
        start = asyncio.get_running_loop().time()
        line.it.beat(start + 19)
        assert not line.it.closing
        line.it.beat(start + 21)
        await until(line.task.done if line.task else bool)
        assert line.web_socket.closed == [(4408, b"no heart-beat")]

    async def test_one_that_does_not_answer_the_close_is_gone_half_an_interval_later(self) -> None:
        """2.5 in all: two of silence, an eighth until it is seen, a quarter for the close."""
        line = Line(Limits(close_seconds=3, heart_beat_seconds=0.04))
        line.web_socket.answers_close = False
        line.run()
        await settle()
        line.it.expect_heart_beats(send_seconds=0.04, receive_seconds=0.04)
        began = asyncio.get_running_loop().time()
        line.it.beat(began + 0.09)
        await until(line.task.done if line.task else bool)
        assert asyncio.get_running_loop().time() - began < 1.5

    @pytest.mark.parametrize(
        "message",
        [text(b"\n"), WSMessage(WSMsgType.PING, b"", ""), WSMessage(WSMsgType.PONG, b"", "")],
        ids=["text", "ping", "pong"],
    )
    async def test_anything_that_comes_is_life(self, line: Line, message: WSMessage) -> None:
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=10)
        line.it._last_in -= 19
        line.run()
        line.hear(message)
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 19)
        assert not line.it.closing

    async def test_while_we_do_not_read_its_silence_is_ours(self, line: Line) -> None:
        """A SUBSCRIBE that waits for the store: what the peer sends meanwhile waits unread."""
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=10)
        line.door.free.clear()
        line.run()
        line.hear(text(b"a"))
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 1000)
        assert not line.it.closing
        line.door.free.set()
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 21)
        assert line.it.closing

    async def test_a_vanished_peer_does_not_harm_who_beats_for_all(self, line: Line) -> None:
        line.run()
        await settle()
        line.it.expect_heart_beats(send_seconds=10, receive_seconds=0)
        line.transport.gone = True
        line.it.beat(asyncio.get_running_loop().time() + 11)
        assert line.it.outbox.closed


def hasty(rate: Rate) -> Line:
    """A connection that may send so many frames."""
    limiter = Limiter(Policy(connection_frames=rate), LimitMetrics(CollectorRegistry()))
    return Line(limiter=limiter)


class TestSpeakingTooFast:
    """It is read more slowly; nothing of what it sends is lost."""

    async def test_it_is_not_read_for_a_while(self) -> None:
        line = hasty(Rate(20, 1))
        line.hear(*(text(b"a") for _ in range(4)), END)
        began = time.monotonic()
        await line.run()
        assert line.door.received == [b"a"] * 4
        assert time.monotonic() - began > 0.12
        assert line.door.failed == []

    @pytest.mark.parametrize("kind", [WSMsgType.PING, WSMsgType.PONG])
    async def test_control_frames_count_as_others(self, kind: WSMsgType) -> None:
        line = hasty(Rate(0.2, 1))
        line.hear(*(WSMessage(kind, b"", "") for _ in range(2)), text(b"a"))
        line.run()
        await settle()
        assert line.web_socket.incoming.qsize() == 1
        assert line.door.received == []
        line.it.disconnect(disconnects.RESTART)
        await until(line.task.done if line.task else bool)

    async def test_its_silence_meanwhile_is_no_silence(self) -> None:
        line = hasty(Rate(0.2, 1))
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=0.1)
        line.hear(text(b"a"), text(b"b"))
        line.run()
        await until(lambda: len(line.door.received) == 2)
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 100)
        assert not line.it.closing
        line.it.disconnect(disconnects.RESTART)
        await until(line.task.done if line.task else bool)

    async def test_a_close_does_not_wait(self) -> None:
        line = hasty(Rate(0.2, 1))
        line.hear(text(b"a"), text(b"b"))
        line.run()
        await until(lambda: len(line.door.received) == 2)
        await settle()
        line.it.disconnect(disconnects.RESTART)
        await until(line.task.done if line.task else bool)
        assert line.web_socket.closed == [(1012, b"service restart: resume")]
        assert line.door.closed == 1

    async def test_who_would_not_be_read_for_long_is_told_and_closed(self) -> None:
        line = hasty(Rate(1 / (2 * LONGEST_PAUSE), 1))
        line.hear(text(b"a"), text(b"b"))
        await line.run()
        [error] = line.door.failed
        assert error.code == "rate_limited"
        assert error.retry_after_ms == pytest.approx(2 * LONGEST_PAUSE * 1000, abs=1000)
        assert line.web_socket.closed == [(4429, b"rate limited: slow down")]

    async def test_a_connection_that_is_refused_is_only_told(self) -> None:
        line = Line()
        line.hear(text(b"a"))
        await line.it.run(line.door, Overloaded(retry_after_ms=1))
        assert line.door.received == []
        assert [one.code for one in line.door.failed] == ["overloaded"]
        assert line.web_socket.closed == [(1013, b"try again later")]
        assert line.door.closed == 1


class TestDraining:
    """Take nothing new, settle what was taken, then close so that the client comes back."""

    async def test_it_settles_before_it_closes(self, line: Line) -> None:
        line.run()
        await settle()
        line.door.unsettled.clear()
        draining = asyncio.create_task(line.it.drain())
        line.hear(text(b"new"))
        await settle()
        assert line.door.received == []
        assert not line.it.closing
        line.it.outbox.write(b"RECEIPT")
        line.door.unsettled.set()
        await draining
        await until(line.task.done if line.task else bool)
        assert line.transport.written == [b"RECEIPT"]
        assert line.web_socket.closed == [(1012, b"service restart: resume")]

    async def test_it_serves_on_after_a_hint(self, line: Line) -> None:
        line.run()
        await settle()
        assert line.it.hint(700)
        line.hear(text(b"new"))
        await settle()
        assert (line.door.hints, line.door.received) == ([700], [b"new"])
        assert not line.it.closing

    async def test_there_is_no_hint_for_one_that_has_no_door_yet_or_closes(
        self, line: Line
    ) -> None:
        assert not line.it.hint(1)
        line.run()
        await settle()
        line.it.disconnect(disconnects.NORMAL)
        assert not line.it.hint(1)
        assert line.door.hints == []

    async def test_when_its_time_is_over_it_closes_all_the_same(self, line: Line) -> None:
        line.run()
        await settle()
        line.door.unsettled.clear()
        draining = asyncio.create_task(line.it.drain())
        await settle()
        draining.cancel()
        await until(line.task.done if line.task else bool)
        assert line.web_socket.closed == [(1012, b"service restart: resume")]
