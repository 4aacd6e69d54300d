"""What the tests of the bus on RabbitMQ share: posters, consumers, and a look behind the scenes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from allibe_services.bus.base import Bus, Delivery
from allibe_services.bus.rabbitmq import RabbitMqBus, Topology
from allibe_services.bus.rabbitmq.topology import queue_of
from allibe_services.contracts.commands import Stored
from allibe_services.contracts.errors import AllibeError, Unavailable
from allibe_services.contracts.events import Event, Typing
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.routing import shard_of
from tests.contract.factories_bus import outcome, stored
from tests.support.commands import post

SHARDS = 2
QUEUE = queue_of(shard_of(RoomId("1"), SHARDS))
"""The queue of room 1."""

LIMIT = 1.0
"""Publish time limit in seconds: short, so that tests of it are."""

PATIENT = 10.0
"""The same where all is well, and only the machine may be busy."""


def bus_on(url: str, *, publish_seconds: float = LIMIT, **topology: int) -> RabbitMqBus:
    """Make a bus with few shards and little patience."""
    numbers = replace(Topology(shards=SHARDS), **topology)  # type: ignore[arg-type]
    return RabbitMqBus(url, topology=numbers, publish_seconds=publish_seconds)


class Worker:
    """Consumes all shards: keeps what it acked, first time only, as the log does."""

    def __init__(self, bus: Bus, *, most: int = 500) -> None:
        self.contents: dict[str, list[str]] = {}
        self.handed_over = 0
        self.paused = asyncio.Event()
        self.paused.set()
        self._tasks = [
            asyncio.create_task(self._consume(bus, number, most)) for number in range(bus.shards)
        ]

    def of(self, room: str) -> list[str]:
        return self.contents.get(room, [])

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    async def _consume(self, bus: Bus, number: int, most: int) -> None:
        async for delivery in bus.deliveries(number, most=most):
            await self.paused.wait()
            self._store(delivery)
            await delivery.ack([stored(command) for command in delivery.commands])

    def _store(self, delivery: Delivery) -> None:
        for command in delivery.commands:
            self.handed_over += 1
            log = self.contents.setdefault(command.room_id, [])
            if command.content not in log:
                log.append(command.content)


class Sender:
    """Posts numbered messages to a room, and keeps what became of each."""

    def __init__(self, bus: Bus, room: str) -> None:
        self.room = room
        self.results: dict[str, Stored | AllibeError | None] = {}
        self._bus = bus

    async def send(self, count: int, *, pause: float = 0.0) -> None:
        """Post so many, without waiting for one before the next."""
        futures: dict[str, asyncio.Future[Stored | None]] = {}
        for _ in range(count):
            content = str(len(self.results) + len(futures))
            futures[content] = self._bus.post(post(content, room=self.room))
            await asyncio.sleep(pause)
        for content, future in futures.items():
            self.results[content] = await outcome(future)

    @property
    def confirmed(self) -> list[str]:
        return [content for content, result in self.results.items() if result is None]

    @property
    def errors(self) -> list[AllibeError]:
        return [result for result in self.results.values() if isinstance(result, AllibeError)]

    def of(self, kind: type[AllibeError]) -> list[str]:
        return [content for content, result in self.results.items() if isinstance(result, kind)]


async def duration(work: Any) -> tuple[Any, float]:
    """Return what the work returns, and how long it took in seconds."""
    clock = asyncio.get_running_loop().time
    began = clock()
    return await work, clock() - began


@asynccontextmanager
async def operator(url: str) -> AsyncIterator[AbstractChannel]:
    """A channel of somebody who looks, deletes, or publishes what is none of ours."""
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        yield channel


async def dead_letters(url: str, count: int) -> list[AbstractIncomingMessage]:
    """Return so many dead letters, after waiting for them, and see that there is no other."""
    found: list[AbstractIncomingMessage] = []
    async with operator(url) as channel, asyncio.timeout(10):
        queue = await channel.get_queue("chat.dead")
        while len(found) < count:
            message = await queue.get(no_ack=True, fail=False)
            if message is None:
                await asyncio.sleep(0.02)
            else:
                found.append(message)
        assert await queue.get(no_ack=True, fail=False) is None
    return found


def in_order(contents: list[str]) -> bool:
    """Tell whether numbered messages are in the order in which they were posted."""
    return contents == sorted(contents, key=int)


def typing(room: str = "1") -> list[Event]:
    return [Typing(room_id=RoomId(room), user=UserId("alice"))]


async def until_up(bus: Bus) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                return await bus.ping()
            except Unavailable:
                await asyncio.sleep(0.02)
