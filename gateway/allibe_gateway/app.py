"""A gateway as one resource of a process: its routes, its tasks, its drain."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from operator import itemgetter

import msgspec
import structlog
from aiohttp import web

from allibe_gateway.addresses import Addresses
from allibe_gateway.connection import WebSocketConnection
from allibe_gateway.deadlines import Deadlines
from allibe_gateway.doorkeeper import Doorkeeper, Place
from allibe_gateway.doors.base import Connection, Door
from allibe_gateway.doors.connection import ServedConnection
from allibe_gateway.doors.sockjs import pages, transports
from allibe_gateway.doors.sockjs.connection import HttpConnection
from allibe_gateway.draining import slots, window
from allibe_gateway.entrances import SOCKJS, WEB_SOCKETS, Entrance, stomp_door
from allibe_gateway.fanout.backlogs import Backlogs
from allibe_gateway.fanout.hub import Hub
from allibe_gateway.fanout.room_feed import FeedLimits
from allibe_gateway.limits import Limits
from allibe_gateway.origins import OriginCheck
from allibe_gateway.presence_reporter import PresenceReporter
from allibe_gateway.revocations import Revocations
from allibe_gateway.role_reads import RoleReads
from allibe_gateway.screens import ScreenNews, Screens
from allibe_gateway.shared import Shared
from allibe_gateway.slow_consumers import next_look, too_far_behind
from allibe_gateway.takeover import answer_to, deflated, take_over
from allibe_gateway.trail import note
from allibe_services.auth.admission import Admission
from allibe_services.bus.base import Bus
from allibe_services.contracts import disconnects
from allibe_services.origins import Origins
from allibe_services.presence.base import Presence
from allibe_services.problems import respond
from allibe_services.rates.limiter import Limiter, unlimited
from allibe_services.runtime import Tasks
from allibe_services.store.base import Store
from allibe_services.telemetry import GatewayMetrics
from allibe_services.trace_context import trace_of


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Who may come in, and how much they may do: by default pages of this address, all they like.

    `addresses` says where they come from.
    """

    origins: Origins = Origins()
    addresses: Addresses = Addresses()
    limiter: Limiter | None = None


OPEN = Entry()

SWEEPS = 8
"""Looks at all connections in a heart-beat's interval, or one a second where that is more."""

CLOSE_SECONDS = 1.0
"""Time for connections that were dropped to end what they do, and then to be interrupted in it."""

LAST_REPORT_SECONDS = 1.0
"""Time to report who left when the gateway stopped: Redis or RabbitMQ may be away."""

log = structlog.get_logger(__name__)


