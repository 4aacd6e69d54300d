"""What a gateway stands on, in memory and under the test's control."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from random import Random

from allibe_gateway.fanout.backlogs import Backlogs
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.fanout.outbox import Outbox
from allibe_services.bus.base import Delivery, EventHandler
from allibe_services.contracts.commands import Outcome, PostMessage, Stored
from allibe_services.contracts.errors import BusUnavailable, StoreUnavailable
from allibe_services.contracts.events import Event
from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import Message, moment, now
from allibe_services.contracts.rooms import Head

ROOM = RoomId("1")
EPOCH = "e1"


def message(
    offset: int,
    content: str = "hello",
    *,
    room: RoomId = ROOM,
    epoch: str = EPOCH,
    sender: str = "alice",
) -> Message:
    """Make a stored message."""
    return Message(
        room_id=room,
        epoch=epoch,
        offset=offset,
        message_id=MessageId(f"m-{offset}"),
        sender=UserId(sender),
        content=content,
        sent_at=moment(1_740_000_000_000 + offset),
    )


async def settle(steps: int = 20) -> None:
    """Let everything that is ready run."""
    for _ in range(steps):
        await asyncio.sleep(0)


class FakeTransport:
    """A transport that keeps what is written; `unsent` is what it says of its buffer."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unsent = 0
        self.stuck = False
        """Whether the peer takes nothing: what is written stays unsent."""
        self.gone = False
        """Whether the peer has vanished, which uvloop answers with `RuntimeError`."""

    def write(self, data: bytes) -> None:
        if self.gone:
            raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")
        self.written.append(data)
        if self.stuck:
            self.unsent += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    @property
    def bytes(self) -> bytes:
        return b"".join(self.written)


class Subscriber:
    """An outbox over a transport of its own, and what came out of it."""

    def __init__(
        self, *, most: int = 1 << 20, shed: int = 1 << 16, backlogs: Backlogs | None = None
    ) -> None:
        self.transport = FakeTransport()
        self.overflows = 0
        self.outbox = Outbox(
            self.transport, most=most, shed=shed, overflow=self._overflow, backlogs=backlogs
        )

    def _overflow(self) -> None:
        self.overflows += 1

    @property
    def frames(self) -> list[str]:
        """Return the frames that `TextView`s made, in order."""
        return self.transport.bytes.decode().split(";")[:-1]

    @property
    def offsets(self) -> list[int]:
        return [int(frame.rpartition(":")[2]) for frame in self.frames]


class TextView:
    """A view that shows only offsets, equal by name, and counts what it encodes."""

    def __init__(self, name: str = "v") -> None:
        self.name = name
        self.encoded = 0

    def encode(self, entry: Entry) -> bytes:
        self.encoded += 1
        return f"{self.name}:{entry.offset};".encode()

    encode_for_one = encode

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextView) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class FakeLog:
    """`RoomLog` in memory. Reads take a random number of loop steps, before and after they look.

    `away` makes it unavailable; `hold` makes reads wait after they looked, until `let_go`.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.rooms: dict[RoomId, list[Message]] = {ROOM: []}
        self.epochs: dict[RoomId, str] = {}
        self.pruned: dict[RoomId, int] = {}
        self.away = False
        self.reads: list[tuple[str, int]] = []
        self._random = Random(seed) if seed is not None else None
        self._free = asyncio.Event()
        self._free.set()

    def hold(self) -> None:
        self._free.clear()

    def let_go(self) -> None:
        self._free.set()

    def commit(self, count: int = 1, *, room: RoomId = ROOM) -> list[Message]:
        """Store so many further messages and return them."""
        stored = self.rooms.setdefault(room, [])
        start = stored[-1].offset + 1 if stored else 1
        fresh = [
            message(offset, room=room, epoch=self.epoch(room))
            for offset in range(start, start + count)
        ]
        stored.extend(fresh)
        return fresh

    def reset(self, epoch: str, *, room: RoomId = ROOM) -> None:
        """Start the room's log again, empty."""
        self.rooms[room] = []
        self.epochs[room] = epoch

    def prune(self, offset: int, *, room: RoomId = ROOM) -> None:
        """Delete the room's messages up to an offset."""
        self.pruned[room] = offset

    def epoch(self, room: RoomId) -> str:
        return self.epochs.get(room, EPOCH)

    def _kept(self, room: RoomId) -> list[Message]:
        return self.rooms.get(room, [])[self.pruned.get(room, 0) :]

    async def append(self, commands: Sequence[PostMessage]) -> list[Outcome]:
        raise NotImplementedError

    async def after(self, room_id: RoomId, offset: int, *, most: int) -> list[Message]:
        self.reads.append(("after", offset))
        await self._wait()
        later = [one for one in self._kept(room_id) if one.offset > offset]
        await self._answer()
        return later[:most]

    async def before(self, room_id: RoomId, offset: int | None, *, most: int) -> list[Message]:
        self.reads.append(("before", offset or 0))
        await self._wait()
        stored = self._kept(room_id)
        earlier = [one for one in stored if offset is None or one.offset < offset]
        await self._answer()
        return earlier[-most:]

    async def heads(self, room_ids: Collection[RoomId]) -> dict[RoomId, Head]:
        self.reads.append(("heads", 0))
        await self._wait()
        heads = {
            room_id: Head(
                self.epoch(room_id), len(self.rooms[room_id]), self.pruned.get(room_id, 0)
            )
            for room_id in room_ids
            if room_id in self.rooms
        }
        await self._answer()
        return heads

    async def _wait(self) -> None:
        if self.away:
            raise StoreUnavailable
        await self._some_steps()

    async def _answer(self) -> None:
        await self._free.wait()
        await self._some_steps()

    async def _some_steps(self) -> None:
        if self._random is not None:
            for _ in range(self._random.randrange(4)):
                await asyncio.sleep(0)


