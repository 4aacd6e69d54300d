"""Settings to implementations: the only module that picks them, by the URLs' schemes."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry

from allibe_services.auth import ALGORITHMS, TokenSigner, TokenVerifier, jwks_fetch, read_key
from allibe_services.auth.jwks_keys import JwksKeys
from allibe_services.auth.keys import Keys, Secrets
from allibe_services.auth.revoked import Revoked
from allibe_services.backend_telemetry import BackendMetrics
from allibe_services.bus.base import Bus
from allibe_services.bus.dead_letters import DeadLetters
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.bus.rabbitmq import RabbitMqBus, Topology, hold_dead_letters
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.presence.base import Presence
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.presence.redis import RedisPresence
from allibe_services.rates.base import Rates
from allibe_services.rates.inprocess import InProcessRates
from allibe_services.rates.redis import RedisRates
from allibe_services.redis_link import RedisLink
from allibe_services.settings import PREFIX, Settings
from allibe_services.single_process import only_process
from allibe_services.store import backup, epochs
from allibe_services.store.base import Store
from allibe_services.store.database import Database
from allibe_services.store.measured import MeasuredDatabase
from allibe_services.store.migrate import check_current, migrate
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.retention import Retention
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import READERS, SqliteDatabase, path_of
from allibe_services.telemetry import AuthMetrics
from allibe_services.tickets.base import Tickets
from allibe_services.tickets.inprocess import InProcessTickets
from allibe_services.tickets.redis import RedisTickets
from allibe_services.urls import (
    INPROCESS,
    SQLITE,
    check_bus,
    check_database,
    check_urls,
    scheme_of,
)
from allibe_services.workers.base import Workers
from allibe_services.workers.inprocess import InProcessWorkers
from allibe_services.workers.redis import RedisWorkers

_JWKS_URL = f"{PREFIX}JWT_JWKS_URL"
_FORMER_SECRET = f"{PREFIX}JWT_FORMER_SECRET"

_Made = TypeVar("_Made", TokenVerifier, TokenSigner)


@dataclass(frozen=True, slots=True)
class Backends:
    """What the services stand on, open."""

    bus: Bus
    store: Store
    presence: Presence
    workers: Workers
    tickets: Tickets
    rates: Rates


@asynccontextmanager
async def backends(
    settings: Settings, metrics: BackendMetrics | None = None
) -> AsyncIterator[Backends]:
    """Open bus, store, presence, workers, tickets and rates; close them in the opposite order.

    `metrics` tells how they are. Raises as `check_urls`, and `ValueError` while another process has
    the same SQLite file open: the in-process bus would not reach it. Redis need not be there yet.
    """
    check_urls(settings)
    metrics = metrics or BackendMetrics(CollectorRegistry())
    async with (
        _store(settings, metrics) as store,
        _leases(settings, metrics) as (presence, workers, tickets, rates),
        _bus(settings, metrics) as bus,
    ):
        metrics.shards.set(bus.shards)
        yield Backends(bus, store, presence, workers, tickets, rates)


@asynccontextmanager
async def _bus(settings: Settings, metrics: BackendMetrics) -> AsyncIterator[Bus]:
    """Open the bus. Raises `ValueError` where RabbitMQ has a topology of other numbers."""
    if scheme_of(settings.bus_url) == INPROCESS:
        embedded = InProcessBus(publish_seconds=settings.publish_seconds, tell=metrics.posted)
        metrics.watch_bus(is_blocked=lambda: False, waiting=lambda: embedded.posts_waiting)
        try:
            yield embedded
        finally:
            await embedded.close()
        return
    topology = Topology(shards=settings.shards, shard_bytes=settings.shard_bytes)
    async with RabbitMqBus(
        settings.bus_url,
        topology=topology,
        publish_seconds=settings.publish_seconds,
        tell=metrics.posted,
    ) as bus:
        metrics.watch("rabbitmq_publishing", lambda: bus.publishes)
        metrics.watch("rabbitmq_consuming", lambda: bus.consumes)
        metrics.watch_bus(is_blocked=lambda: bus.is_blocked, waiting=lambda: bus.posts_waiting)
        yield bus


@asynccontextmanager
async def _leases(
    settings: Settings, metrics: BackendMetrics
) -> AsyncIterator[tuple[Presence, Workers, Tickets, Rates]]:
    if scheme_of(settings.redis_url) == INPROCESS:
        embedded = InProcessPresence()
        try:
            yield embedded, InProcessWorkers(), InProcessTickets(), InProcessRates()
        finally:
            await embedded.close()
        return
    try:
        link = RedisLink(settings.redis_url, call_seconds=settings.publish_seconds)
    except ValueError as error:
        raise ValueError(f"ALLIBE_REDIS_URL: {error}") from None
    metrics.watch("redis", lambda: link.is_up)
    try:
        yield RedisPresence(link), RedisWorkers(link), RedisTickets(link), RedisRates(link)
    finally:
        await link.close()


@asynccontextmanager
async def _store(settings: Settings, metrics: BackendMetrics) -> AsyncIterator[Store]:
    url = settings.database_url
    with ExitStack() as stack:
        if scheme_of(url) == SQLITE:
            database: Database = SqliteDatabase(url)  # makes the folder that the lock is in
            metrics.database_connections.set(1 + READERS)
            stack.enter_context(only_process(path_of(url)))
        else:
            database = PostgresqlDatabase(url, connections=settings.database_connections)
            metrics.database_connections.set(settings.database_connections)
        measured = MeasuredDatabase(database, metrics)
        metrics.watch("database", lambda: measured.is_up)
        try:
            yield SqlStore(measured)
        finally:
            await database.close()


def dead_letters(settings: Settings) -> AbstractAsyncContextManager[DeadLetters]:
    """Return what holds the bus's dead letters for an operator; entering it raises as that says.

    Raises `ValueError` where the bus keeps none.
    """
    check_bus(settings)
    if scheme_of(settings.bus_url) == INPROCESS:
        raise ValueError(
            "ALLIBE_BUS_URL: the in-process bus has no dead letters; it tells the sender instead"
        )
    return hold_dead_letters(settings.bus_url, seconds=settings.publish_seconds)


def migrate_store(settings: Settings) -> None:
    """Bring the store's tables up to date. Raises as `store.migrate.migrate`."""
    check_database(settings)
    with about_database():
        migrate(settings.database_url)


