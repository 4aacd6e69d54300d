"""Posting: one lane per shard, with one publish in flight; what arrives meanwhile goes next.

That is what makes the throughput (DESIGN §1): a busy lane sends hundreds of commands with one
publish, one confirm and one write to disk, an idle one sends each at once.

Order (I4): a lane sends in the order in which commands came, also over a reconnect. What was in
flight when the connection went is sent again, while its senders still wait: what arrives twice is
stored once. Only after a refusal (the shard is full) do later ones go on without those refused.
"""

import asyncio
import random
from collections.abc import Sequence

import structlog
from aio_pika.exceptions import DeliveryError, PublishError
from pamqp.common import FieldValue

from allibe_services import tracing
from allibe_services.bus.line import Line, Space, Tell, Waiting
from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.calls import Lost
from allibe_services.bus.rabbitmq.connection import Channel, Link
from allibe_services.bus.rabbitmq.publishing import Publishing
from allibe_services.bus.rabbitmq.supervision import side_by_side
from allibe_services.bus.rabbitmq.topology import COMMANDS
from allibe_services.contracts.commands import PostMessage, Rejected, Stored
from allibe_services.contracts.errors import (
    AllibeError,
    BusUnavailable,
    NotConfirmed,
    Overloaded,
    ShuttingDown,
)
from allibe_services.contracts.routing import command_key, shard_of

BATCH = 500
"""Most commands in an AMQP message: a worker's transaction (DELIVERY_BYTES bounds it as well)."""

SEVERAL_ROOMS = "+"
"""Stands for the room in the routing key of a batch of several rooms; it is no room id."""

RETRY_AFTER_MS = 1000

GIVE_UP_FACTOR = 2.0
"""A connection on which a publish waits for its confirm for so many publish time limits is given
up. The senders have been told after one."""

SHORTEST_GIVE_UP = 1.0
"""Seconds; a broker that is busy is no reason to connect again."""

PAUSE = 0.05
"""Seconds between tries of a channel that does not open."""

log = structlog.get_logger(__name__)


class Lanes:
    """Takes commands for all shards."""

    def __init__(
        self,
        shards: int,
        publishing: Publishing,
        link: Link,
        *,
        space: Space,
        patience: float,
        tell: Tell,
    ) -> None:
        self._link = link
        self._closed = False
        give_up = max(GIVE_UP_FACTOR * patience, SHORTEST_GIVE_UP)
        self._lanes = [
            _Lane(
                shard,
                shards,
                Line(space, patience=patience, withdrawn=self._withdrawn, tell=tell),
                publishing,
                link,
                give_up,
            )
            for shard in range(shards)
        ]

    def post(self, command: PostMessage) -> "asyncio.Future[Stored | None]":
        """Put a command into its lane: see `Bus.post`."""
        waiting = Waiting(command)
        if tracing.current is not None:
            tracing.current.posted(command, waiting.future)
        lane = self._lanes[shard_of(command.room_id, len(self._lanes))]
        if self._closed:
            lane.line.refuse(waiting, ShuttingDown())
        elif not lane.line.add(waiting):
            lane.line.refuse(waiting, Overloaded(retry_after_ms=RETRY_AFTER_MS))
        return waiting.future

    @property
    def length(self) -> int:
        """How many commands are still to be sent."""
        return sum(lane.line.length for lane in self._lanes)

    async def run(self) -> None:
        """Send until cancelled."""
        await side_by_side(*(lane.run() for lane in self._lanes))

    def close(self) -> None:
        """Refuse what comes, and end what waits."""
        self._closed = True
        for lane in self._lanes:
            lane.line.close()

    def _withdrawn(self) -> AllibeError:
        """Say why a command was not even sent in time."""
        if not self._link.is_up or self._link.is_blocked():
            return BusUnavailable(retry_after_ms=RETRY_AFTER_MS)
        return NotConfirmed(retry_after_ms=RETRY_AFTER_MS)


class _Lane:
    """One shard's commands on their way to the broker."""

    def __init__(
        self,
        shard: int,
        shards: int,
        line: Line,
        publishing: Publishing,
        link: Link,
        give_up: float,
    ) -> None:
        self.shard = shard
        self.line = line
        self._shards = shards
        self._publishing = publishing
        self._link = link
        self._give_up = give_up

    async def run(self) -> None:
        """Send what waits, batch by batch, until cancelled."""
        while True:
            await self.line.arrived()
            try:
                await self._send_one_batch(await self._publishing.channel())
            except Lost as lost:
                log.debug("batch_lost", shard=self.shard, error=str(lost))
                await asyncio.sleep(PAUSE * random.uniform(0.5, 1.0))  # noqa: S311

    async def _send_one_batch(self, channel: Channel) -> None:
        self.line.forget_late()
        batch = self.line.take(BATCH)
        if not batch:
            return
        try:
            body = codec.encode([waiting.command for waiting in batch])
        except UnicodeEncodeError:
            self.line.sort_out(_is_unencodable, Rejected("invalid_content", "It is no text."))
            return
        headers = None
        if tracing.current is not None:
            headers = tracing.current.headers([waiting.command for waiting in batch])
        try:
            await self._publish(channel, body, self._key(batch), headers)
        except PublishError:
            log.warning("commands_returned", shard=self.shard, count=len(batch))
            self.line.fail(lambda: BusUnavailable(retry_after_ms=RETRY_AFTER_MS))
        except DeliveryError:
            log.warning("commands_refused", shard=self.shard, count=len(batch))
            self.line.fail(lambda: Overloaded(retry_after_ms=RETRY_AFTER_MS))
        else:
            self.line.settle([None] * len(batch))

    async def _publish(
        self, channel: Channel, body: bytes, key: str, headers: dict[str, FieldValue] | None
    ) -> None:
        try:
            await self._publishing.publish(
                channel,
                body,
                exchange=COMMANDS,
                key=key,
                content_type=codec.COMMANDS,
                durable=True,
                headers=headers,
                seconds=self._give_up,
            )
        except Lost as lost:
            if isinstance(lost.__cause__, TimeoutError) and not self._link.is_blocked():
                self._link.drop(f"no confirm within {self._give_up:g} s")
            raise

    def _key(self, batch: Sequence[Waiting]) -> str:
        room_id = batch[0].command.room_id
        if any(waiting.command.room_id != room_id for waiting in batch):
            return f"{self.shard}.{SEVERAL_ROOMS}"
        return command_key(room_id, self._shards)


def _is_unencodable(waiting: Waiting) -> bool:
    try:
        codec.encode([waiting.command])
    except UnicodeEncodeError:
        return True
    return False
