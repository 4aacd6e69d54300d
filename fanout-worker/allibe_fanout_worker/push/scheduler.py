"""Rooms with news: each member is accounted for, and those who are to be pushed are scheduled.

Works behind the log, never in its way: in a task of its own, which rests for as long as it works.
What is remembered here may be lost: the rooms themselves say in the store how far they have come,
and whoever patrols finds those that are behind.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import structlog

from allibe_fanout_worker.push.deciding import MemberRules
from allibe_fanout_worker.push.kept import Kept
from allibe_services.contracts.commands import Outcome, Stored
from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.messages import now
from allibe_services.contracts.push_queue import NewsPage, Scheduling
from allibe_services.presence.base import Presence
from allibe_services.store.base import PUSH_LIFE, Store
from allibe_services.telemetry import PushMetrics

ROUND_SECONDS = 0.5
"""Pause before rooms are looked at: what is said in it is one round."""

RESTING_ROUNDS = 4
"""A room in whose round nothing new was decided, for all that are to be pushed wait already, is
passed over until the next fourth round: busy rooms are mostly like that."""

RETRY_SECONDS = 2.0
"""Pause after the store or presence was away."""

PAGE = 200
"""Members accounted for in one transaction: some 4 ms, which on SQLite a message waits for."""

ROOMS = 10_000
"""Most rooms remembered; others are found on patrol."""

PATROL_SECONDS = 60.0
"""Pause between patrols."""

PATROL_ROOMS = 2_000
"""Rooms looked at in one query: a few milliseconds."""

PATROL_SHARE = 0.1
"""How much of its time a patrol may work."""

NEWS_LAST = timedelta(hours=1)
"""How old the last message of a room may be for a patrol: nobody is pushed what is older."""

SETTLED = timedelta(seconds=30)
"""Younger ones are still with the worker that has stored them, unless this one begins."""

FORGET, FORGETS = 1_000, 100
"""Decisions forgotten at a time, and how often after a patrol."""

log = structlog.get_logger(__name__)


class Scheduler:
    """Turns stored messages into scheduled pushes. `wake` is called when some are due at once."""

    def __init__(
        self,
        store: Store,
        presence: Presence,
        rules: MemberRules,
        metrics: PushMetrics,
        wake: Callable[[], None],
    ) -> None:
        self._queue = store.push_queue
        self._presence = presence
        self._rules = rules
        self._metrics = metrics
        self._wake = wake
        self._rooms: dict[RoomId, None] = {}
        self._resting: set[RoomId] = set()
        self._woken = asyncio.Event()
        self._kept = Kept(asyncio.get_running_loop().time)

    def stored(self, outcomes: Sequence[Outcome]) -> None:
        """Remember that rooms have news. Returns at once."""
        self._remember(one.message.room_id for one in outcomes if isinstance(one, Stored))

    async def run(self) -> None:
        """Account for members of rooms with news, for ever: a page of each room in turn."""
        for number in itertools.count(1):
            await self._woken.wait()
            await asyncio.sleep(ROUND_SECONDS)
            if number % RESTING_ROUNDS == 0:
                self._resting.clear()
            rooms = {room_id: None for room_id in self._rooms if room_id not in self._resting}
            # What has news meanwhile waits for a later round, even if that is the same room.
            self._rooms = {room_id: None for room_id in self._rooms if room_id in self._resting}
            while rooms:
                await self._next(rooms)
            if not self._rooms:
                self._woken.clear()

    async def patrol(self) -> None:
        """Find rooms that are behind, for ever, the first time at once."""
        settled = timedelta(0)
        while True:
            try:
                await self._look_at_all(settled)
                settled = SETTLED
            except Unavailable as error:
                log.warning("push_patrol_put_off", code=error.code)
            await asyncio.sleep(PATROL_SECONDS)

    def _remember(self, rooms: Iterable[RoomId]) -> None:
        for room_id in rooms:
            if len(self._rooms) >= ROOMS:
                break
            self._rooms[room_id] = None
        if self._rooms:
            self._woken.set()

    async def _next(self, rooms: dict[RoomId, None]) -> None:
        room_id = next(iter(rooms))
        del rooms[room_id]
        started = asyncio.get_running_loop().time()
        try:
            goes_on = await self._account(room_id)
        except Unavailable as error:
            log.warning("push_scheduling_put_off", code=error.code, rooms=1 + len(rooms))
            # For a later round: where it is this room alone that fails, no other waits for it.
            self._remember([room_id])
            await asyncio.sleep(RETRY_SECONDS)
            return
        if goes_on:
            rooms[room_id] = None  # behind the others
        await asyncio.sleep(asyncio.get_running_loop().time() - started)

    async def _account(self, room_id: RoomId) -> bool:
        """Account for the next members; tell whether there are more."""
        page = await self._queue.page(room_id, most=PAGE)
        if page is None:
            return False
        decided = await self._decided(page)
        new = self._kept.new(room_id, _without_waiting(page, decided))
        if not new and page.is_last:
            self._resting.add(room_id)
        if await self._queue.schedule(page, new, expires_at=now() + PUSH_LIFE):
            self._kept.keep(room_id, new)
            for one in decided:
                self._metrics.count(one.reason)
            if any(one.due_at is not None for one in new):
                self._wake()
        return not page.is_last

    async def _decided(self, page: NewsPage) -> list[Scheduling]:
        screens = await self._presence.screens([one.user for one in page.candidates])
        looking = {user for user, rooms in screens.items() if page.room_id in rooms}
        return self._rules.decide(page, looking=looking, connected=set(screens), now=now())

    async def _look_at_all(self, settled: timedelta) -> None:
        since, until = now() - NEWS_LAST, now() - settled
        after: RoomId | None = None
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            found, after = await self._queue.behind(
                after, most=PATROL_ROOMS, since=since, until=until
            )
            if found:
                log.info("push_rooms_behind", rooms=len(found))
            self._remember(found)
            if after is None:
                break
            await asyncio.sleep((loop.time() - started) / PATROL_SHARE)
        for _ in range(FORGETS):
            if await self._queue.forget(most=FORGET) < FORGET:
                break
            await asyncio.sleep(ROUND_SECONDS)


def _without_waiting(page: NewsPage, decided: Sequence[Scheduling]) -> list[Scheduling]:
    """Leave out those whose push waits already: there is nothing to write."""
    pairs = zip(page.candidates, decided, strict=True)
    return [one for candidate, one in pairs if one.due_at is None or not candidate.is_waiting]
