"""`DeadLetters` over RabbitMQ: held without an ack, on a connection of an operator's own.

What is not acked comes back when the channel ends, however, and counts as a delivery: `chat.dead`
has a limit that nobody reaches (`topology`). Three things are as they are because of RabbitMQ:

- All are taken that may be, whatever the operator wants to see. What comes back goes behind what
  came back before: to take a part of it each time would turn their order round.
- They are consumed, not got one by one: those come back in no order at all (3.10).
- Acks are sent together, as a transaction. One by one, RabbitMQ would hold those back that come
  after 32 under way, and forget them with the channel. To cancel the consumer first would let what
  is on its way to it go back before the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from aio_pika.exceptions import DeliveryError
from aiormq import spec
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import ChannelLockedResource, ChannelNotFoundEntity
from yarl import URL

from allibe_services.bus.dead_letters import MOST_LETTERS, DeadLetter
from allibe_services.bus.rabbitmq.calls import Lost, call
from allibe_services.bus.rabbitmq.connection import (
    Channel,
    Connection,
    close_channel,
    connected,
    open_channel,
)
from allibe_services.bus.rabbitmq.letters import letter_of, original_key
from allibe_services.bus.rabbitmq.publishing import PERSISTENT
from allibe_services.bus.rabbitmq.topology import COMMANDS, DEAD
from allibe_services.contracts.errors import BusUnavailable, Conflict

OPERATOR = "chat.dead.operator"
"""An exclusive queue: whoever has it is the one operator, until his connection ends."""

CALL_SECONDS = 10.0

ARRIVAL_SECONDS = 10.0
"""Longest pause between two dead letters; the largest are 4 MB."""

RETURN_SECONDS = 10.0
"""Longest wait for what goes back to be there again."""

LOOK_SECONDS = 0.05


class NoDeadLetters(ValueError):
    """RabbitMQ has no queue of dead letters."""


@asynccontextmanager
async def hold_dead_letters(url: str, *, seconds: float) -> AsyncIterator["HeldLetters"]:
    """Hold all dead letters until the end; a replay is confirmed within so many seconds.

    Raises `BusUnavailable`, `Conflict` while another operator has them, and `NoDeadLetters`.
    """
    address = _address(url)
    try:
        async with (
            connected(address, "allibe dead letters") as connection,
            # RabbitMQ may block what publishes, and acks with it.
            connected(address, "allibe replay") as replaying,
            _only_operator(connection),
        ):
            waiting = await _ready(connection)
            publishing = await open_channel(replaying, confirms=True)
            async with _Holding(connection, min(waiting, MOST_LETTERS)) as holding:
                yield HeldLetters(waiting, holding, publishing, seconds=seconds)
    except Lost as lost:
        raise _unavailable(lost) from None


class HeldLetters:
    """`DeadLetters` that came over one channel."""

    def __init__(
        self, waiting: int, holding: "_Holding", publishing: Channel, *, seconds: float
    ) -> None:
        self.waiting = waiting
        self.letters: Sequence[DeadLetter] = [
            letter_of(message, position) for position, message in enumerate(holding.messages, 1)
        ]
        self._holding = holding
        self._publishing = publishing
        self._seconds = seconds

    async def replay(self, letter: DeadLetter) -> bool:
        """See `DeadLetters.replay`. No header goes along: the account of its deaths begins anew."""
        message = self._holding.messages[letter.position - 1]
        publish = self._publishing.basic_publish(
            message.body,
            exchange=COMMANDS,
            routing_key=original_key(message.routing_key or "", letter),
            properties=spec.Basic.Properties(
                content_type=message.header.properties.content_type, delivery_mode=PERSISTENT
            ),
            mandatory=True,
        )
        try:
            await call(publish, seconds=self._seconds)
        except DeliveryError:
            return False
        except Lost as lost:
            raise _unavailable(lost) from None
        await self._holding.ack(message)
        return True

    async def drop(self, letter: DeadLetter) -> None:
        """See `DeadLetters.drop`."""
        await self._holding.ack(self._holding.messages[letter.position - 1])


def _address(url: str) -> URL:
    try:
        return URL(url)
    except ValueError:  # whose text may hold the password
        raise ValueError("ALLIBE_BUS_URL: not a URL") from None


def _unavailable(lost: Lost) -> BusUnavailable:
    return BusUnavailable(f"ALLIBE_BUS_URL: RabbitMQ is away, or went away: {lost}")


class _Holding:
    """Dead letters on a channel, until the end of the context. Raises `Lost`."""

    def __init__(self, connection: Connection, count: int) -> None:
        self.messages: list[DeliveredMessage] = []
        self._connection = connection
        self._count = count
        self._acked = 0
        self._arrived = asyncio.Event()

    async def __aenter__(self) -> "_Holding":
        self._channel = await open_channel(self._connection)
        self._channel.closing.add_done_callback(lambda _: self._arrived.set())
        await call(self._channel.basic_qos(prefetch_count=MOST_LETTERS), seconds=CALL_SECONDS)
        await call(self._channel.tx_select(), seconds=CALL_SECONDS)
        await call(self._consume(), seconds=CALL_SECONDS)
        while len(self.messages) < self._count:
            self._arrived.clear()
            await call(self._arrived.wait(), seconds=ARRIVAL_SECONDS)
            if self._channel.is_closed:
                raise Lost("the channel was closed")
        return self

    async def __aexit__(self, *_: object) -> None:
        await call(self._channel.tx_commit(), seconds=CALL_SECONDS)
        await close_channel(self._channel)
        with suppress(Lost):
            await call(self._returned(), seconds=RETURN_SECONDS)

    async def _returned(self) -> None:
        """Return once they are back, for who looks next. Where the queue is full, some are not."""
        while True:
            if await _ready(self._connection) >= self._count - self._acked:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def ack(self, message: DeliveredMessage) -> None:
        """Let RabbitMQ forget one, at the end of the context."""
        tag = message.delivery_tag or 0
        try:
            await call(self._channel.basic_ack(tag), seconds=CALL_SECONDS)
        except Lost as lost:
            raise _unavailable(lost) from None
        self._acked += 1

    async def _consume(self) -> spec.Basic.ConsumeOk:
        return await self._channel.basic_consume(DEAD, self._on_message)

    async def _on_message(self, message: DeliveredMessage) -> None:
        if len(self.messages) < self._count:  # what died meanwhile is for the next operator
            self.messages.append(message)
            self._arrived.set()


@asynccontextmanager
async def _only_operator(connection: Connection) -> AsyncIterator[None]:
    """Keep other operators out. Raises `Conflict`, `Lost`."""
    channel = await open_channel(connection)
    declare = channel.queue_declare(OPERATOR, exclusive=True)
    try:
        await call(declare, seconds=CALL_SECONDS)
    except Lost as lost:
        if isinstance(lost.__cause__, ChannelLockedResource):
            raise Conflict("Somebody else has the dead letters now; try again later.") from None
        raise
    try:
        yield
    finally:
        with suppress(Lost):  # it ends with the connection, too, a moment later
            await call(channel.queue_delete(OPERATOR), seconds=CALL_SECONDS)


async def _ready(connection: Connection) -> int:
    """Return how many dead letters nobody holds. Raises `NoDeadLetters`, `Lost`."""
    channel = await open_channel(connection)
    try:
        declared = await call(channel.queue_declare(DEAD, passive=True), seconds=CALL_SECONDS)
    except Lost as lost:
        if isinstance(lost.__cause__, ChannelNotFoundEntity):
            raise NoDeadLetters(
                f"ALLIBE_BUS_URL: RabbitMQ has no queue {DEAD}; is it the right virtual host?"
            ) from None
        raise
    else:
        return declared.message_count or 0
    finally:
        await close_channel(channel)
