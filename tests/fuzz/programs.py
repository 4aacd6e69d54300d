"""Programs: steps of several devices against one gateway, and how one is run.

A step is data that prints as the call that makes it, so that a failing program can be read, and
put into a test. Steps do not wait for answers, but for `Settle`: what is under way stays so.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from hypothesis import strategies as st

from allibe_gateway.limits import Limits
from allibe_services.contracts.events import RoomJoined
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.rooms import Role
from tests.chaos.checker import Message
from tests.fuzz.devices import Device, JsonDevice, StompDevice
from tests.fuzz.faults import no_fault_is_logged
from tests.fuzz.record import RECOVERY_MESSAGES, Record
from tests.integration.gateway import Site, running

ROOMS = ("1", "2")
MEMBERS = {"1": {"alice", "bob"}, "2": {"alice", "carol"}}
MOVABLE = ("bob", "carol")
"""Who is removed and added. Alice owns the rooms; mallory is never a member."""

DEVICES = ("alice", "alice-json", "bob", "bob-json", "carol", "mallory", "mallory-json")

SETTLE_SECONDS = 10.0
"""For what takes milliseconds; only failures wait so long."""


class World:
    """The gateway of one program, its devices, and what they wrote down."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.record = Record(
            members={room: set(users) for room, users in MEMBERS.items()},
            ever_members={room: set(users) for room, users in MEMBERS.items()},
        )
        record = self.record
        self.devices: dict[str, Device] = {
            "alice": StompDevice("alice", "alice", site, record, soft=True),
            "alice-json": JsonDevice("alice-json", "alice", site, record, room="1"),
            "bob": StompDevice("bob", "bob", site, record, soft=False),
            "bob-json": JsonDevice("bob-json", "bob", site, record, room="1"),
            "carol": StompDevice("carol", "carol", site, record, soft=True),
            "mallory": StompDevice("mallory", "mallory", site, record, soft=True),
            "mallory-json": JsonDevice("mallory-json", "mallory", site, record, room="2"),
        }
        self._names = 0

    def new_name(self) -> str:
        """Return a clientMessageId that nobody has used."""
        self._names += 1
        return f"m{self._names}"

    async def settle(self) -> None:
        """Return when all that is connected has its answers, and the others are gone."""
        await self._until(lambda: all(one.settled for one in self.devices.values()))
        await self._until(lambda: self._connections() == sum(self._online()))

    async def finish(self) -> dict[str, list[Message]]:
        """Return the history when it changes no more and all who listen have seen it, or have had
        the time to."""
        await self.settle()
        for room in ROOMS:  # behind all that was taken: there is one shard
            await self.devices["alice"].post(room, self.new_name())
        await self.settle()
        history = {room: await self._history(RoomId(room)) for room in ROOMS}
        ends = {room: len(messages) for room, messages in history.items()}
        await self._until(lambda: all(self._has_seen(ends)), strict=False)
        for device in self.devices.values():
            device.drop()
        return history

    async def head(self, room: str) -> int:
        """Return the last offset of a room."""
        return (await self.site.store.log.heads([RoomId(room)]))[RoomId(room)].last_offset

    def _online(self) -> list[bool]:
        return [one.online for one in self.devices.values()]

    def _connections(self) -> float:
        figures = [self.site.figure("connections", door=door) for door in ("stomp", "json")]
        return sum(figure or 0 for figure in figures)

    def _has_seen(self, ends: dict[str, int]) -> list[bool]:
        return [
            bool(one.life.got) and one.life.got[-1].offset >= ends[one.stream.room]
            for one in self.record.subscriptions
            if one.lives and one.answered
        ]

    async def _until(self, condition: Callable[[], bool], *, strict: bool = True) -> None:
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                while not condition():  # noqa: ASYNC110 - what is polled has no event
                    await asyncio.sleep(0.001)
        except TimeoutError:
            if strict:
                raise AssertionError("a request was never answered") from None

    async def _history(self, room: RoomId) -> list[Message]:
        return [
            Message(
                one.room_id,
                one.epoch,
                one.offset,
                one.message_id,
                one.sender,
                one.client_message_id or "",
                one.content,
            )
            for one in await self.site.store.log.after(room, 0, most=10_000)
        ]


@dataclass(frozen=True)
class Step(ABC):
    """One thing that somebody does."""

    @abstractmethod
    async def run(self, world: World) -> None: ...


@dataclass(frozen=True)
class Listen(Step):
    """Connect if need be, and subscribe: from now on, or after a message that it has."""

    device: str
    room: str
    back: int | None

    async def run(self, world: World) -> None:
        device = world.devices[self.device]
        await device.listen(device.room(self.room), self.back)


@dataclass(frozen=True)
class Unlisten(Step):
    """Unsubscribe, or leave."""

    device: str
    room: str

    async def run(self, world: World) -> None:
        device = world.devices[self.device]
        await device.unlisten(device.room(self.room))


@dataclass(frozen=True)
class Post(Step):
    """Connect if need be, and post new messages without waiting."""

    device: str
    room: str
    times: int

    async def run(self, world: World) -> None:
        device = world.devices[self.device]
        for _ in range(self.times):
            await device.post(device.room(self.room), world.new_name())