class Gateway:
    """All connections of one gateway.

    Each request is first shown to `origins`, and what wants a connection to the doorkeeper.
    """

    def __init__(
        self,
        shared: Shared,
        origins: OriginCheck,
        doorkeeper: Doorkeeper,
        sockjs_client_url: str,
    ) -> None:
        self.origins = origins
        self._doorkeeper = doorkeeper
        self._shared = shared
        self._connections: set[ServedConnection] = set()
        self._counted = cache(shared.metrics.connections.labels)
        self._backlogs = Backlogs()
        self._sockjs = transports.SockJs(
            self, origins, doorkeeper, shared.limits, shared.metrics, sockjs_client_url
        )
        self._on_end = self._web_socket_ended  # one for all: made anew, each would keep its own
        self._gone = asyncio.Event()
        self._draining = False

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all doors."""
        web_sockets = [web.get(one.path, partial(self._serve, one)) for one in WEB_SOCKETS]
        return web_sockets + self._sockjs.routes()

    async def sweep(self) -> None:
        """Keep heart-beats, both ways, and the bound of unsent bytes, of all, for ever."""
        loop = asyncio.get_running_loop()
        pause = min(1.0, self._shared.limits.heart_beat_seconds / SWEEPS)
        while True:
            await asyncio.sleep(pause)
            now = loop.time()
            for connection in tuple(self._connections):
                connection.beat(now)
            self._sockjs.forget(now)
            self.bound_unsent()

    def bound_unsent(self) -> int:
        """End those furthest behind where all together have not read too much.

        Return after how many bytes that are written to subscribers it has to be done again.
        """
        most = self._shared.limits.slow_consumers_bytes
        unsent = self._unsent()
        if unsent > most:
            for connection in too_far_behind(self._connections, most):
                connection.fall_behind()
            unsent = self._unsent()
        self._shared.metrics.unsent.set(unsent)
        return next_look(unsent, most)

    def _unsent(self) -> int:
        return sum([one.unsent for one in self._connections])

    async def drain(self, seconds: float) -> None:
        """Take nothing new, tell all when to leave, and end each after its receipts.

        Connections are served until it is their turn. All are closed within the time, unless
        peers do not answer the close; a few connections do not need all of it.
        """
        self._draining = True
        end = asyncio.get_running_loop().time() + seconds
        closing = min(self._shared.limits.close_seconds, seconds / 4)
        try:
            async with asyncio.timeout_at(end - closing):
                await self._send_away(seconds)
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.disconnect(disconnects.RESTART)
        try:
            async with asyncio.timeout_at(end):
                while self._connections:
                    await self._one_less()
        except TimeoutError:
            log.warning("connections_left", count=len(self._connections))

    async def _send_away(self, seconds: float) -> None:
        """Hint at their slots to all; end each at its own, or a little later if it knows of it."""
        loop, limits = asyncio.get_running_loop(), self._shared.limits
        now, spread = loop.time(), window(len(self._connections), seconds, limits)
        turns = []
        for slot, connection in slots(self._connections, spread):
            told = connection.hint(int(slot * 1000))
            turns.append((now + slot + (limits.hand_over_seconds if told else 0), connection))
        async with asyncio.TaskGroup() as ending:
            for turn, connection in sorted(turns, key=itemgetter(0)):
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(turn):
                        while connection in self._connections:
                            await self._one_less()
                if connection in self._connections:
                    ending.create_task(connection.drain())

    async def close(self) -> None:
        """Drop the WebSockets that are left: after a drain those whose peers did not go."""
        left = [one for one in self._connections if isinstance(one, WebSocketConnection)]
        for end in (WebSocketConnection.abort, WebSocketConnection.give_up):
            for connection in left:
                end(connection)
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    while not self._connections.isdisjoint(left):
                        await self._one_less()

    async def _one_less(self) -> None:
        self._gone.clear()
        await self._gone.wait()

    async def _serve(self, entrance: Entrance, request: web.Request) -> web.StreamResponse:
        self.admit()
        if (refusal := self.origins.refusal(request)) is not None:
            return refusal
        if entrance.greets and "Upgrade" not in request.headers:
            return pages.greeting()
        answer = answer_to(
            request, entrance.subprotocols, compression=self._shared.limits.compression
        )
        place, begun = self._doorkeeper.enter(request), False
        try:
            if place.refusal is not None and not place.tells:
                return respond(place.refusal)
            try:
                await answer.prepare(request)
            except ConnectionError:  # it vanished during its handshake
                return web.Response()
            if request.transport is not None:
                self._begin(entrance, place, request, request.transport, answer)
                begun = True
            return answer
        finally:
            if not begun:
                self._doorkeeper.leave(place)

    def _begin(
        self,
        entrance: Entrance,
        place: Place,
        request: web.Request,
        transport: asyncio.Transport,
        answer: web.StreamResponse,
    ) -> None:
        shared = self._shared
        connection = entrance.make_connection(
            transport,
            shared.limits,
            shared.metrics,
            self._doorkeeper.inbound(),
            self._backlogs,
            self._on_end,
            deflated=deflated(answer),
        )
        connection.entrance, connection.place = entrance.door, place
        connection.begin(entrance.make_door(request, connection, shared), place.refusal)
        self._opened(connection, entrance.door, trace_of(request.headers))
        take_over(request, transport, connection)

    def _web_socket_ended(self, connection: WebSocketConnection) -> None:
        self._doorkeeper.leave(connection.place)
        self._closed(connection, connection.entrance)

    # What connections over HTTP need (`doors.sockjs.transports.Host`)

    def admit(self) -> None:
        """Raise an HTTP error while no new connection is taken."""
        if self._draining:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})

    def make_door(self, request: web.Request, connection: Connection) -> Door:
        """Return the STOMP door of a new connection."""
        return stomp_door(request, connection, self._shared)

    def opened(self, connection: HttpConnection) -> None:
        """Look after a connection from now on."""
        self._opened(connection, SOCKJS.door)

    def closed(self, connection: HttpConnection) -> None:
        """It has ended."""
        self._closed(connection, SOCKJS.door)

    # Details

    def _opened(
        self, connection: ServedConnection, entrance: str, trace: str | None = None
    ) -> None:
        self._connections.add(connection)
        self._counted(entrance).inc()
        note("connection_opened", connection.id, door=entrance, trace=trace)
        if self._draining:  # it began while the handshake was answered
            connection.disconnect(disconnects.RESTART)

    def _closed(self, connection: ServedConnection, entrance: str) -> None:
        self._connections.discard(connection)
        self._counted(entrance).dec()
        note("connection_closed", connection.id, connection.user)
        self._gone.set()


async def _report_the_last(reporter: PresenceReporter, news: ScreenNews) -> None:
    """Report those who left at the end. Until their leases ended they would else be shown in their
    rooms, and not be notified."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_REPORT_SECONDS):
            await reporter.report()
            await news.publish()


