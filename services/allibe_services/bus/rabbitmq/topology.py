"""Exchanges and queues, as DESIGN §1 has them; declared by every process, at every connect.

chat.commands (topic)  --<n>.#-->  chat.commands.<n>   quorum, one active consumer, bounded
chat.events   (topic)  --keys--->  chat.events.<id>    exclusive, bounded, one per listener
chat.dead     (topic)  --#------>  chat.dead           what nobody can process, for people

All names begin with `chat.`, so that a RabbitMQ user needs no other permissions.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from aio_pika.exceptions import ChannelPreconditionFailed
from pamqp.common import FieldValue

from allibe_services.bus.rabbitmq.calls import Lost, call
from allibe_services.bus.rabbitmq.connection import (
    Channel,
    Connection,
    close_channel,
    open_channel,
)

COMMANDS = "chat.commands"
EVENTS = "chat.events"
DEAD = "chat.dead"
DEPLOYMENT = "chat.deployment"

SHARDS = 16
"""Of 8, 16 and 64, 16 gave the most over 100 rooms and little less than 8 over 1,000 (DESIGN §1):
more shards make smaller batches."""

SHARD_BYTES = 256 << 20
"""Most bytes that wait in a shard's queue, on disk: a minute without a database at 10,000 long
messages a second over 16 shards. Beyond, senders are told to try again later."""

DEAD_BYTES = 256 << 20
"""Most bytes of dead letters; the oldest go first."""

DEAD_LOOKS = 1_000_000_000
"""How often people may look at a dead letter: each look is a delivery without an ack. RabbitMQ 4
would forget it after 20; its -1, for always, lets 3.10 forget it after the first."""

DELIVERY_LIMIT = 1000
"""Deliveries without an ack before a command is put aside.

What we cannot read is put aside at once; this is for what ends its worker each time. Up to
RabbitMQ 4.2 each lost connection counts as well, and a command whose database was away while the
network flapped must not be lost to its room: rather a shard that stands still and is seen.
"""

DECLARE_SECONDS = 30.0
"""For each declaration: a quorum queue that is new on a busy cluster takes a second."""

log = structlog.get_logger(__name__)


class DifferentDeployment(ValueError):
    """What is there was declared with other numbers; people have to decide."""


@dataclass(frozen=True)
class Topology:
    """What a deployment consists of. The numbers are fixed for its life."""

    shards: int = SHARDS
    shard_bytes: int = SHARD_BYTES
    delivery_limit: int = DELIVERY_LIMIT
    _declaring: asyncio.Lock = field(default_factory=asyncio.Lock, compare=False, repr=False)

    async def declare(self, connection: Connection) -> None:
        """Make sure that it is all there. Raises `Lost`, `DifferentDeployment`."""
        async with self._declaring:
            await _dead_queue(connection)
            channel = await open_channel(connection)
            try:
                await self._declare(channel)
            except Lost as lost:
                if isinstance(lost.__cause__, ChannelPreconditionFailed):
                    raise DifferentDeployment(_explained(lost.__cause__)) from None
                raise
            await call(channel.close(), seconds=DECLARE_SECONDS)

    async def _declare(self, channel: Channel) -> None:
        await _exchange(channel, COMMANDS)
        await _exchange(channel, EVENTS)
        await _exchange(channel, DEAD)
        # The number of shards is in no argument of what they are made of. The alternate exchange
        # is the one argument of an exchange that RabbitMQ compares.
        marker: dict[str, FieldValue] = {"alternate-exchange": f"chat.shards.{self.shards}"}
        await call(
            channel.exchange_declare(
                DEPLOYMENT, exchange_type="topic", durable=True, internal=True, arguments=marker
            ),
            seconds=DECLARE_SECONDS,
        )
        await _bind(channel, DEAD, DEAD, "#")
        for shard in range(self.shards):
            await _queue(channel, queue_of(shard), self._shard_arguments())
            await _bind(channel, queue_of(shard), COMMANDS, f"{shard}.#")

    def _shard_arguments(self) -> dict[str, FieldValue]:
        return {
            "x-single-active-consumer": True,
            "x-max-length-bytes": self.shard_bytes,
            "x-overflow": "reject-publish",
            "x-delivery-limit": self.delivery_limit,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-strategy": "at-least-once",  # needs reject-publish
        }


def queue_of(shard: int) -> str:
    """Return the name of a shard's queue."""
    return f"{COMMANDS}.{shard}"


async def queue_lengths(
    connection: Connection, queues: Sequence[str], *, seconds: float
) -> list[int]:
    """Return how many AMQP messages wait in each of the queues, those handed over excluded.

    Raises `Lost`, also where a queue is missing.
    """
    channel = await open_channel(connection)
    try:
        found = []
        for queue in queues:
            asked = channel.queue_declare(queue, passive=True)
            found.append((await call(asked, seconds=seconds)).message_count or 0)
        return found
    finally:
        await close_channel(channel)


async def _exchange(channel: Channel, name: str) -> None:
    declared = channel.exchange_declare(name, exchange_type="topic", durable=True)
    await call(declared, seconds=DECLARE_SECONDS)


async def _queue(channel: Channel, name: str, arguments: dict[str, FieldValue]) -> None:
    declared = channel.queue_declare(
        name, durable=True, arguments={"x-queue-type": "quorum", **arguments}
    )
    await call(declared, seconds=DECLARE_SECONDS)


async def _dead_queue(connection: Connection) -> None:
    """Make sure that there is one; another version's will do. Raises `Lost`."""
    channel = await open_channel(connection)
    arguments: dict[str, FieldValue] = {
        "x-max-length-bytes": DEAD_BYTES,
        "x-overflow": "drop-head",
        "x-delivery-limit": DEAD_LOOKS,
    }
    try:
        await _queue(channel, DEAD, arguments)
    except Lost as lost:
        if not isinstance(lost.__cause__, ChannelPreconditionFailed):
            raise
        log.warning("dead_letter_queue_of_another_version", queue=DEAD)
    finally:
        await close_channel(channel)


async def _bind(channel: Channel, queue: str, exchange: str, key: str) -> None:
    await call(channel.queue_bind(queue, exchange, key), seconds=DECLARE_SECONDS)


def _explained(error: BaseException) -> str:
    return (
        "ALLIBE_BUS_URL: what RabbitMQ has there was declared with other numbers; they are fixed"
        f" for the life of a deployment (ALLIBE_SHARDS, ALLIBE_SHARD_BYTES). It says: {error}"
    )
