"""`connection`: one WebSocket, read for its door, closed once, by the table."""

import asyncio

import pytest
from structlog.testing import capture_logs

from allibe_gateway.websocket_input import SLICE_BYTES
from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import Overloaded
from tests.support.raw_socket import BINARY, CONTINUATION, PING, PONG, TEXT, frame
from tests.support.until import until
from tests.unit.gateway.fakes import settle
from tests.unit.gateway.lines import END, Line, text


class TestReading:
    async def test_text_and_binary_go_to_the_door_in_order(self, line: Line) -> None:
        line.begin()
        line.hear(text(b"a"), frame(b"b", BINARY), text(b"c"), END)
        await line.end()
        assert line.door.received == [b"a", b"b", b"c"]

    @pytest.mark.parametrize("content", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"cut \xc3"])
    async def test_text_that_is_not_utf_8_ends_the_connection_before_its_door(
        self, line: Line, content: bytes
    ) -> None:
        """RFC 6455 §8.1. Binary messages may hold anything."""
        line.begin()
        line.hear(frame(content, BINARY), text(content), text(b"late"))
        await line.end()
        assert line.door.received == [content]
        assert line.closed == [(1007, b"text is not UTF-8")]

    async def test_a_ping_is_answered_and_a_pong_is_not(self, line: Line) -> None:
        line.begin()
        line.hear(frame(b"x", PING), frame(b"", PONG), END)
        await line.end()
        assert line.written == [b"\x8a\x01x"]
        assert line.door.received == []

    async def test_the_peers_end_is_the_end(self, line: Line) -> None:
        line.begin()
        line.hear(END, text(b"late"))
        await line.end()
        assert line.door.received == []
        assert line.door.closed == 1
        assert line.it.outbox.closed
        assert line.closed == [(1000, b"")]

    async def test_nothing_more_is_read_once_it_closes(self, line: Line) -> None:
        line.door.free.clear()
        line.begin()
        line.hear(text(b"a"), text(b"b"))
        await settle()
        line.it.disconnect(disconnects.NOT_ALLOWED)
        line.door.free.set()
        await line.end()
        assert line.door.received == [b"a"]

    async def test_a_peer_that_vanishes_before_its_pong_is_no_fault_of_ours(
        self, line: Line
    ) -> None:
        """It would fill the log with tracebacks."""
        line.transport.gone = True
        line.begin()
        line.hear(frame(b"x", PING), END)
        with capture_logs() as logs:
            await line.end()
        assert logs == []
        assert line.door.closed == 1

    async def test_a_connection_that_is_refused_is_only_told(self) -> None:
        line = Line()
        line.begin(Overloaded(retry_after_ms=1))
        line.hear(text(b"a"))
        await line.end()
        assert line.door.received == []
        assert [one.code for one in line.door.failed] == ["overloaded"]
        assert line.closed == [(1013, b"try again later")]
        assert line.door.closed == 1


class TestOneThingAtATime:
    async def test_while_a_message_is_handled_no_more_is_read(self, line: Line) -> None:
        line.door.free.clear()
        line.begin()
        await settle()
        line.hear(text(b"a"))
        assert line.transport.is_reading()
        line.hear(text(b"b"))
        assert not line.transport.is_reading()
        line.door.free.set()
        await settle()
        assert line.transport.is_reading()
        assert line.door.received == [b"a", b"b"]

    async def test_what_comes_while_the_door_opens_waits(self, line: Line) -> None:
        line.door.may_open.clear()
        line.begin()
        line.hear(text(b"a"))
        await settle()
        assert line.door.received == []
        line.door.may_open.set()
        await settle()
        assert line.door.received == [b"a"]

    async def test_what_came_together_is_handled_in_a_row(self, line: Line) -> None:
        """So that it is stored in one batch, and shown by one write."""
        line.begin()
        await settle()
        line.hear(text(b"a") * 8)
        await asyncio.sleep(0)
        assert line.door.received == [b"a"] * 8

    async def test_an_idle_connection_has_no_task(self, line: Line) -> None:
        before = len(asyncio.all_tasks())
        line.begin()
        line.hear(text(b"a"))
        await settle()
        assert len(asyncio.all_tasks()) == before

    async def test_what_came_before_the_peer_was_gone_is_handled(self, line: Line) -> None:
        line.door.free.clear()
        line.begin()
        line.hear(text(b"a") + text(b"b"), text(b"c"))
        line.lose()
        await settle()
        assert line.door.closed == 0
        line.door.free.set()
        await line.end()
        assert line.door.received == [b"a", b"b", b"c"]
        assert line.door.closed == 1

    async def test_messages_come_whole_however_they_are_cut(self, line: Line) -> None:
        stream = (
            frame(b"a" * 100, TEXT, final=False)
            + frame(b"", PING)
            + frame(b"b" * 70_000, CONTINUATION, mask=b"mask")
            + text(b"c")
        )
        line.begin()
        for start in range(0, len(stream), 999):
            line.hear(stream[start : start + 999])
        await until(lambda: len(line.door.received) == 2)
        assert line.door.received == [b"a" * 100 + b"b" * 70_000, b"c"]

    async def test_of_much_that_comes_at_once_little_is_parsed_before_its_turn(
        self, line: Line
    ) -> None:
        """An empty message has 6 bytes on the wire, and some hundred in memory."""
        line.door.free.clear()
        line.begin()
        line.hear(text(b"") * 40_000)
        await settle()
        assert len(line.it._input._frames) <= SLICE_BYTES // 6
        line.it.disconnect(disconnects.NORMAL)
        line.door.free.set()
        await line.end()


