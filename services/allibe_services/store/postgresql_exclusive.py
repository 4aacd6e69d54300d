"""The one transaction at a time in which a PostgreSQL database is migrated. Synchronous."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import greenlet_spawn

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.postgresql_errors import UNREACHABLE, reason
from allibe_services.store.postgresql_pool import Connections, address_of
from allibe_services.store.threads import in_daemon_thread

R = TypeVar("R")

MIGRATION_BUSY_SECONDS = 60.0
"""Longest wait for another process's migration, which may rewrite whole tables."""

TABLE_SECONDS = 10.0
"""Longest wait for a table: all that want it later wait behind us, and give up after 2 s."""

_NO_LIMITS = {"lock_timeout": MIGRATION_BUSY_SECONDS, "statement_timeout": 0}

# The key is "allibe", as a number; it is the database's own, whoever else uses the server.
_LOCK = text(f"SELECT pg_advisory_xact_lock({int.from_bytes(b'allibe')})")
_LOCK_TABLES = text(f"SET LOCAL lock_timeout = '{TABLE_SECONDS:.0f}s'")
_ENCODING = text("SELECT current_setting('server_encoding')")


def exists(url: str) -> bool:
    """Tell whether there may be a database. Raises `ValueError` as `address_of`."""
    address_of(url)
    return True


def exclusively(url: str, function: Callable[[Connection], R]) -> R:
    """Run a function in a transaction, of which there is one at a time; wait for the others.

    Committed at its end. Raises `StoreUnavailable`, which says in one line why, and `ValueError`
    as `address_of`. May be called where an event loop runs: it uses one on a thread of its own.
    """
    address_of(url)
    return in_daemon_thread(
        lambda: asyncio.run(_exclusively(url, function)), "migrating-postgresql"
    ).result()


async def _exclusively(url: str, function: Callable[[Connection], R]) -> R:
    connections = Connections(url, 1, _NO_LIMITS)
    try:
        return await greenlet_spawn(_transact, connections, url, function)
    finally:
        connections.drop()


def _transact(connections: Connections, url: str, function: Callable[[Connection], R]) -> R:
    with _told(url), connections.engine.sync_engine.begin() as connection:
        if (encoding := connection.execute(_ENCODING).scalar_one()) != "UTF8":
            raise ValueError(f"the database's encoding is {encoding}; wanted UTF8")
        connection.execute(_LOCK)
        connection.execute(_LOCK_TABLES)
        return function(connection)


@contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, *UNREACHABLE) as error:
        to = address_of(url)
        place = f"{to.host or 'localhost'}:{to.port or 5432}/{to.database}"
        raise StoreUnavailable(f"PostgreSQL at {place}: {reason(error)}") from None