@asynccontextmanager
async def gateway(  # noqa: PLR0913 - what a gateway stands on, each by its name
    *,
    bus: Bus,
    store: Store,
    presence: Presence,
    admission: Admission,
    limits: Limits,
    metrics: GatewayMetrics,
    tasks: Tasks,
    entry: Entry = OPEN,
    sockjs_client_url: str = pages.CLIENT_URL,
) -> AsyncIterator[Gateway]:
    """Run a gateway while the context lasts; drain it before leaving."""
    limiter = entry.limiter or unlimited()
    feed_limits = FeedLimits(limits.recovery_messages, limits.tail_bytes)
    hub = Hub(bus, store.log, feed_limits, metrics)
    news = ScreenNews(bus)
    screens = Screens(presence, hub)
    hub.when_screens_change(screens.changed)
    reporter = PresenceReporter(presence, news.tell)
    deadlines = Deadlines(time.time)
    roles = RoleReads(store.members)
    shared = Shared(
        bus,
        store,
        roles,
        hub,
        admission.verifier,
        admission.tickets,
        reporter,
        deadlines,
        limits,
        metrics,
        limiter,
        clock=time.time,
    )
    itself = Gateway(
        shared,
        OriginCheck(entry.origins, metrics),
        Doorkeeper(limiter, entry.addresses),
        sockjs_client_url,
    )
    revocations = Revocations(hub, store.members)
    hub.when_in_doubt(revocations.doubt)
    hub.when_written(itself.bound_unsent)
    admission.revoked.tell(hub.on_revocations)
    await hub.open()
    running = [
        tasks.start(hub.run(), name="hub"),
        tasks.start(reporter.run(), name="presence"),
        tasks.start(news.run(), name="screen-news"),
        tasks.start(screens.run(), name="screens"),
        tasks.start(revocations.run(), name="revocations"),
        tasks.start(itself.sweep(), name="heart-beats"),
    ]
    try:
        yield itself
        await _report_the_last(reporter, news)
    finally:
        await itself.close()
        for task in running:
            task.cancel()
        deadlines.close()
        roles.close()
        await hub.close()
