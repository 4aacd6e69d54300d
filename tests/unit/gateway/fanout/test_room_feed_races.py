"""`fanout.room_feed` under everything at once: I3 (contiguous, in order, once) and I5.

A writer commits to the log and tells the feed of it: late, twice, or not at all. Subscribers come
back from random positions all the while. Each read takes a random number of loop steps before and
after it looks. Whatever happens, each stream is a slice of the log without holes or doubles.
"""

import asyncio
from collections import deque
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allibe_gateway.fanout import room_feed as module
from allibe_gateway.fanout.room_feed import FeedLimits, Joined
from allibe_services.contracts.errors import StoreUnavailable
from tests.support.until import until
from tests.unit.gateway.fakes import ROOM, FakeLog, Subscriber, TextView, settle
from tests.unit.gateway.fanout.feeds import Feed, at

SMALL_TAIL = 210 * 6
"""Bytes for about six entries: most joins have to read."""


class Race:
    """One writer, some subscribers, one feed; `seed` decides everything."""

    def __init__(self, seed: int, *, tail_bytes: int, recovery_messages: int) -> None:
        self.random = Random(seed)
        self.log = FakeLog(seed)
        self.log.commit(self.random.randrange(20))
        self.feed = Feed(self.log, FeedLimits(recovery_messages, tail_bytes))
        self.joined: list[tuple[Subscriber, Joined, int | None]] = []

    async def run(self) -> None:
        opening = asyncio.create_task(self.feed.it.open())
        writing = asyncio.create_task(self._write(60))
        await opening
        await asyncio.gather(*(self._join(one) for one in range(12)), self._stumble())
        await writing
        self.log.away = False
        last = len(self.log.rooms[ROOM])
        self.feed.it.compare(self.feed.head(), seen=self.feed.it.last)
        await until(lambda: not self.feed.filling)
        await settle()
        for subscriber, joined, since in self.joined:
            start = joined.position.offset if not joined.recovered else since
            assert start is not None
            assert subscriber.offsets == list(range(start + 1, last + 1))

    async def _write(self, commits: int) -> None:
        on_their_way: deque[int] = deque()
        for _ in range(commits):
            fresh = self.log.commit(self.random.randint(1, 3))
            on_their_way.extend(one.offset for one in fresh)
            await self._steps(3)
            while on_their_way and self.random.random() < 0.8:
                offset = on_their_way.popleft()
                if self.random.random() < 0.9:
                    self.feed.hear(offset)
                if self.random.random() < 0.1:
                    self.feed.hear(self.random.randint(1, offset))
            await self._steps(2)

    async def _join(self, number: int) -> None:
        await self._steps(150)
        last = len(self.log.rooms[ROOM])
        since = None if number % 4 == 0 else self.random.randint(0, last)
        subscriber = Subscriber()
        try:
            joined = await self.feed.it.join(
                TextView(str(number % 3)),
                subscriber.outbox,
                None if since is None else at(since),
            )
        except StoreUnavailable:
            return  # it is told, and comes back
        self.joined.append((subscriber, joined, since))

    async def _stumble(self) -> None:
        """Let the store be away for a moment, now and then."""
        for _ in range(3):
            await self._steps(60)
            self.log.away = True
            await self._steps(6)
            self.log.away = False

    async def _steps(self, most: int) -> None:
        for _ in range(self.random.randrange(most)):
            await asyncio.sleep(0)


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32),
    tail_bytes=st.sampled_from([SMALL_TAIL, 1 << 20]),
    recovery_messages=st.sampled_from([15, 500]),
    page=st.sampled_from([4, 50]),
)
def test_every_stream_is_a_slice_of_the_log(
    seed: int, tail_bytes: int, recovery_messages: int, page: int
) -> None:
    race = Race(seed, tail_bytes=tail_bytes, recovery_messages=recovery_messages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RETRY_SECONDS", 0.0)
        patch.setattr(module, "PAGE", page)
        asyncio.run(race.run())