class TestFaults:
    @pytest.mark.parametrize("where", ["open", "receive"])
    async def test_a_fault_of_ours_is_logged_and_closes_without_its_text(
        self, line: Line, where: str
    ) -> None:
        error = LookupError("secret")
        if where == "open":
            line.door.opening_error = error
        else:
            line.door.error = error
        with capture_logs() as logs:
            line.begin()
            line.hear(text(b"a"))
            await line.end()
        assert [entry["event"] for entry in logs] == ["connection_failed"]
        assert line.closed == [(1011, b"internal error")]
        assert line.door.closed == 1

    async def test_a_fault_while_the_door_closes_is_logged_and_it_ends(self, line: Line) -> None:
        line.door.closing_error = LookupError("secret")
        line.begin()
        line.hear(END)
        with capture_logs() as logs:
            await line.end()
        assert [entry["event"] for entry in logs] == ["connection_failed"]

    async def test_what_is_interrupted_lets_go_all_the_same(self, line: Line) -> None:
        """The process ends, and the door waits for what no longer comes."""
        line.door.free.clear()
        line.begin()
        line.hear(text(b"a"))
        await settle()
        line.it.abort()
        await settle()
        assert line.door.closed == 0
        line.it.give_up()
        await line.end()
        assert line.door.closed == 1
        assert line.it.outbox.closed


class TestDisconnecting:
    """Once, with code and reason from the table, after what was written; nothing after it."""

    async def test_the_first_reason_counts(self, line: Line) -> None:
        line.begin()
        await settle()
        line.it.outbox.write(b"ERROR")
        line.it.disconnect(disconnects.TOKEN_EXPIRED)
        line.it.disconnect(disconnects.NOT_ALLOWED)
        line.it.outbox.write(b"late")
        await line.end()
        assert line.closed == [(4403, b"token expired")]
        assert line.written == [b"ERROR"]
        assert line.it.closing
        count = line.registry.get_sample_value("allibe_gateway_disconnects_total", {"code": "4403"})
        assert count == 1

    async def test_a_peer_that_does_not_answer_is_dropped_after_its_time(self, line: Line) -> None:
        line.transport.answers_close = False
        line.transport.unsent = 5
        line.begin()
        await settle()
        line.it.disconnect(disconnects.SLOW_CONSUMER)
        await line.end()
        assert line.transport.aborted

    async def test_one_that_has_vanished_is_no_error(self, line: Line) -> None:
        line.transport.gone = True
        line.begin()
        await settle()
        line.it.disconnect(disconnects.NORMAL)
        with capture_logs() as logs:
            await line.end()
        assert logs == []

    async def test_a_slow_consumer_is_closed_and_told_to_resume(self, line: Line) -> None:
        line.begin()
        await settle()
        line.transport.unsent = 11
        line.it.outbox.write(b"a")
        await line.end()
        assert line.closed == [(4409, b"slow consumer: resume")]
        assert line.written == []

    async def test_one_that_the_gateway_has_no_room_for_is_closed_and_then_dropped(
        self, line: Line
    ) -> None:
        """What it has not read stays until its socket is dropped: the second time, or in time."""
        line.transport.answers_close = False
        line.transport.unsent = 9
        line.begin()
        await settle()
        line.it.fall_behind()
        await settle()
        assert line.closed == [(4409, b"slow consumer: resume")]
        assert not line.transport.aborted
        assert (line.it.unsent, line.it.outbox.unsent()) == (9, 0)
        line.it.fall_behind()
        assert line.transport.aborted

    async def test_a_disconnect_after_the_end_changes_nothing(self, line: Line) -> None:
        line.begin()
        line.hear(END)
        await line.end()
        line.it.disconnect(disconnects.RESTART)
        await settle()
        assert line.door.closed == 1

    async def test_a_peer_that_breaks_a_rule_is_told_and_has_little_time(self, line: Line) -> None:
        line.transport.answers_close = False
        line.begin()
        line.hear(text(b"a") + frame(b"", 3))
        await line.end()
        assert line.door.received == [b"a"]
        assert [code for code, _ in line.closed] == [1002]
        assert line.transport.ended

    async def test_one_that_broke_a_rule_and_has_gone_is_no_fault_of_ours(self, line: Line) -> None:
        line.transport.answers_close, line.transport.was_reset = False, True
        line.begin()
        line.hear(frame(b"", 3))
        with capture_logs() as logs:
            await line.end()
        assert line.transport.aborted
        assert [one for one in logs if one["log_level"] == "error"] == []

    async def test_a_peer_that_closes_and_does_not_read_is_dropped(self, line: Line) -> None:
        line.transport.lingers = True
        line.begin()
        line.hear(END)
        await line.end()
        assert line.transport.aborted


class TestDraining:
    """Take nothing new, settle what was taken, then close so that the client comes back."""

    async def test_it_settles_before_it_closes(self, line: Line) -> None:
        line.begin()
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
        await line.end()
        assert line.written == [b"RECEIPT"]
        assert line.closed == [(1012, b"service restart: resume")]

    async def test_it_serves_on_after_a_hint(self, line: Line) -> None:
        line.begin()
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
        line.begin()
        await settle()
        line.it.disconnect(disconnects.NORMAL)
        assert not line.it.hint(1)
        assert line.door.hints == []

    async def test_when_its_time_is_over_it_closes_all_the_same(self, line: Line) -> None:
        line.begin()
        await settle()
        line.door.unsettled.clear()
        draining = asyncio.create_task(line.it.drain())
        await settle()
        draining.cancel()
        await line.end()
        assert line.closed == [(1012, b"service restart: resume")]
