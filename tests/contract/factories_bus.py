"""The buses that the contract tests run against, one for each implementation, and users."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from yarl import URL

from allibe_services.bus.base import Bus, Delivery
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.bus.rabbitmq import RabbitMqBus, Topology
from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.events import Event
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.messages import Message
from allibe_services.contracts.routing import shard_of
from tests.support.commands import post
from tests.support.tcp_proxy import TcpProxy
from tests.support.until import until

BusFactory = Callable[..., Any]
"""Opens a bus. `publish_seconds`: its time limit; `most_waiting`: its bound on commands;
`most_bytes`: its bound on their contents, in bytes. `broker`: where there is one, it is well, or it
is "away" or "hangs" as soon as the bus is open (without one, commands wait for a worker: the test
has none then)."""


@asynccontextmanager
async def _inprocess_bus(*, broker: str = "well", **limits: float) -> AsyncIterator[Bus]:
    bus = InProcessBus(**limits)  # type: ignore[arg-type]
    yield bus
    await bus.close()


@asynccontextmanager
async def _rabbitmq_bus(url: str, *, broker: str = "well", **limits: float) -> AsyncIterator[Bus]:
    port = URL(url).port
    assert port is not None
    with TcpProxy(port) as proxy:
        through_proxy = str(URL(url).with_port(proxy.port))
        topology = Topology(shards=2)
        async with RabbitMqBus(through_proxy, topology=topology, **limits) as bus:  # type: ignore[arg-type]
            if broker == "away":
                proxy.cut()
            elif broker == "hangs":
                proxy.stall()
            yield bus


def _rabbitmq(request: pytest.FixtureRequest) -> BusFactory:
    return partial(_rabbitmq_bus, request.getfixturevalue("amqp_url"))


BUSES: dict[str, Callable[[pytest.FixtureRequest], BusFactory]] = {
    "inprocess": lambda _: _inprocess_bus,
    "rabbitmq": _rabbitmq,
}
"""For each implementation: what opens buses for a test; all of one test are on one broker."""


def stored(command: PostMessage, offset: int = 1) -> Stored:
    """Return what a log makes of a command."""
    return Stored(
        Message(
            room_id=command.room_id,
            epoch="e1",
            offset=offset,
            message_id=command.message_id,
            sender=command.sender,
            content=command.content,
            sent_at=command.sent_at,
        )
    )


def shard(bus: Bus, room: str = "1") -> int:
    return shard_of(RoomId(room), bus.shards)


class Consumer:
    """A worker's loop over one shard: acks at once, or as the test says."""

    def __init__(self, bus: Bus, *, room: str = "1", most: int = 500, acks: bool = True) -> None:
        self.batches: list[list[str]] = []
        self.held: asyncio.Queue[Delivery] = asyncio.Queue()
        self._acks = acks
        self._free = asyncio.Event()
        self.task = asyncio.create_task(self._run(bus, shard(bus, room), most))

    @property
    def contents(self) -> list[str]:
        return [content for batch in self.batches for content in batch]

    async def _run(self, bus: Bus, number: int, most: int) -> None:
        async for delivery in bus.deliveries(number, most=most):
            self.batches.append([command.content for command in delivery.commands])
            if self._acks:
                await delivery.ack([stored(command) for command in delivery.commands])
            else:
                self.held.put_nowait(delivery)
                self._free.clear()
                await self._free.wait()

    def go_on(self) -> None:
        """Ask for the next delivery (the test has acked the last one)."""
        self._free.set()

    async def die(self) -> None:
        """End without acking what is held."""
        self.task.cancel()
        await asyncio.wait([self.task])


class Handler:
    """Who listens: keeps what it gets, fails on demand."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.doubts = 0
        self.error: Exception | None = None

    def on_events(self, events: Sequence[Event]) -> None:
        self.events.extend(events)
        if self.error is not None:
            raise self.error

    def on_doubt(self) -> None:
        self.doubts += 1


async def outcome(future: "asyncio.Future[Stored | None]") -> Stored | AllibeError | None:
    """Return what the future ends with, errors too."""
    try:
        return await future
    except AllibeError as error:
        return error


def confirmed(result: object) -> bool:
    """Tell whether a future's result says that the command is durable."""
    return result is None or isinstance(result, Stored)


async def be_busy(bus: Bus) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return what each sender posted, and what the consumers that lived acked of it."""
    posted: dict[str, list[str]] = {}
    seen: dict[str, list[str]] = {}
    futures: list[asyncio.Future[Any]] = []

    async def send(sender: str) -> None:
        for number in range(60):
            posted.setdefault(sender, []).append(f"{sender}-{number}")
            futures.append(bus.post(post(f"{sender}-{number}", sender=sender)))
            if number % 5 == 0:
                await asyncio.sleep(0)

    async def consume(lives: int) -> None:
        async for delivery in bus.deliveries(shard(bus), most=13):
            await asyncio.sleep(0)
            lives -= 1
            if lives == 0:
                return
            for command in delivery.commands:
                seen.setdefault(command.sender, []).append(command.content)
            await delivery.ack([stored(command) for command in delivery.commands])

    async def workers() -> None:
        for lives in (3, 2, 5, 1, 1000):
            await consume(lives)

    working = asyncio.create_task(workers())
    await asyncio.gather(*(send(f"u{number}") for number in range(8)))
    assert all(map(confirmed, await asyncio.gather(*futures)))
    await until(lambda: sum(len(set(contents)) for contents in seen.values()) >= len(futures))
    working.cancel()
    return posted, seen
