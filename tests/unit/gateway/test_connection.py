"""`connection`: one WebSocket, read for its door, closed once, by the table."""

import asyncio

import pytest
from aiohttp import WSMessage, WSMsgType
from structlog.testing import capture_logs

from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import Overloaded
from tests.unit.gateway.fakes import settle, until
from tests.unit.gateway.lines import END, Line, text


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

    async def test_a_connection_that_is_refused_is_only_told(self) -> None:
        line = Line()
        line.hear(text(b"a"))
        await line.it.run(line.door, Overloaded(retry_after_ms=1))
        assert line.door.received == []
        assert [one.code for one in line.door.failed] == ["overloaded"]
        assert line.web_socket.closed == [(1013, b"try again later")]
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
