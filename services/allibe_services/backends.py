"""Settings to implementations: the only module that picks them, by the URLs' schemes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from allibe_services.auth import ALGORITHMS, TokenSigner, TokenVerifier, read_key
from allibe_services.bus.base import Bus
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.presence.base import Presence
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.settings import PREFIX, Settings
from allibe_services.single_process import only_process
from allibe_services.store.base import Store
from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase, path_of

INPROCESS = "inprocess"

_Made = TypeVar("_Made", TokenVerifier, TokenSigner)


@dataclass(frozen=True, slots=True)
class Backends:
    """What the services stand on, open."""

    bus: Bus
    store: Store
    presence: Presence


@asynccontextmanager
async def backends(settings: Settings) -> AsyncIterator[Backends]:
    """Open bus, store and presence; close them in the opposite order.

    Raises `ValueError` for a URL that nothing here answers to, and while another process has
    the same database open: the in-process bus would not reach it.
    """
    _check_scheme("ALLIBE_BUS_URL", settings.bus_url, INPROCESS)
    _check_scheme("ALLIBE_REDIS_URL", settings.redis_url, INPROCESS)
    _check_scheme("ALLIBE_DATABASE_URL", settings.database_url, "sqlite")
    database = SqliteDatabase(settings.database_url)  # makes the folder that the lock is in
    with only_process(path_of(settings.database_url)):
        store = SqlStore(database)
        presence = InProcessPresence()
        bus = InProcessBus(publish_seconds=settings.publish_seconds)
        try:
            yield Backends(bus, store, presence)
        finally:
            await bus.close()
            await presence.close()
            await store.close()


def migrate_store(settings: Settings) -> None:
    """Bring the store's tables up to date. Raises as `store.migrate.migrate`."""
    _check_scheme("ALLIBE_DATABASE_URL", settings.database_url, "sqlite")
    migrate(settings.database_url)


def check_for_separate_processes(settings: Settings) -> None:
    """Raise `ValueError` unless the bus reaches other processes."""
    if urlsplit(settings.bus_url).scheme == INPROCESS:
        raise ValueError(
            "ALLIBE_BUS_URL: the in-process bus reaches no other process; run `allibe serve`"
        )


def verifier(settings: Settings) -> TokenVerifier:
    """Return what checks tokens. Raises `ValueError` that names the missing or unfit setting."""
    return _with_key(TokenVerifier, settings, "jwt_public_key_file")


def signer(settings: Settings) -> TokenSigner:
    """Return what makes tokens. Raises `ValueError` that names the missing or unfit setting."""
    return _with_key(TokenSigner, settings, "jwt_private_key_file")


def _with_key(make: "Callable[..., _Made]", settings: Settings, file_setting: str) -> "_Made":
    """Make what needs a key, with the secret (HS256) or with the key in a file."""
    if settings.jwt_algorithm not in ALGORITHMS:
        raise ValueError(f"{PREFIX}JWT_ALGORITHM: one of {', '.join(ALGORITHMS)}")
    name = "jwt_secret" if settings.jwt_algorithm == "HS256" else file_setting
    variable = PREFIX + name.upper()
    given = getattr(settings, name)
    if not given:
        raise ValueError(f"{variable}: missing; there is no default key")
    try:
        return make(
            settings.jwt_algorithm,
            given if name == "jwt_secret" else read_key(Path(given)),
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
        )
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from None


def _check_scheme(variable: str, url: str, *known: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme not in known:
        raise ValueError(f"{variable}: no implementation for {scheme!r}; known: {', '.join(known)}")