@dataclass(frozen=True)
class Again(Step):
    """Post one of the user's messages again, the last one or so many before it."""

    device: str
    room: str
    back: int

    async def run(self, world: World) -> None:
        device = world.devices[self.device]
        room = device.room(self.room)
        mine = [
            one
            for one in world.record.sent.values()
            if (one.sender, one.room) == (device.user, room)
        ]
        if mine:
            await device.again(mine[max(0, len(mine) - 1 - self.back)])


@dataclass(frozen=True)
class Drop(Step):
    """Vanish, perhaps within a message."""

    device: str
    within: bool

    async def run(self, world: World) -> None:
        if self.within:
            await world.devices[self.device].drop_within()
        else:
            world.devices[self.device].drop()


@dataclass(frozen=True)
class Garbage(Step):
    """Send what no client should."""

    device: str
    number: int

    async def run(self, world: World) -> None:
        await world.devices[self.device].garbage(self.number)


@dataclass(frozen=True)
class Remove(Step):
    """End a membership, as rooms-api does."""

    user: str
    room: str

    async def run(self, world: World) -> None:
        if world.record.is_member(self.user, self.room):
            await world.site.remove(UserId(self.user), RoomId(self.room))
            world.record.removed(self.user, self.room, await world.head(self.room))


@dataclass(frozen=True)
class Add(Step):
    """Begin a membership, as rooms-api does."""

    user: str
    room: str

    async def run(self, world: World) -> None:
        if world.record.is_member(self.user, self.room):
            return
        user, room = UserId(self.user), RoomId(self.room)
        world.record.added(self.user, self.room)
        await world.site.store.members.add(room, user, Role.MEMBER)
        await world.site.bus.publish([RoomJoined(to=user, room_id=room, role=Role.MEMBER)])


@dataclass(frozen=True)
class Settle(Step):
    """Wait for all answers."""

    async def run(self, world: World) -> None:
        await world.settle()


_device, _room, _few = st.sampled_from(DEVICES), st.sampled_from(ROOMS), st.integers(0, 3)
_back = st.none() | st.integers(0, 12)
_mover = st.sampled_from((("bob", "1"), ("carol", "2")))

_step: st.SearchStrategy[Step] = st.one_of(
    st.builds(Listen, _device, _room, _back),
    st.builds(Post, _device, _room, st.integers(1, 5)),
    st.builds(Again, _device, _room, _few),
    st.builds(Drop, _device, st.booleans()),
    st.builds(Settle),
    st.builds(Garbage, _device, st.integers(0, 11)),
    st.builds(Remove, st.sampled_from(MOVABLE), _room),
    st.builds(Add, st.sampled_from(MOVABLE), _room),
    st.builds(Unlisten, _device, _room),
)


@st.composite
def _break(draw: st.DrawFn) -> list[Step]:
    """Somebody listens, vanishes, misses something, and comes back."""
    device, room = draw(_device), draw(_room)
    return [
        Listen(device, room, draw(_back)),
        Post(draw(st.sampled_from(("alice", device))), room, draw(st.integers(1, 5))),
        *draw(st.lists(st.just(Settle()), max_size=1)),
        Drop(device, draw(st.booleans())),
        Post("alice", room, draw(st.integers(1, 5))),
        Listen(device, room, draw(_few)),
    ]


@st.composite
def _retry(draw: st.DrawFn) -> list[Step]:
    """Somebody vanishes before or after the answer, and posts the same again."""
    device, room = draw(_device), draw(_room)
    return [
        Post(device, room, draw(st.integers(1, 3))),
        *draw(st.lists(st.sampled_from((Settle(), Drop(device, within=False))), max_size=2)),
        Again(device, room, draw(_few)),
    ]


@st.composite
def _removal(draw: st.DrawFn) -> list[Step]:
    """A member who listens and posts is removed, goes on, and perhaps is added again."""
    user, room = draw(_mover)
    return [
        Listen(user, room, draw(_back)),
        Post(user, room, 1),
        *draw(st.lists(st.just(Settle()), max_size=1)),
        Remove(user, room),
        Post(draw(st.sampled_from(("alice", user))), room, draw(st.integers(1, 3))),
        *draw(st.lists(st.sampled_from((Settle(), Add(user, room))), max_size=2)),
        Listen(user, room, draw(_back)),
    ]


_episodes = st.one_of(_step.map(lambda one: [one]), _break(), _retry(), _removal())
programs = st.lists(_episodes, max_size=12).map(lambda episodes: [*chain(*episodes)])
"""Single steps, and stories that single steps would seldom make."""


async def run(program: list[Step], folder: Path) -> list[str]:
    """Run a program on a gateway of its own; return what must not be."""
    limits = Limits(recovery_messages=RECOVERY_MESSAGES, tail_bytes=4096)
    with no_fault_is_logged():
        async with running(folder, limits=limits) as site:
            world = World(site)
            for step in program:
                await step.run(world)
            return world.record.violations(await world.finish())
