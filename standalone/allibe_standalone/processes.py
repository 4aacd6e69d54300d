"""Processes: which services run in one, in which order they start and stop.

Stopping: unready, a moment for load balancers to notice, no new connections, each WebSocket sent
away at its own time with the receipts for what was accepted, HTTP requests finished, then the
worker, the bus and the store.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from datetime import timedelta

import structlog
from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

import allibe_rooms_api.app as rooms_api
from allibe_fanout_worker.app import worker
from allibe_fanout_worker.push.pushing import Pushing
from allibe_fanout_worker.push.ways import browser_rules, ways_of
from allibe_gateway.addresses import Addresses
from allibe_gateway.app import Entry, Gateway, gateway
from allibe_gateway.limits import Limits
from allibe_rooms_api import chat_page
from allibe_rooms_api.call import Context
from allibe_services import ops
from allibe_services.auth.admission import Admission
from allibe_services.auth.revoked import Revoked
from allibe_services.backend_telemetry import BackendMetrics, LoopMetrics
from allibe_services.backends import Backends, backends, verifier
from allibe_services.contracts.errors import Unavailable
from allibe_services.origins import Origins
from allibe_services.rates.exchange import Exchange
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import policy_of
from allibe_services.rates.rate import Rate
from allibe_services.runtime import Readiness, Tasks, stop_requested
from allibe_services.settings import Settings
from allibe_services.telemetry import (
    AuthMetrics,
    GatewayMetrics,
    HttpMetrics,
    LimitMetrics,
    PushMetrics,
    WorkerMetrics,
)
from allibe_services.vapid import VapidKey
from allibe_standalone.listening import listening
from allibe_standalone.traces import traced

LATE_SECONDS = 0.25
"""Time for requests of connections that were taken before the port was closed: they are served."""

REQUEST_SECONDS = 5.0
"""Time for HTTP requests that are under way when the process stops, or a quarter of all."""

LOOK_SECONDS = 10.0
"""Pause between looks at Redis. The database is asked by whoever asks for readiness."""

log = structlog.get_logger(__name__)

Extras = Callable[[web.Application, "Process"], None]


class Process:
    """What the services of one process share besides the backends."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # A series more for each counter, which nothing asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.readiness = Readiness()
        self.tasks = Tasks()


async def serve(
    settings: Settings, *, extras: Extras | None = None, ready: Callable[[str], str] | None = None
) -> None:
    """Run everything in this process until it is told to stop.

    `extras` adds routes to the main port; what `ready` makes of the URL is printed when
    connections are taken. Raises `ValueError` (settings) and `OSError` (port taken).
    """
    async with _started(settings, "all") as (process, parts, stack):
        admission = await stack.enter_async_context(_admission(process, parts))
        await stack.enter_async_context(_worker(process, parts))
        limiter = await stack.enter_async_context(_limiter(process, parts))
        entrance = await stack.enter_async_context(_gateway(process, parts, admission, limiter))
        app = web.Application()
        app.add_routes(entrance.routes())
        _add_http(app, process, parts, admission, limiter)
        if extras is not None:
            extras(app, process)
        site = await stack.enter_async_context(
            _listening(process, app, settings.host, settings.port)
        )
        await stack.enter_async_context(_ops(process))
        if ready is not None:
            print(ready(site.name), flush=True)  # noqa: T201 - for the person at the terminal
        await _until_stopped(process, site, entrance)


async def run_gateway(settings: Settings) -> None:
    """Run a gateway alone until it is told to stop. Raises as `serve`."""
    async with _started(settings, "gateway") as (process, parts, stack):
        admission = await stack.enter_async_context(_admission(process, parts))
        limiter = await stack.enter_async_context(_limiter(process, parts))
        entrance = await stack.enter_async_context(_gateway(process, parts, admission, limiter))
        app = web.Application()
        app.add_routes(entrance.routes())
        site = await stack.enter_async_context(
            _listening(process, app, settings.host, settings.port)
        )
        await stack.enter_async_context(_ops(process))
        await _until_stopped(process, site, entrance)


