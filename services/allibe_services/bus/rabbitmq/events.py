"""Publishing events: a batch is one AMQP message that is routed by all of its keys.

RabbitMQ takes more routing keys from the header `BCC` ("sender-selected distribution"), delivers
the message once to each queue that is bound to any of them, and takes the header off. A listener
gets events under keys that it has not bound, and drops them (I6). Why: docs/decisions/0007.

Events are transient: one that is lost is found by its offset, and read from the log.
"""

import asyncio
from collections.abc import Iterator, Sequence

from aio_pika.exceptions import DeliveryError
from pamqp.common import FieldValue

from allibe_services import tracing
from allibe_services.bus.base import DELIVERY_BYTES
from allibe_services.bus.line import utf8_bytes
from allibe_services.bus.rabbitmq import codec
from allibe_services.bus.rabbitmq.calls import Lost
from allibe_services.bus.rabbitmq.connection import Channel
from allibe_services.bus.rabbitmq.publishing import Publishing
from allibe_services.bus.rabbitmq.topology import EVENTS
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.contracts.events import Event, Notification, RoomChanged, key_of
from allibe_services.contracts.messages import Message

KEY_BYTES = 64 << 10
"""Most bytes of keys in an AMQP message: its headers have to fit in one frame, of 128 KiB."""

PAUSE = 0.05
"""Seconds between tries while there is no channel."""

RETRY_AFTER_MS = 1000


class EventPublisher:
    """Publishes events within a time limit, in seconds."""

    def __init__(self, publishing: Publishing, *, seconds: float) -> None:
        self._publishing = publishing
        self._seconds = seconds

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when the broker has them all: see `Bus.publish`."""
        try:
            async with asyncio.timeout(self._seconds):
                channel = await self._channel()
                await self._publish_all(channel, events)
        except (TimeoutError, Lost, DeliveryError) as error:
            raise BusUnavailable(retry_after_ms=RETRY_AFTER_MS) from error

    async def _channel(self) -> Channel:
        while True:
            try:
                return await self._publishing.channel()
            except Lost:
                await asyncio.sleep(PAUSE)

    async def _publish_all(self, channel: Channel, events: Sequence[Event]) -> None:
        # aiormq sends in the order in which they are started: they wait in line for its lock.
        publishes = [self._publish(channel, keys, part) for keys, part in batches(events)]
        results = await asyncio.gather(*publishes, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _publish(self, channel: Channel, keys: list[str], events: list[Event]) -> None:
        key, *others = keys
        headers: dict[str, FieldValue] = {"BCC": list(others)} if others else {}
        if tracing.current is not None:
            headers |= tracing.current.headers(events)
        await self._publishing.publish(
            channel,
            codec.encode(events),
            exchange=EVENTS,
            key=key,
            content_type=codec.EVENTS,
            durable=False,
            headers=headers or None,
            seconds=self._seconds,
        )


def batches(events: Sequence[Event]) -> Iterator[tuple[list[str], list[Event]]]:
    """Cut events into lists that fit an AMQP message, in order, each with its keys."""
    keys: dict[str, None] = {}
    batch: list[Event] = []
    key_bytes = content = 0
    for event in events:
        key = key_of(event)
        size = _content_bytes(event)
        if batch and (key_bytes + len(key) > KEY_BYTES or content + size > DELIVERY_BYTES):
            yield list(keys), batch
            keys, batch, key_bytes, content = {}, [], 0, 0
        if key not in keys:
            keys[key] = None
            key_bytes += len(key)
        batch.append(event)
        content += size
    if batch:
        yield list(keys), batch


def _content_bytes(event: Event) -> int:
    if isinstance(event, RoomChanged):
        return utf8_bytes(event.last_message or "")
    message = event.message if isinstance(event, Notification) else event
    return utf8_bytes(message.content) if isinstance(message, Message) else 0
