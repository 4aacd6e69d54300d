"""A channel to publish through, for as long as there is a connection that takes publishes."""

import asyncio
from collections.abc import Callable

from aio_pika.exceptions import PublishError
from aiormq import spec
from aiormq.exceptions import ChannelNotFoundEntity
from pamqp.common import FieldValue

from allibe_services.bus.rabbitmq.calls import Lost, call
from allibe_services.bus.rabbitmq.connection import Channel, Connection, Link, open_channel

PERSISTENT = 2
TRANSIENT = 1


class Publishing:
    """Publishes with confirms on a channel of its own, which is opened again when it is closed.

    `mend` is called when an exchange or queue turns out to be missing.
    """

    def __init__(self, link: Link, mend: Callable[[], None]) -> None:
        self._link = link
        self._mend = mend
        self._opening = asyncio.Lock()
        self._connection: Connection | None = None
        self._channel: Channel | None = None

    async def channel(self) -> Channel:
        """Return the channel as soon as publishes are taken. Raises `Lost`: try again."""
        async with self._opening:
            connection = await self._link.flowing()
            if self._channel is None or self._channel.is_closed or connection != self._connection:
                self._channel = None
                self._channel = await open_channel(connection, confirms=True)
                self._connection = connection
            return self._channel

    async def publish(
        self,
        channel: Channel,
        body: bytes,
        *,
        exchange: str,
        key: str,
        content_type: str,
        durable: bool,
        headers: dict[str, FieldValue] | None = None,
        seconds: float,
    ) -> None:
        """Return on the broker's confirm. What is durable has to reach a queue.

        Raises `DeliveryError`: it was refused (`PublishError`: no queue takes it). Raises `Lost`:
        it may have arrived.
        """
        properties = spec.Basic.Properties(
            content_type=content_type,
            delivery_mode=PERSISTENT if durable else TRANSIENT,
            headers=headers,
        )
        publish = channel.basic_publish(
            body,
            exchange=exchange,
            routing_key=key,
            properties=properties,
            mandatory=durable,
            wait=False,
        )
        try:
            await call(publish, seconds=seconds)
        except PublishError:
            self._mend()
            raise
        except Lost as lost:
            if isinstance(lost.__cause__, ChannelNotFoundEntity):
                self._mend()
            raise