async def run_rooms_api(settings: Settings, *, extras: Extras | None = None) -> None:
    """Run the HTTP side alone until it is told to stop. Takes `extras` and raises as `serve`."""
    async with _started(settings, "rooms-api") as (process, parts, stack):
        process.readiness.add("store", parts.store.ping)
        app = web.Application()
        admission = await stack.enter_async_context(_admission(process, parts))
        limiter = await stack.enter_async_context(_limiter(process, parts))
        _add_http(app, process, parts, admission, limiter)
        if extras is not None:
            extras(app, process)
        site = await stack.enter_async_context(
            _listening(process, app, settings.host, settings.port)
        )
        await stack.enter_async_context(_ops(process))
        await _until_stopped(process, site, None)


async def run_fanout_worker(settings: Settings) -> None:
    """Run a worker alone until it is told to stop. Raises as `serve`."""
    async with _started(settings, "fanout-worker") as (process, parts, stack):
        await stack.enter_async_context(_worker(process, parts))
        await stack.enter_async_context(_ops(process))
        await _until_stopped(process, None, None)


@asynccontextmanager
async def _started(
    settings: Settings, service: str
) -> AsyncIterator[tuple[Process, Backends, AsyncExitStack]]:
    """What every process stands on; the stack ends what is entered into it first."""
    process = Process(settings)
    async with AsyncExitStack() as outer:
        outer.push_async_callback(process.tasks.close)
        await outer.enter_async_context(traced(settings, service))
        metrics = BackendMetrics(process.registry)
        parts = await outer.enter_async_context(backends(settings, metrics))
        process.tasks.start(LoopMetrics(process.registry).run(), name="event-loop-lag")
        process.tasks.start(_look_at_leases(parts), name="leases-look")
        stack = await outer.enter_async_context(AsyncExitStack())
        yield process, parts, stack


