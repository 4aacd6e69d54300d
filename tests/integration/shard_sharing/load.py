"""People who write into rooms of all shards without a pause, and what became of each message."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from allibe_services.bus.base import Bus
from allibe_services.bus.rabbitmq import RabbitMqBus
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.events import Event
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.contracts.messages import Message
from allibe_services.contracts.routing import room_key, shard_of
from allibe_services.store.base import Store
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore

SHARDS = 16
SENDERS = (UserId("alice"), UserId("bob"))
PAUSE = 0.02
"""Seconds between the messages of a shard: 800 a second in all."""

SOON = 0.5
"""Seconds from post to event after which a message counts as waiting."""

HAND_OVER_SECONDS = 15.0


def rooms_of_all_shards() -> list[RoomId]:
    """Return a room for each shard, in the order of the shards."""
    found: dict[int, RoomId] = {}
    number = 0
    while len(found) < SHARDS:
        found.setdefault(shard_of(RoomId(str(number)), SHARDS), RoomId(str(number)))
        number += 1
    return [found[shard] for shard in range(SHARDS)]


@dataclass
class Load:
    """Posts, and listens as a gateway does."""

    bus: Bus
    store: Store
    rooms: list[RoomId] = field(default_factory=rooms_of_all_shards)
    confirmed: dict[RoomId, list[PostMessage]] = field(default_factory=dict)
    """In the order in which they were posted."""
    waited: dict[int, float] = field(default_factory=dict)
    """By shard: the longest from post to event since `forget`, in seconds."""
    _posted: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Messages that were not shown yet: shard, and when they were posted."""
    _shown: dict[int, float] = field(default_factory=dict)
    """By shard: when the last one that was shown was posted."""
    _ends: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def begin(self) -> None:
        for shard, room in enumerate(self.rooms):
            await self.store.rooms.create(room, SENDERS[0], members=SENDERS[1:], room_id=room)
            self._tasks.append(asyncio.create_task(self._write(shard, room)))
        listening = await self.bus.listen(self)
        await listening.bind([room_key(room) for room in self.rooms])

    def on_events(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Message) and event.message_id in self._posted:
                shard, posted = self._posted.pop(event.message_id)
                self._note(shard, posted)

    def on_doubt(self) -> None: ...

    def forget(self) -> None:
        """Measure from now on."""
        self.waited.clear()

    async def until_steady(self) -> None:
        """Return once every shard shows what was posted after this call, soon after the post."""
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.timeout(60):
            while (  # noqa: ASYNC110 - no event for it
                len(self._shown) < SHARDS
                or min(self._shown.values()) <= began
                or any(posted < clock() - SOON for _, posted in self._posted.values())
            ):
                await asyncio.sleep(0.05)

    @property
    def longest(self) -> float:
        """The longest wait of a message that was shown since `forget`."""
        return max(self.waited.values())

    async def stop(self) -> None:
        """Post no more; return when everything that was posted is confirmed and was shown."""
        self._ends = True
        await asyncio.gather(*self._tasks)
        async with asyncio.timeout(60):
            while self._posted:  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.05)

    async def check(self) -> int:
        """Fail unless the log is as it must be (I1, I2, I4); return how many messages it has."""
        for room in self.rooms:
            log = await self.store.log.after(room, 0, most=1_000_000)
            assert [one.offset for one in log] == list(range(1, len(log) + 1)), room
            assert [one.message_id for one in log] == [
                one.message_id for one in self.confirmed[room]
            ], room
        return sum(map(len, self.confirmed.values()))

    async def _write(self, shard: int, room: RoomId) -> None:
        clock = asyncio.get_running_loop().time
        confirmed = self.confirmed.setdefault(room, [])
        number = 0
        while not self._ends:
            command = PostMessage(
                message_id=new_message_id(),
                room_id=room,
                sender=SENDERS[number % len(SENDERS)],
                content=str(number),
                sent_at=datetime.now(UTC),
                client_message_id=str(number),
            )
            self._posted[command.message_id] = (shard, clock())
            confirmed.append(command)
            await self.bus.post(command)
            number += 1
            await asyncio.sleep(PAUSE)

    def _note(self, shard: int, posted: float) -> None:
        waited = asyncio.get_running_loop().time() - posted
        self._shown[shard] = posted
        self.waited[shard] = max(waited, self.waited.get(shard, 0.0))


@asynccontextmanager
async def loaded(amqp_url: str, database_url: str) -> AsyncIterator[Load]:
    """Run the load over a bus and a store of its own."""
    store = SqlStore(PostgresqlDatabase(database_url))
    try:
        async with RabbitMqBus(amqp_url, publish_seconds=60) as bus:
            load = Load(bus, store)
            await load.begin()
            try:
                yield load
            finally:
                for task in load._tasks:
                    task.cancel()
    finally:
        await store.close()
