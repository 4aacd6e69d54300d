"""A link: one AMQP connection that is kept up. What hangs on it is rebuilt by those who use it.

The connection is aio-pika's plain one: its robust one restores bindings one by one, and replays no
publish. The channels are those of aiormq beneath it, as aio-pika's own start two tasks for each
delivery, and wait for the socket under a lock for each publish.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import aio_pika
import structlog
from aiormq import Channel
from yarl import URL

from allibe_services.bus.rabbitmq.calls import Lost, call
from allibe_services.bus.rabbitmq.supervision import Pauses
from allibe_services.bus.rabbitmq.transport import Droppable

__all__ = ["Channel", "Connection", "Link", "close_channel", "connected", "open_channel"]

Connection = aio_pika.Connection

HEARTBEAT_SECONDS = 4
"""RabbitMQ notices a peer that is gone after two to three of them: a frozen worker loses its
shards within 12 s. We notice after 15 s."""

CONNECT_SECONDS = 10.0
CHANNEL_SECONDS = 10.0
CLOSE_SECONDS = 2.0
GOODBYE_SECONDS = 1.0

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 3.0
"""Seconds between tries."""

log = structlog.get_logger(__name__)


class Link:
    """One connection for one purpose. `prepare` is awaited before anybody else may use it."""

    def __init__(
        self, url: str, purpose: str, prepare: Callable[[Connection], Awaitable[None]]
    ) -> None:
        self._url = _with_heartbeat(URL(url))
        self._purpose = purpose
        self._prepare = prepare
        self._connection: Connection | None = None
        self._transport = Droppable()
        self._up = asyncio.Event()
        self._says_blocked = False
        self.is_closed = False
        self.first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends with the first connection, or with what `prepare` says is for people to settle."""
        self.first.add_done_callback(_retrieve)

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    def is_blocked(self) -> bool:
        """Tell whether the broker takes no publishes for now (`connection.blocked`: an alarm)."""
        if self._connection is None or self._connection.transport is None:
            return False
        # aiormq has no property for it, but this does not wait unless it is blocked.
        ready = self._connection.transport.connection.ready()
        try:
            ready.send(None)
        except StopIteration:
            return False
        ready.close()
        return True

    async def up(self) -> Connection:
        """Return the connection as soon as there is one. Raises `Lost` once the link is closed."""
        while self._connection is None:
            if self.is_closed:
                raise Lost("the bus is closed")
            await self._up.wait()
        return self._connection

    async def flowing(self) -> Connection:
        """Return the connection as soon as there is one that takes publishes."""
        while True:
            connection = await self.up()
            if not self.is_blocked():
                return connection
            if not self._says_blocked:
                self._says_blocked = True
                log.warning("amqp_blocked", purpose=self._purpose)
            if connection.transport is not None:
                aiormq = connection.transport.connection
                await _first_of(aiormq.ready(), aiormq.closing)
            if self._says_blocked and not self.is_blocked():
                self._says_blocked = False
                log.info("amqp_flows", purpose=self._purpose)
            await asyncio.sleep(0)

    def drop(self, reason: str) -> None:
        """Give up the connection: it does not do what it should. Another one follows."""
        if self._connection is not None:
            log.warning("amqp_dropped", purpose=self._purpose, reason=reason)
            self._transport.drop()

    def close(self) -> None:
        """Wake who waits for it: there will be no other connection. `run` is to be cancelled."""
        self.is_closed = True
        self._up.set()

    async def run(self) -> None:
        """Keep it up until cancelled."""
        pauses = Pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            pauses.begin()
            try:
                await self._live()
            except (Lost, ValueError) as error:
                log.warning("amqp_away", purpose=self._purpose, error=str(error))
                if isinstance(error, ValueError) and not self.first.done():
                    self.first.set_exception(error)
            await pauses.rest()

    async def _live(self) -> None:
        """Connect, and return or raise when the connection has ended."""
        connection, self._transport = _prepared(self._url, self._purpose)
        try:
            await call(connection.connect(), seconds=CONNECT_SECONDS)
            await self._prepare(connection)
            if connection.transport is None:
                raise Lost("closed while it was prepared")
            closing = connection.transport.connection.closing
            self._connection = connection
            self._says_blocked = False
            self._up.set()
            if not self.first.done():
                self.first.set_result(None)
            log.info("amqp_connected", purpose=self._purpose)
            await asyncio.wait([closing])
            raise Lost(f"the connection was closed: {_reason(closing)}")
        finally:
            self._connection = None
            if not self.is_closed:
                self._up.clear()
            await _discard(connection, self._transport)


@asynccontextmanager
async def connected(url: URL, purpose: str) -> AsyncIterator[Connection]:
    """Give a connection that is not kept up, and close it. Raises `Lost`."""
    connection, transport = _prepared(_with_heartbeat(url), purpose)
    try:
        await call(connection.connect(), seconds=CONNECT_SECONDS)
        yield connection
    finally:
        await _discard(connection, transport)


async def open_channel(connection: Connection, *, confirms: bool = False) -> Channel:
    """Open a channel. With confirms, publishing raises `DeliveryError` where it was refused.

    Raises `Lost`.
    """
    if connection.transport is None:
        raise Lost("the connection was closed")
    opening = connection.transport.connection.channel(
        publisher_confirms=confirms, on_return_raises=True
    )
    channel = await call(opening, seconds=CHANNEL_SECONDS)
    return cast("Channel", channel)  # the abstract one lacks what we use


async def close_channel(channel: Channel) -> None:
    """Close a channel; what was not acked over it comes again elsewhere. Raises nothing."""
    with suppress(Lost):
        await call(channel.close(), seconds=CLOSE_SECONDS)


def _prepared(url: URL, purpose: str) -> tuple[Connection, Droppable]:
    connection = Connection(url, client_properties={"connection_name": purpose})
    transport = connection.kwargs["transport_factory"] = Droppable()
    return connection, transport


async def _discard(connection: Connection, transport: Droppable) -> None:
    with suppress(Lost):
        await call(connection.close(), seconds=GOODBYE_SECONDS)
    transport.drop()
    await connection.close()  # it has nothing left to wait for


async def _first_of(*works: Awaitable[object]) -> None:
    """Return when one of them has ended, however; the others are cancelled."""
    futures = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in futures:
            future.cancel()
        await asyncio.gather(*futures, return_exceptions=True)


def _reason(closing: "asyncio.Future[None]") -> str:
    return "" if closing.cancelled() else str(closing.exception() or "")


def _retrieve(first: "asyncio.Future[None]") -> None:
    """Take notice of the error: nobody may wait for it."""
    if not first.cancelled():
        first.exception()


def _with_heartbeat(url: URL) -> URL:
    return url if "heartbeat" in url.query else url.update_query(heartbeat=HEARTBEAT_SECONDS)
