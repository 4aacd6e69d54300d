"""What a worker stands on, in memory and under the test's control."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence

from allibe_services.bus.base import Delivery, Listening
from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.errors import BusUnavailable, StoreUnavailable, Unavailable
from allibe_services.contracts.events import Event
from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import Message, now
from allibe_services.contracts.rooms import Head, Unread
from allibe_services.presence.base import Lease, Lookers, Screens
from tests.support.partial_store import NoMembers, PartialStore

ONE, TWO = RoomId("1"), RoomId("2")
ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
EPOCH = "e1"


def message(offset: int, *, room: RoomId = ONE, sender: UserId = ALICE) -> Message:
    """Make a stored message."""
    return Message(
        room_id=room,
        epoch=EPOCH,
        offset=offset,
        message_id=MessageId(f"{room}-{offset}"),
        sender=sender,
        content=f"content {offset}",
        sent_at=now(),
    )


class FakeLog:
    """`RoomLog`: stores by message id; `failures` says how many of the next calls fail, how."""

    def __init__(self) -> None:
        self.rooms: dict[RoomId, list[Message]] = {ONE: [], TWO: []}
        self.calls = 0
        self.failures: list[Exception] = []
        self.lost_answers = 0
        """How many of the next calls store and then fail: the time limit came first."""

    async def append(self, commands: Sequence[PostMessage]) -> list[Outcome]:
        self.calls += 1
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        outcomes = [self._append(command) for command in commands]
        if self.lost_answers:
            self.lost_answers -= 1
            raise StoreUnavailable
        return outcomes

    def _append(self, command: PostMessage) -> Outcome:
        if command.room_id not in self.rooms:
            return Rejected("unknown_room", "There is no such room.")
        log = self.rooms[command.room_id]
        for known in log:
            if known.message_id == command.message_id:
                return Stored(known, duplicate=True)
        log.append(
            Message(
                room_id=command.room_id,
                epoch=EPOCH,
                offset=len(log) + 1,
                message_id=command.message_id,
                sender=command.sender,
                content=command.content,
                sent_at=command.sent_at,
            )
        )
        return Stored(log[-1])

    async def after(self, room_id: RoomId, offset: int, *, most: int) -> list[Message]:
        raise NotImplementedError

    async def before(self, room_id: RoomId, offset: int | None, *, most: int) -> list[Message]:
        raise NotImplementedError

    async def heads(self, room_ids: Collection[RoomId]) -> dict[RoomId, Head]:
        known = (room_id for room_id in room_ids if room_id in self.rooms)
        pruned = 1  # no matter for who only asks where the log ends
        return {room_id: Head(EPOCH, len(self.rooms[room_id]), pruned) for room_id in known}


class FakeMembers(NoMembers):
    """`Members`: who is in which room, as far as the notifier asks."""

    def __init__(self) -> None:
        self.of: dict[RoomId, dict[UserId, int]] = {}
        self.pages: list[tuple[RoomId, UserId | None]] = []
        self.reads = 0
        self.failures: list[Exception] = []

    async def unread(
        self, after: Mapping[RoomId, UserId | None], *, most: int
    ) -> dict[RoomId, list[Unread]]:
        self.reads += 1
        self.pages.extend(after.items())
        if self.failures:
            raise self.failures.pop(0)
        return {room_id: self._page(room_id, last, most) for room_id, last in after.items()}

    def _page(self, room_id: RoomId, after: UserId | None, most: int) -> list[Unread]:
        counts = sorted(self.of.get(room_id, {}).items())
        later = [Unread(user, count) for user, count in counts if after is None or user > after]
        return later[:most]


class FakeStore(PartialStore[FakeLog, FakeMembers]):
    """`Store` of the above."""

    def __init__(self) -> None:
        super().__init__(FakeLog(), FakeMembers())


class FakeDelivery:
    """A delivery that says when it is acked."""

    def __init__(self, bus: "FakeBus", commands: Sequence[PostMessage]) -> None:
        self._bus = bus
        self.commands = commands

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        self._bus.steps.append(("ack", len(outcomes)))
        self._bus.acked.append(list(outcomes))


class FakeBus:
    """`Bus` for a worker: hands over what the test gives, keeps what is published, in `steps`."""

    shards = 1

    def __init__(self) -> None:
        self.given: asyncio.Queue[Sequence[PostMessage] | None] = asyncio.Queue()
        self.steps: list[tuple[str, int]] = []
        self.published: list[Event] = []
        self.acked: list[list[Outcome]] = []
        self.failures = 0
        """How many of the next publishes fail, each after it has published all."""
        self.meanwhile: list[Callable[[], None]] = []
        """What happens during the next publishes, one in each."""

    async def deliveries(self, shard: int, *, most: int) -> AsyncGenerator[Delivery, None]:
        while (commands := await self.given.get()) is not None:
            yield FakeDelivery(self, commands)

    async def lengths(self, shards: Collection[int]) -> dict[int, int]:
        return dict.fromkeys(shards, self.given.qsize())

    async def dead_letters(self) -> int:
        return 2

    async def publish(self, events: Sequence[Event]) -> None:
        self.steps.append(("publish", len(events)))
        self.published.extend(events)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.failures:
            self.failures -= 1
            raise BusUnavailable

    def post(self, command: PostMessage) -> "asyncio.Future[Stored | None]":
        raise NotImplementedError

    async def listen(self, handler: object) -> Listening:
        raise NotImplementedError

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class ShardedBus(FakeBus):
    """`FakeBus` of several shards, each with one active consumer, as a broker has them.

    What is posted to `waiting` is handed over one by one; what was not acked comes again.
    """

    shards = 16

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[int, list[PostMessage]] = {}
        self.consumers: dict[int, int] = dict.fromkeys(range(self.shards), 0)
        """Active ones and those that stand by."""
        self.is_away = False
        self._active = {shard: asyncio.Lock() for shard in range(self.shards)}
        self.closing = 0.0
        """Seconds that a consumer's channel takes to close."""

    async def ping(self) -> None:
        if self.is_away:
            raise BusUnavailable

    @property
    def consumed(self) -> set[int]:
        return {shard for shard, count in self.consumers.items() if count}

    async def deliveries(self, shard: int, *, most: int) -> AsyncGenerator[Delivery, None]:
        self.consumers[shard] += 1
        try:
            async with self._active[shard]:
                while True:
                    while waiting := self.waiting.get(shard):
                        yield _OneOfMany(self, waiting)
                    await asyncio.sleep(0.001)
        finally:
            await asyncio.sleep(self.closing)
            self.consumers[shard] -= 1


