"""Consuming a shard: a channel of its own, opened again for as long as somebody wants deliveries.

RabbitMQ gives a shard's messages to one consumer at a time (`x-single-active-consumer`), and what
that one had not acked when its channel went, in order, to the next. So ending means closing the
channel: to cancel the consumer would let the next one begin while this one still holds some, and to
nack them would change their order (RabbitMQ 3.10).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from aiormq import spec
from aiormq.exceptions import ChannelNotFoundEntity

from allibe_services.bus.rabbitmq.calls import Lost, call
from allibe_services.bus.rabbitmq.connection import (
    Channel,
    Link,
    close_channel,
    open_channel,
)
from allibe_services.bus.rabbitmq.dead_letters import DeadLetters
from allibe_services.bus.rabbitmq.intake import Intake, Poison, Portion
from allibe_services.bus.rabbitmq.supervision import Pauses
from allibe_services.bus.rabbitmq.topology import queue_of
from allibe_services.contracts.commands import Outcome, PostMessage

PREFETCH = 32
"""AMQP messages on their way to a consumer: enough to make large transactions of small messages,
few enough that the longest possible ones are 40 MB a shard."""

CONSUME_SECONDS = 10.0

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
"""Seconds between channels that end soon: nothing can be consumed, or not be acked."""

log = structlog.get_logger(__name__)


class ShardDelivery:
    """`Delivery` of commands that came over one channel."""

    def __init__(
        self, portion: Portion, channel: Channel, dead: DeadLetters, *, seconds: float
    ) -> None:
        self.commands: Sequence[PostMessage] = portion.commands
        self.acked = False
        self._tag = portion.tag
        self._channel = channel
        self._dead = dead
        self._seconds = seconds

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        """See `Delivery.ack`. Where the channel is gone meanwhile, the commands come again."""
        self.acked = True
        try:
            await self._dead.rejected(self.commands, outcomes)
            if self._tag is not None:
                await call(
                    self._channel.basic_ack(self._tag, multiple=True, wait=False),
                    seconds=self._seconds,
                )
        except Lost as lost:
            log.info("not_acked", error=str(lost))
            await close_channel(self._channel)  # so that they do come again


class ShardConsumer:
    """Hands over the commands of one shard. `mend` is called when its queue is missing."""

    def __init__(
        self,
        shard: int,
        link: Link,
        dead: DeadLetters,
        mend: Callable[[], None],
        *,
        seconds: float,
    ) -> None:
        self._shard = shard
        self._link = link
        self._dead = dead
        self._mend = mend
        self._seconds = seconds

    async def deliveries(self, most: int) -> AsyncGenerator[ShardDelivery, None]:
        """Hand over what waits, over one channel after the other, until the link is closed."""
        pauses = Pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            pauses.begin()
            try:
                async with self._consuming() as (channel, intake):
                    while delivery := await self._next(channel, intake, most):
                        while not (delivery.acked or intake.has_ended):
                            yield delivery
            except Lost as lost:
                if self._link.is_closed:
                    return
                log.warning("shard_not_consumed", shard=self._shard, error=str(lost))
                if isinstance(lost.__cause__, ChannelNotFoundEntity):
                    self._mend()
            # Never at once: each channel is a delivery of what waits, and these are limited.
            await pauses.rest()

    async def _next(self, channel: Channel, intake: Intake, most: int) -> ShardDelivery | None:
        """Return the next delivery, or None when the channel has ended. Puts poison aside."""
        while isinstance(taken := await intake.next(most), Poison):
            await self._put_aside(taken, channel)
            intake.forget(taken)
        if taken is None:
            return None
        return ShardDelivery(taken, channel, self._dead, seconds=self._seconds)

    async def _put_aside(self, poison: Poison, channel: Channel) -> None:
        await self._dead.undecodable(poison.body, poison.content_type, poison.reason)
        await call(channel.basic_ack(poison.tag, wait=False), seconds=self._seconds)

    @asynccontextmanager
    async def _consuming(self) -> AsyncIterator[tuple[Channel, Intake]]:
        """Consume on a new channel. Raises `Lost`."""
        channel = await open_channel(await self._link.up())
        intake = Intake()

        def ended(_: object) -> None:
            intake.end()

        closing = channel.closing
        closing.add_done_callback(ended)
        channel.on_consumer_cancel_callbacks.add(ended)  # its queue was deleted
        try:
            await call(channel.basic_qos(prefetch_count=PREFETCH), seconds=CONSUME_SECONDS)
            await call(self._consume(channel, intake), seconds=CONSUME_SECONDS)
            yield channel, intake
        finally:
            closing.cancel()
            await close_channel(channel)

    async def _consume(self, channel: Channel, intake: Intake) -> spec.Basic.ConsumeOk:
        return await channel.basic_consume(queue_of(self._shard), intake.on_message)
