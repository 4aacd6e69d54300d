"""`Bus` over RabbitMQ: what it consists of, started and stopped.

Two connections: one to publish, one to consume. When RabbitMQ is short of memory or disk it stops
reading from connections that publish, and nothing else on those goes on either.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from types import TracebackType
from typing import Self

import structlog

from allibe_services.bus.base import EventHandler
from allibe_services.bus.line import (
    HELD_BYTES,
    PUBLISH_SECONDS,
    WAITING_COMMANDS,
    Space,
    Tell,
    nobody,
)
from allibe_services.bus.rabbitmq.calls import Lost
from allibe_services.bus.rabbitmq.connection import Link
from allibe_services.bus.rabbitmq.dead_letters import DeadLetters
from allibe_services.bus.rabbitmq.deliveries import ShardConsumer, ShardDelivery
from allibe_services.bus.rabbitmq.events import EventPublisher
from allibe_services.bus.rabbitmq.lanes import RETRY_AFTER_MS, Lanes
from allibe_services.bus.rabbitmq.listening import RabbitMqListening
from allibe_services.bus.rabbitmq.publishing import Publishing
from allibe_services.bus.rabbitmq.supervision import for_ever
from allibe_services.bus.rabbitmq.topology import DEAD, Topology, queue_lengths, queue_of
from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.errors import BusUnavailable, ShuttingDown
from allibe_services.contracts.events import Event

OPEN_SECONDS = 15.0
"""How long opening waits for RabbitMQ. It goes on without: the process is unready until then."""

CLOSE_SECONDS = 5.0

MEND_SECONDS = 1.0
"""Pause between repairs of what somebody has deleted."""

log = structlog.get_logger(__name__)


class RabbitMqBus:
    """`Bus` over RabbitMQ. Use as an async context manager."""

    def __init__(
        self,
        url: str,
        *,
        topology: Topology | None = None,
        publish_seconds: float = PUBLISH_SECONDS,
        most_waiting: int = WAITING_COMMANDS,
        most_bytes: int = HELD_BYTES,
        tell: Tell = nobody,
    ) -> None:
        self._topology = topology or Topology()
        self._seconds = publish_seconds
        self._publishing = Link(url, "allibe publishing", self._topology.declare)
        self._consuming = Link(url, "allibe consuming", self._topology.declare)
        self._missing = asyncio.Event()
        # A channel each: what closes one leaves the others alone.
        self._dead = Publishing(self._publishing, self._mend)
        self._events = EventPublisher(
            Publishing(self._publishing, self._mend), seconds=publish_seconds
        )
        self._lanes = Lanes(
            self.shards,
            Publishing(self._publishing, self._mend),
            self._publishing,
            space=Space(most_waiting, most_bytes),
            patience=publish_seconds,
            tell=tell,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._listenings: set[RabbitMqListening] = set()
        self._closed = False

    @property
    def shards(self) -> int:
        return self._topology.shards

    @property
    def publishes(self) -> bool:
        """Whether there is a connection to publish over; it may be blocked."""
        return self._publishing.is_up

    @property
    def consumes(self) -> bool:
        """Whether there is a connection to consume over."""
        return self._consuming.is_up

    @property
    def is_blocked(self) -> bool:
        """Whether RabbitMQ takes no publishes for now: it is short of memory or disk."""
        return self._publishing.is_blocked()

    @property
    def posts_waiting(self) -> int:
        """How many commands are still to be sent."""
        return self._lanes.length

    async def open(self) -> None:
        """Connect. Raises `DifferentDeployment` where RabbitMQ has a topology of other numbers.

        Where RabbitMQ is away it returns after a while, and the bus goes on trying.
        """
        for name, work in (
            ("publishing", self._publishing.run),
            ("consuming", self._consuming.run),
            ("lanes", self._lanes.run),
            ("mending", self._mend_on_demand),
        ):
            self._tasks.append(asyncio.create_task(for_ever(name, work), name=f"bus-{name}"))
        try:
            await self._connected()
        except BaseException:
            await self.close()
            raise

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def post(self, command: PostMessage) -> "asyncio.Future[Stored | None]":
        return self._lanes.post(command)

    def deliveries(self, shard: int, *, most: int) -> AsyncGenerator[ShardDelivery, None]:
        if not 0 <= shard < self.shards:
            raise ValueError(f"shard {shard}: there are {self.shards}, from 0")
        dead = DeadLetters(self._dead, shard, seconds=self._seconds)
        consumer = ShardConsumer(shard, self._consuming, dead, self._mend, seconds=self._seconds)
        return consumer.deliveries(most)

    async def lengths(self, shards: Collection[int]) -> dict[int, int]:
        lengths = await self._lengths_of([queue_of(shard) for shard in shards])
        return dict(zip(shards, lengths, strict=True))

    async def dead_letters(self) -> int:
        (length,) = await self._lengths_of([DEAD])
        return length

    async def publish(self, events: Sequence[Event]) -> None:
        if self._closed:
            raise ShuttingDown
        if events:
            await self._events.publish(events)

    async def listen(self, handler: EventHandler) -> RabbitMqListening:
        self._listenings = {one for one in self._listenings if not one.closed}
        listening = RabbitMqListening(handler, self._consuming, seconds=self._seconds)
        await listening.open()
        self._listenings.add(listening)
        return listening

    async def ping(self) -> None:
        if self._closed:
            raise ShuttingDown
        if not self._consuming.is_up or not self._publishing.is_up or self._publishing.is_blocked():
            raise BusUnavailable(retry_after_ms=RETRY_AFTER_MS)

    async def close(self) -> None:
        self._closed = True
        self._lanes.close()
        for listening in tuple(self._listenings):
            await listening.close()
        self._publishing.close()
        self._consuming.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
            for task in stuck:
                log.error("bus_task_does_not_end", task=task.get_name())

    async def _lengths_of(self, queues: Sequence[str]) -> list[int]:
        try:
            async with asyncio.timeout(self._seconds):
                connection = await self._consuming.up()
                return await queue_lengths(connection, queues, seconds=self._seconds)
        except (Lost, TimeoutError):
            raise BusUnavailable(retry_after_ms=RETRY_AFTER_MS) from None

    async def _connected(self) -> None:
        done, missing = await asyncio.wait(
            [self._publishing.first, self._consuming.first],
            timeout=OPEN_SECONDS,
            return_when=asyncio.FIRST_EXCEPTION,
        )
        for first in done:
            first.result()
        if missing:
            log.warning("bus_opened_without_rabbitmq")

    def _mend(self) -> None:
        """Declare the topology again soon: something of it is missing."""
        self._missing.set()

    async def _mend_on_demand(self) -> None:
        # Over the connection that consumes: the other one may be blocked.
        while True:
            await self._missing.wait()
            self._missing.clear()
            try:
                await self._topology.declare(await self._consuming.up())
                log.warning("topology_declared_again")
            except Lost:
                self._missing.set()  # the connection went meanwhile
            await asyncio.sleep(MEND_SECONDS)