class _OneOfMany(FakeDelivery):
    def __init__(self, bus: FakeBus, waiting: list[PostMessage]) -> None:
        super().__init__(bus, waiting[:1])
        self._waiting = waiting

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        await super().ack(outcomes)
        if self._waiting[:1] == self.commands:
            del self._waiting[0]


class FakeWorkers:
    """`Workers`: who lives is the test's to say."""

    def __init__(self, *others: str) -> None:
        self.others = set(others)
        self.live: set[str] = set()
        self.steps: list[str] = []
        self.failures: list[Exception] = []
        self.is_away = False
        self.hangs = False

    async def announce(self, worker_id: str) -> set[str]:
        await self._call("announce")
        self.live.add(worker_id)
        return self.live | self.others

    async def leave(self, worker_id: str) -> None:
        await self._call("leave")
        self.live.discard(worker_id)

    async def ping(self) -> None: ...

    async def _call(self, name: str) -> None:
        self.steps.append(name)
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.failures:
            raise self.failures.pop(0)
        if self.is_away:
            raise Unavailable


class FakePresence:
    """`Presence`: who is connected, who looks at which room."""

    def __init__(self) -> None:
        self.here: set[UserId] = set()
        self.at: dict[RoomId, set[UserId]] = {}
        self.failures: list[Exception] = []

    async def screens(self, users: Collection[UserId]) -> Screens:
        if self.failures:
            raise self.failures.pop(0)
        return {
            user: frozenset(room for room, there in self.at.items() if user in there)
            for user in self.here.intersection(users)
        }

    async def renew(self, leases: Sequence[Lease]) -> None:
        raise NotImplementedError

    async def end(self, connection_ids: Collection[str]) -> None:
        raise NotImplementedError

    async def lookers(self, rooms: Collection[RoomId], *, most: int) -> dict[RoomId, Lookers]:
        raise NotImplementedError

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
