"""Listening: a queue of its own for a handler, made anew whenever it was lost.

The queue is exclusive and goes with its connection. It is bounded: when the handler's process does
not keep up, the oldest events are dropped. That cannot be seen here; who follows a room finds the
gap by offset, or at the comparison with the log that comes every half minute.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from functools import partial

import structlog
from aiormq.abc import DeliveredMessage
from uuid_utils import uuid4

from allibe_services import tracing
from allibe_services.bus.base import EventHandler
from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.bindings import Bindings
from allibe_services.bus.rabbitmq.calls import Lost, call
from allibe_services.bus.rabbitmq.connection import (
    Channel,
    Connection,
    Link,
    close_channel,
    open_channel,
)
from allibe_services.bus.rabbitmq.supervision import Pauses, side_by_side
from allibe_services.bus.rabbitmq.topology import EVENTS
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.contracts.events import Event, key_of

QUEUE_BYTES = 64 << 20
"""Most bytes that wait for a listener: seconds of a busy gateway."""

PREFETCH = 1000
"""AMQP messages on their way: without a bound RabbitMQ would hold all of them outside the queue."""

BINDERS = 8
"""Channels that bindings are made over: 3,300 a second, against 2,000 over one."""

SETUP_SECONDS = 10.0

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
"""Seconds between tries to make the queue."""

RETRY_AFTER_MS = 1000

log = structlog.get_logger(__name__)


class RabbitMqListening:
    """`Listening` over RabbitMQ. `run` has to run; calls end within `seconds`."""

    def __init__(self, handler: EventHandler, link: Link, *, seconds: float) -> None:
        self._handler = handler
        self._link = link
        self._seconds = seconds
        self._bindings = Bindings()
        self._made = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.closed = False
        """Whether nothing is handed to the handler any more."""

    async def open(self) -> None:
        """Return when there is a queue. Raises `BusUnavailable` when there is none in time."""
        self._task = asyncio.create_task(self._run(), name="listening")
        try:
            async with asyncio.timeout(self._seconds):
                await self._made.wait()
        except TimeoutError:
            raise BusUnavailable(retry_after_ms=RETRY_AFTER_MS) from None
        finally:
            if not self._made.is_set():
                await self.close()

    async def bind(self, keys: Collection[str]) -> None:
        """See `Listening.bind`."""
        await self._within_limit(self._bindings.want(keys))

    async def unbind(self, keys: Collection[str]) -> None:
        """See `Listening.unbind`."""
        await self._within_limit(self._bindings.drop(keys))

    async def close(self) -> None:
        """See `Listening.close`."""
        self.closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _within_limit(self, work: Coroutine[None, None, None]) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await work
        except TimeoutError:
            raise BusUnavailable(retry_after_ms=RETRY_AFTER_MS) from None

    async def _run(self) -> None:
        """Have a queue, one after the other, until cancelled."""
        pauses = Pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            pauses.begin()
            try:
                await self._live()
            except Lost as lost:
                log.info("listening_interrupted", error=str(lost))
            except Exception:
                log.exception("listening_failed")
            await pauses.rest()

    async def _live(self) -> None:
        """Have one queue, and raise when it is gone."""
        connection = await self._link.up()
        async with _channels(connection, BINDERS + 1) as (consuming, *binding):
            queue = f"{EVENTS}.{uuid4()}"
            await call(_declare(consuming, queue), seconds=SETUP_SECONDS)
            acks = _Acks(consuming)
            try:
                self._bindings.attach()
                await self._consume(consuming, queue, acks)
                await side_by_side(
                    *(self._bindings.work(channel, queue) for channel in binding),
                    acks.run(),
                    _until_closed(consuming),
                    self._begin(),
                )
            finally:
                self._bindings.detach()

    async def _consume(self, channel: Channel, queue: str, acks: "_Acks") -> None:
        async def on_message(message: DeliveredMessage) -> None:
            self._dispatch(message)
            acks.add(message.delivery_tag or 0)

        await call(channel.basic_qos(prefetch_count=PREFETCH), seconds=SETUP_SECONDS)
        await call(channel.basic_consume(queue, on_message), seconds=SETUP_SECONDS)

    async def _begin(self) -> None:
        """Wait for all bindings, and say so: for the first time, or after some time without."""
        await self._bindings.restore()
        if self._made.is_set():
            log.info("listening_restored", keys=len(self._bindings.wanted))
            self._guarded(self._handler.on_doubt)
        self._made.set()

    def _dispatch(self, message: DeliveredMessage) -> None:
        try:
            content_type = message.header.properties.content_type
            events = codec.decode_events(message.body, content_type)
        except codec.Undecodable as error:
            # Of a newer version, most likely, in the middle of a rolling upgrade.
            log.warning("undecodable_events", reason=str(error))
            self._guarded(self._handler.on_doubt)
            return
        if tracing.current is not None:
            tracing.current.take(message.header.properties.headers)
        wanted = self._bindings.wanted
        ours: list[Event] = [event for event in events if key_of(event) in wanted]
        if ours and not self.closed:
            self._guarded(partial(self._handler.on_events, ours))

    def _guarded(self, tell: Callable[[], None]) -> None:
        """Tell the handler something; its faults harm nobody."""
        try:
            tell()
        except Exception:
            log.exception("event_handler_failed")


class _Acks:
    """Acks what was dispatched: one call for all that came while the last was under way."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._tag = 0
        self._changed = asyncio.Event()

    def add(self, tag: int) -> None:
        self._tag = tag
        self._changed.set()

    async def run(self) -> None:
        """Ack until cancelled. Raises `Lost`."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await call(
                self._channel.basic_ack(self._tag, multiple=True, wait=False),
                seconds=SETUP_SECONDS,
            )


@asynccontextmanager
async def _channels(connection: Connection, count: int) -> AsyncIterator[list[Channel]]:
    """Open channels, all at once; close them. Raises `Lost`."""
    opened = await asyncio.gather(
        *(open_channel(connection) for _ in range(count)), return_exceptions=True
    )
    channels = [channel for channel in opened if not isinstance(channel, BaseException)]
    try:
        for error in opened:
            if isinstance(error, BaseException):
                raise error
        yield channels
    finally:
        await asyncio.gather(*(close_channel(channel) for channel in channels))


async def _declare(channel: Channel, queue: str) -> None:
    await channel.queue_declare(
        queue,
        exclusive=True,
        auto_delete=True,
        arguments={"x-max-length-bytes": QUEUE_BYTES, "x-overflow": "drop-head"},
    )


async def _until_closed(channel: Channel) -> None:
    """Raise `Lost` when the channel is closed, or its consumer cancelled by the broker."""
    ended = asyncio.Event()
    channel.on_consumer_cancel_callbacks.add(lambda _: ended.set())
    closing = channel.closing
    closing.add_done_callback(lambda _: ended.set())
    try:
        await ended.wait()
    finally:
        closing.cancel()
    raise Lost("the queue or its channel is gone")
