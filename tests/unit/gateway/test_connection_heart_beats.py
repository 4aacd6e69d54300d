"""`connection`: heart-beats, both ways."""

import asyncio

import pytest

from allibe_gateway.limits import Limits
from tests.support.raw_socket import PING, PONG, frame
from tests.unit.gateway.fakes import settle
from tests.unit.gateway.lines import Line, text


class TestHeartBeats:
    """One is sent when it is due; a peer is dead after so many intervals of silence."""

    async def test_none_is_sent_or_missed_unless_agreed(self, line: Line) -> None:
        line.begin()
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 1000)
        assert line.written == []
        assert not line.it.closing

    async def test_one_is_sent_each_interval(self, line: Line) -> None:
        line.begin()
        await settle()
        line.it.expect_heart_beats(send_seconds=10, receive_seconds=10)
        start = asyncio.get_running_loop().time()
        for seconds in (1, 7, 8, 9, 15, 16, 17):
            line.it.beat(start + seconds)
        assert line.written == [b"beat", b"beat"]

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
        line.begin()
        await settle()
        line.it.expect_heart_beats(send_seconds=send, receive_seconds=receive)
        start = asyncio.get_running_loop().time()
        line.it.beat(start + 7)
        line.it.beat(start + 8)
        assert line.written == written

    @pytest.mark.parametrize("receive", [10, 0, 1e15], ids=["promised", "nothing", "too little"])
    async def test_a_silent_peer_is_dead_after_two(self, line: Line, receive: float) -> None:
        line.begin()
        await settle()
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=receive)
        start = asyncio.get_running_loop().time()
        line.it.beat(start + 19)
        assert not line.it.closing
        line.it.beat(start + 21)
        await line.end()
        assert line.closed == [(4408, b"no heart-beat")]

    async def test_one_that_does_not_answer_the_close_is_gone_half_an_interval_later(self) -> None:
        """2.5 in all: two of silence, an eighth until it is seen, a quarter for the close."""
        line = Line(Limits(close_seconds=3, heart_beat_seconds=0.04))
        line.transport.answers_close = False
        line.begin()
        await settle()
        line.it.expect_heart_beats(send_seconds=0.04, receive_seconds=0.04)
        began = asyncio.get_running_loop().time()
        line.it.beat(began + 0.09)
        await line.end()
        assert asyncio.get_running_loop().time() - began < 1.5

    @pytest.mark.parametrize(
        "message",
        [text(b"\n"), frame(b"", PING), frame(b"", PONG)],
        ids=["text", "ping", "pong"],
    )
    async def test_anything_that_comes_is_life(self, line: Line, message: bytes) -> None:
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=10)
        line.it._last_in -= 19
        line.begin()
        line.hear(message)
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 19)
        assert not line.it.closing

    async def test_while_we_do_not_read_its_silence_is_ours(self, line: Line) -> None:
        """A SUBSCRIBE that waits for the store: what the peer sends meanwhile waits unread."""
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=10)
        line.door.free.clear()
        line.begin()
        line.hear(text(b"a"))
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 1000)
        assert not line.it.closing
        line.door.free.set()
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 21)
        assert line.it.closing

    async def test_a_vanished_peer_does_not_harm_who_beats_for_all(self, line: Line) -> None:
        line.begin()
        await settle()
        line.it.expect_heart_beats(send_seconds=10, receive_seconds=0)
        line.transport.gone = True
        line.it.beat(asyncio.get_running_loop().time() + 11)
        assert line.it.outbox.closed