def begin_epoch(settings: Settings) -> int:
    """Give all rooms a new epoch; return how many. Raises as `store.epochs.begin_epoch`."""
    check_database(settings)
    with about_database():
        return epochs.begin_epoch(settings.database_url)


@contextmanager
def about_database() -> Iterator[None]:
    """Say in what is raised which setting it is about."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(f"ALLIBE_DATABASE_URL: {error}") from None
    except StoreUnavailable as error:
        raise StoreUnavailable(f"ALLIBE_DATABASE_URL: {error}") from None


def back_up(settings: Settings, target: Path) -> None:
    """Copy a store that is one SQLite file. Raises as `store.backup.back_up`."""
    url = settings.database_url
    check_database(settings)
    if scheme_of(url) != SQLITE:
        raise ValueError("ALLIBE_DATABASE_URL: only SQLite; PostgreSQL is backed up by pg_dump")
    try:
        backup.back_up(url, target)
    except ValueError as error:
        raise ValueError(f"ALLIBE_DATABASE_URL: {error}") from None


@asynccontextmanager
async def retention(settings: Settings) -> AsyncIterator[Retention]:
    """Open what deletes from the store, beside whoever serves it meanwhile.

    Raises `ValueError` where there is no database, or none whose tables are this code's; and as
    `migrate_store`.
    """
    url = settings.database_url
    check_database(settings)
    with about_database():
        check_current(url)
    sqlite = scheme_of(url) == SQLITE
    database: Database = SqliteDatabase(url) if sqlite else PostgresqlDatabase(url, connections=1)
    try:
        yield Retention(database)
    finally:
        await database.close()


def check_for_separate_processes(settings: Settings) -> None:
    """Raise `ValueError` unless the bus reaches other processes."""
    check_bus(settings)
    if scheme_of(settings.bus_url) == INPROCESS:
        raise ValueError(
            "ALLIBE_BUS_URL: the in-process bus reaches no other process; run `allibe serve`"
        )


def verifier(
    settings: Settings, *, revoked: Revoked | None = None, metrics: AuthMetrics | None = None
) -> TokenVerifier:
    """Return what checks tokens; its `keys` are to be run.

    Raises `ValueError` that names the missing or unfit setting.
    """
    make = partial(TokenVerifier, revoked=revoked)
    if settings.jwt_former_secret and settings.jwt_algorithm != "HS256":
        raise ValueError(f"{_FORMER_SECRET}: only HS256 has a secret")
    if settings.jwt_jwks_url:
        return _with_key(make, settings, _JWKS_URL, _published_keys(settings, metrics))
    variable, key = _own_key(settings, "jwt_public_key_file")
    made = _with_key(make, settings, variable, key)
    if not settings.jwt_former_secret:
        return made
    return _with_key(make, settings, variable, _secrets(settings, key))


def signer(settings: Settings) -> TokenSigner:
    """Return what makes tokens. Raises `ValueError` that names the missing or unfit setting."""
    return _with_key(TokenSigner, settings, *_own_key(settings, "jwt_private_key_file"))


def _with_key(
    make: "Callable[..., _Made]", settings: Settings, variable: str, key: str | Keys
) -> "_Made":
    try:
        return make(
            settings.jwt_algorithm,
            key,
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
        )
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from None


def _own_key(settings: Settings, file_setting: str) -> tuple[str, str]:
    """Return which variable gives the key, and the key: the secret, or what is in the file."""
    _check_algorithm(settings)
    name = "jwt_secret" if settings.jwt_algorithm == "HS256" else file_setting
    variable = PREFIX + name.upper()
    given = getattr(settings, name)
    if not given:
        raise ValueError(f"{variable}: missing; there is no default key")
    if name == "jwt_secret":
        return variable, given
    try:
        return variable, read_key(Path(given))
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from None


def _secrets(settings: Settings, secret: str) -> Keys:
    try:
        return Secrets(secret, settings.jwt_former_secret or "")
    except ValueError as error:
        raise ValueError(f"{_FORMER_SECRET}: {error}") from None


def _published_keys(settings: Settings, metrics: AuthMetrics | None) -> JwksKeys:
    url = settings.jwt_jwks_url or ""
    _check_algorithm(settings)
    if settings.jwt_algorithm == "HS256":
        raise ValueError(f"{_JWKS_URL}: HS256 has a secret, which nobody publishes")
    if settings.jwt_public_key_file:
        raise ValueError(f"{_JWKS_URL}: there is {PREFIX}JWT_PUBLIC_KEY_FILE, too; give one")
    try:
        jwks_fetch.check_address(url)
    except ValueError as error:
        raise ValueError(f"{_JWKS_URL}: {error}") from None
    observe = None if metrics is None else metrics.key_fetch
    return JwksKeys(settings.jwt_algorithm, partial(jwks_fetch.fetch, url), observe=observe)


def _check_algorithm(settings: Settings) -> None:
    if settings.jwt_algorithm not in ALGORITHMS:
        raise ValueError(f"{PREFIX}JWT_ALGORITHM: one of {', '.join(ALGORITHMS)}")
