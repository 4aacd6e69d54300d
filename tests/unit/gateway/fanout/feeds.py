"""A room feed with its surroundings: a log, a flush per tick as the hub does, recorded calls."""

import asyncio

from allibe_gateway.fanout.room_feed import FeedLimits, Joined, RoomFeed
from allibe_services.contracts.ids import Position, RoomId
from allibe_services.contracts.rooms import Head
from tests.unit.gateway.fakes import EPOCH, ROOM, FakeLog, Subscriber, TextView

LIMITS = FeedLimits(recovery_messages=500, tail_bytes=1 << 20)


class Feed:
    """One `RoomFeed`; `self.it`."""

    def __init__(self, log: FakeLog, limits: FeedLimits = LIMITS) -> None:
        self.log = log
        self.resets = 0
        self.gaps = 0
        self.it = RoomFeed(
            ROOM, log, limits, changed=self._changed, reset=self._reset, gap=self._gap
        )
        self._scheduled = False

    async def join(self, since: Position | None = None) -> tuple[Subscriber, Joined]:
        """Let a new subscriber join."""
        subscriber = Subscriber()
        return subscriber, await self.it.join(TextView(), subscriber.outbox, since)

    def hear(self, *offsets: int) -> list[bool]:
        """Hand in the events of these offsets, as the log has them."""
        stored = {one.offset: one for one in self.log.rooms[ROOM]}
        return [self.it.on_message(stored[offset]) for offset in offsets]

    def head(self) -> Head:
        return Head(self.log.epoch(ROOM), len(self.log.rooms[ROOM]))

    @property
    def filling(self) -> bool:
        return self.it._filling is not None

    def _changed(self, feed: RoomFeed) -> None:
        assert feed is self.it
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        self.it.flush()

    def _reset(self, feed: RoomFeed) -> None:
        assert feed is self.it
        self.resets += 1

    def _gap(self) -> None:
        self.gaps += 1


async def opened(
    stored: int = 0, *, limits: FeedLimits = LIMITS, log: FakeLog | None = None
) -> Feed:
    """Return a feed that is open on a log of so many messages."""
    log = log or FakeLog()
    log.commit(stored)
    feed = Feed(log, limits)
    await feed.it.open()
    log.reads.clear()
    return feed


def at(offset: int, *, epoch: str = EPOCH, room: RoomId = ROOM) -> Position:
    """Return what a client sends back to recover from an offset."""
    return Position(room, epoch, offset)