class FakeListening:
    """A place on a `FakeBus`. Binding and unbinding take effect at the end of the call."""

    def __init__(self, bus: "FakeBus", handler: EventHandler) -> None:
        self.bus = bus
        self.handler = handler
        self.keys: set[str] = set()
        self.closed = False

    async def bind(self, keys: Collection[str]) -> None:
        self.bus.calls.append(("bind", *keys))
        await self.bus.free_to_bind.wait()
        if self.bus.away:
            raise BusUnavailable
        self.keys.update(keys)

    async def unbind(self, keys: Collection[str]) -> None:
        self.bus.calls.append(("unbind", *keys))
        await self.bus.free_to_unbind.wait()
        self.keys.difference_update(keys)

    async def close(self) -> None:
        self.closed = True
        self.keys.clear()


class FakeBus:
    """`Bus` for gateways: what they publish and post is kept; bindings are slow on demand."""

    shards = 1

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.listenings: list[FakeListening] = []
        self.published: list[Event] = []
        self.posted: list[tuple[PostMessage, asyncio.Future[Stored | None]]] = []
        self.away = False
        self.free_to_bind = asyncio.Event()
        self.free_to_bind.set()
        self.free_to_unbind = asyncio.Event()
        self.free_to_unbind.set()

    @property
    def keys(self) -> set[str]:
        """Return all keys that are bound now."""
        return set().union(*(one.keys for one in self.listenings))

    def post(self, command: PostMessage) -> "asyncio.Future[Stored | None]":
        future: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self.posted.append((command, future))
        return future

    async def lengths(self, shards: Collection[int]) -> dict[int, int]:
        raise NotImplementedError

    async def dead_letters(self) -> int:
        raise NotImplementedError

    def deliveries(self, shard: int, *, most: int) -> AsyncGenerator[Delivery, None]:
        raise NotImplementedError

    async def publish(self, events: Sequence[Event]) -> None:
        if self.away:
            raise BusUnavailable
        self.published.extend(events)

    async def listen(self, handler: EventHandler) -> FakeListening:
        self.listenings.append(FakeListening(self, handler))
        return self.listenings[-1]

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


def stored(command: PostMessage, offset: int) -> Stored:
    """Return what the log would make of a command."""
    return Stored(
        Message(
            room_id=command.room_id,
            epoch=EPOCH,
            offset=offset,
            message_id=command.message_id,
            sender=command.sender,
            content=command.content,
            sent_at=now(),
            sender_name=command.sender_name,
            client_message_id=command.client_message_id,
        )
    )
