"""`fanout.backlogs`: what slow peers have not taken waits, and goes on in order."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from allibe_gateway.fanout import backlogs
from allibe_gateway.fanout.backlogs import PUSH_BYTES, Backlog, Backlogs
from allibe_gateway.fanout.outbox import DIRECT_BYTES
from tests.support.until import until
from tests.unit.gateway.fakes import Subscriber, settle

FULL = DIRECT_BYTES + 1
"""Unsent bytes of a transport that gets no more."""


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlogs, "LOOK_SECONDS", 0.001)


@pytest.fixture
async def slow() -> Subscriber:
    """One whose peer takes nothing, and for whom `a` and `b` wait."""
    slow = Subscriber(backlogs=Backlogs())
    slow.transport.unsent = FULL
    slow.outbox.write(b"a")
    slow.outbox.write(b"b")
    await settle()
    return slow


class TestBacklog:
    def test_as_many_frames_are_taken_as_reach_the_size(self) -> None:
        backlog = Backlog()
        for frame in (b"aaa", b"bbb", b"ccc"):
            backlog.add(frame)
        assert (backlog.take(4), backlog.size) == (b"aaabbb", 3)
        assert (backlog.take(4), backlog.size) == (b"ccc", 0)

    def test_one_frame_is_never_split(self) -> None:
        backlog = Backlog()
        backlog.add(b"a" * 10)
        assert (backlog.take(1), backlog.size) == (b"a" * 10, 0)


class TestWaiting:
    async def test_a_full_transport_gets_nothing(self, slow: Subscriber) -> None:
        assert slow.transport.written == []
        assert slow.outbox.waiting == 2
        assert slow.outbox.unsent() == FULL + 2

    async def test_once_it_has_room_it_gets_all_at_once(self, slow: Subscriber) -> None:
        slow.transport.unsent = DIRECT_BYTES
        await until(lambda: not slow.outbox.waits)
        assert slow.transport.written == [b"ab"]

    async def test_nothing_overtakes_what_waits(self, slow: Subscriber) -> None:
        slow.transport.unsent = 0
        slow.outbox.write(b"c")
        assert slow.transport.written == []
        await until(lambda: not slow.outbox.waits)
        slow.outbox.write(b"d")
        assert slow.transport.written == [b"abc", b"d"]

    async def test_what_the_kernel_took_within_a_turn_has_not_waited_for_a_look(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A long replay and its receipt in one turn; also beside one that is full."""
        monkeypatch.setattr(backlogs, "LOOK_SECONDS", 60)
        shared = Backlogs()
        full, well = Subscriber(backlogs=shared), Subscriber(backlogs=shared)
        full.transport.unsent = FULL
        full.outbox.write(b"a")
        await settle()
        well.transport.unsent = FULL
        well.outbox.write(b"b")
        well.transport.unsent = 0
        await settle()
        assert (full.transport.written, well.transport.written) == ([], [b"b"])

    async def test_a_transport_gets_so_much_at_a_time(self) -> None:
        slow = Subscriber(backlogs=Backlogs())
        slow.transport.unsent = FULL
        for _ in range(4):
            slow.outbox.write(b"x" * (PUSH_BYTES // 2))
        await settle()
        slow.transport.stuck, slow.transport.unsent = True, 0
        await until(lambda: bool(slow.transport.written))
        await settle()
        assert slow.transport.unsent == PUSH_BYTES == slow.outbox.waiting

    async def test_what_there_is_room_for_by_now_is_not_too_much(
        self, slow: Subscriber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A long replay is written in one turn; its peer reads meanwhile."""
        slow.outbox.write(b"x" * (1 << 20))
        written = slow.transport.write

        def take(data: bytes) -> None:
            written(data)
            slow.transport.unsent = 0

        monkeypatch.setattr(slow.transport, "write", take)
        slow.outbox.write(b"y")
        assert not slow.outbox.closed
        await until(lambda: not slow.outbox.waits)
        assert slow.transport.bytes.endswith(b"xy")

    async def test_too_much_of_both_is_the_end(self, slow: Subscriber) -> None:
        slow.transport.stuck = True
        slow.outbox.write(b"x" * (1 << 20))
        assert not slow.outbox.closed
        slow.outbox.write(b"y")
        assert (slow.outbox.closed, slow.overflows, slow.outbox.waiting) == (True, 1, 0)


class TestEnds:
    async def test_what_was_written_before_a_close_is_on_its_way(self, slow: Subscriber) -> None:
        slow.outbox.close()
        assert slow.transport.written == [b"ab"]

    async def test_what_is_cleared_is_not_and_what_follows_is(self, slow: Subscriber) -> None:
        slow.transport.unsent = 0
        slow.outbox.clear()
        slow.outbox.write(b"c")
        slow.outbox.close()
        await settle()
        assert slow.transport.written == [b"c"]

    @pytest.mark.parametrize("end", [lambda one: one.outbox.close(), lambda one: None])
    async def test_a_peer_that_vanishes_meanwhile_ends_the_looks(
        self, slow: Subscriber, end: Callable[[Subscriber], None]
    ) -> None:
        slow.transport.gone, slow.transport.unsent = True, 0
        end(slow)
        await until(lambda: slow.outbox.closed)
        assert not slow.outbox.waits


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_a_peer_takes_and_when_it_gets_all_in_order(seed: int) -> None:
    """I3, for several that share a timer."""
    random = Random(seed)
    shared = Backlogs()
    ones = [Subscriber(backlogs=shared) for _ in range(5)]
    expected = b""
    for number in range(200):
        frame = b"%d;" % number * random.choice((1, 10, 1000))
        expected += frame
        for one in ones:
            one.transport.unsent = random.choice((0, DIRECT_BYTES, FULL))
            one.outbox.write(frame)
        if random.random() < 0.3:
            await asyncio.sleep(0)
    for one in ones:
        one.transport.unsent = 0
    await until(lambda: not any(one.outbox.waits for one in ones))
    assert [one.transport.bytes == expected for one in ones] == [True] * 5