async def _look_at_leases(parts: Backends) -> None:
    """Use Redis now and then, for ever: else its state in the figures is that of the last use,
    which may be hours ago."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        with suppress(Unavailable):
            await parts.presence.ping()


async def _until_stopped(
    process: Process, site: web.TCPSite | None, entrance: Gateway | None
) -> None:
    seconds, lead = process.settings.drain_seconds, 0.0
    try:
        await stop_requested(process.tasks)
        lead = process.settings.drain_lead_seconds
    finally:
        log.info("stopping")
        process.readiness.drain()
        if site is not None:
            lead = min(lead, seconds / 2)
            await asyncio.sleep(lead)
            await site.stop()
            late = min(LATE_SECONDS, seconds / 8)
            await asyncio.sleep(late)
            seconds -= lead + late
        if entrance is not None:
            await entrance.drain(seconds - _request_seconds(process.settings))


def _request_seconds(settings: Settings) -> float:
    return min(REQUEST_SECONDS, settings.drain_seconds / 4)


@asynccontextmanager
async def _admission(process: Process, parts: Backends) -> AsyncIterator[Admission]:
    """Keep keys and revocations fresh; those that there are now are known on entry."""
    metrics = AuthMetrics(process.registry)
    revoked = Revoked(parts.store.revocations, observe=metrics.revocations.set)
    made = verifier(process.settings, revoked=revoked, metrics=metrics)
    if process.settings.jwt_jwks_url:
        process.readiness.add("keys", made.keys.ping)
    with suppress(Unavailable):  # nobody is let in before they are known
        await revoked.catch_up()
    running = [
        process.tasks.start(made.keys.run(), name="token-keys"),
        process.tasks.start(revoked.run(), name="token-revocations"),
    ]
    try:
        yield Admission(made, revoked, parts.tickets)
    finally:
        for task in running:
            task.cancel()


@asynccontextmanager
async def _worker(process: Process, parts: Backends) -> AsyncIterator[None]:
    process.readiness.add("store", parts.store.ping)
    process.readiness.add("bus", parts.bus.ping)
    async with (
        _pushing(process) as push,
        worker(
            bus=parts.bus,
            store=parts.store,
            presence=parts.presence,
            workers=parts.workers,
            metrics=WorkerMetrics(process.registry),
            readiness=process.readiness,
            tasks=process.tasks,
            push=push,
        ),
    ):
        yield


@asynccontextmanager
async def _pushing(process: Process) -> AsyncIterator[Pushing | None]:
    """Open the ways of pushes; None where the settings name none, and nothing is scheduled."""
    settings = process.settings
    metrics = PushMetrics(process.registry)
    async with ways_of(settings) as ways:
        if ways is None:
            yield None
            return
        yield Pushing(
            ways=ways,
            metrics=metrics,
            delay=timedelta(seconds=settings.push_delay_seconds),
            rate=Rate.parse(settings.limit_user_pushes),
        )


@asynccontextmanager
async def _limiter(process: Process, parts: Backends) -> AsyncIterator[Limiter]:
    """Decide what is too much, by what all processes have spent."""
    limiter = Limiter(policy_of(process.settings), LimitMetrics(process.registry))
    exchange = Exchange(limiter, parts.rates)
    running = process.tasks.start(exchange.run(), name="rates")
    try:
        yield limiter
    finally:
        running.cancel()
        await exchange.end()


@asynccontextmanager
async def _gateway(
    process: Process, parts: Backends, admission: Admission, limiter: Limiter
) -> AsyncIterator[Gateway]:
    process.readiness.add("store", parts.store.ping)
    process.readiness.add("bus", parts.bus.ping)
    async with gateway(
        bus=parts.bus,
        store=parts.store,
        presence=parts.presence,
        admission=admission,
        sockjs_client_url=process.settings.sockjs_client_url,
        entry=Entry(
            origins=Origins(process.settings.origins),
            addresses=Addresses(process.settings.trusted_proxies),
            limiter=limiter,
        ),
        limits=_limits(process.settings),
        metrics=GatewayMetrics(process.registry),
        tasks=process.tasks,
    ) as entrance:
        yield entrance


def _limits(settings: Settings) -> Limits:
    return Limits(
        compression=settings.websocket_compression == "on",
        slow_consumer_bytes=settings.slow_consumer_bytes,
        slow_consumers_bytes=settings.slow_consumers_bytes,
        subscriptions=settings.subscriptions_per_connection,
        in_flight=settings.in_flight_per_connection,
        recovery_messages=settings.recovery_messages,
        tail_bytes=settings.tail_bytes,
        sign_in_seconds=settings.sign_in_seconds,
        heart_beat_seconds=settings.heart_beat_seconds,
        receipt_seconds=settings.publish_seconds + 1,
        drain_rate=settings.drain_rate,
    )


def _add_http(
    app: web.Application,
    process: Process,
    parts: Backends,
    admission: Admission,
    limiter: Limiter,
) -> None:
    rooms_api.setup(
        app,
        Context(
            store=parts.store,
            bus=parts.bus,
            tickets=admission.tickets,
            verifier=admission.verifier,
            token_life=process.settings.token_life_seconds,
            origins=Origins(process.settings.origins),
            limiter=limiter,
            observe=HttpMetrics(process.registry).observe,
            push_key=_push_key(process.settings),
            push_rules=browser_rules(process.settings),
        ),
    )
    chat_page.setup(app)


def _push_key(settings: Settings) -> str | None:
    if settings.vapid_private_key is None:
        return None
    return VapidKey.read(settings.vapid_private_key).public_key


@asynccontextmanager
async def _ops(process: Process) -> AsyncIterator[None]:
    app = web.Application()
    app.add_routes(ops.routes(process.readiness, process.registry) + ops.level_routes())
    settings = process.settings
    async with _listening(process, app, settings.ops_host, settings.ops_port) as site:
        log.info("ops_listening", url=site.name)
        yield


def _listening(
    process: Process, app: web.Application, host: str, port: int
) -> AbstractAsyncContextManager[web.TCPSite]:
    seconds = _request_seconds(process.settings)
    return listening(app, host, port, tasks=process.tasks, request_seconds=seconds)
