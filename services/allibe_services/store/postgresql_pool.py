"""Connections to PostgreSQL: how they are opened, what limits they have, who holds which.

Every limit is the server's own, so that it also holds for a process that was stopped or cut off in
the middle of a transaction: its row locks are free again after `IDLE_SECONDS`.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from allibe_services.store.postgresql_errors import translate

CONNECT_SECONDS = 3.0
"""Longest that opening a connection may take; below CALL_SECONDS, so that its caller hears why."""

STATEMENT_SECONDS = 4.0
"""Longest that a statement may take, likewise."""

LOCK_SECONDS = 2.0
"""Longest wait for another transaction's row locks, likewise."""

IDLE_SECONDS = 5.0
"""Longest that a transaction may hold its locks and ask for nothing: its process is stopped or
gone, and nobody waits for its answer any longer."""

LIMITS: Mapping[str, float] = {
    "statement_timeout": STATEMENT_SECONDS,
    "lock_timeout": LOCK_SECONDS,
    "idle_in_transaction_session_timeout": IDLE_SECONDS,
}
"""The limits of a session by PostgreSQL's names, in seconds; 0 for none."""

_SETTINGS = {
    "application_name": "allibe",
    "default_transaction_isolation": "read committed",  # what the row locks are made for
    "jit": "off",  # compiling a statement takes longer than any of ours runs
    # Each of ours has an index. For a table that is still empty PostgreSQL would rather read all of
    # it, and keep to that while it grows, until it is analysed: for a minute, lists of rooms would
    # take seconds.
    "enable_seqscan": "off",
}

_WANTED = "wanted postgresql://user:password@host:port/database, with %40 for an @ in a password"


class Connections:
    """A small pool of connections to one database.

    `engine` opens them when they are first needed. One that the server or the network has closed
    is replaced when it is next asked for. Raises `ValueError` as `address_of`.
    """

    def __init__(self, url: str, most: int, limits: Mapping[str, float] = LIMITS) -> None:
        self._dsn, self._session = url, _session(address_of(url), limits)
        self._idle: set[asyncpg.Connection] = set()
        self._held: WeakKeyDictionary[asyncio.Task[Any], asyncpg.Connection]
        self._held = WeakKeyDictionary()
        # The URL stays out of the engine: what shows an engine must not show a password.
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._open,
            pool_size=most,
            max_overflow=0,
            pool_use_lifo=True,
            hide_parameters=True,
        )
        event.listen(self.engine.sync_engine, "handle_error", translate)
        event.listen(self.engine.sync_engine, "checkout", self._checked_out)
        event.listen(self.engine.sync_engine, "checkin", self._checked_in)

    def cut_off(self, task: "asyncio.Task[Any]") -> None:
        """End what a task does with its connection, at once and without asking the server.

        The idle connections go with it: a server that did not answer on one will not on the
        others, and each would cost a caller its time to find out.
        """
        held = self._held.pop(task, None)
        if held is None:
            task.cancel()
        else:
            held.terminate()
        for connection in self._idle:
            connection.terminate()

    async def close(self) -> None:
        """Close those that are idle, which may take as long as the server likes."""
        await self.engine.dispose()

    def drop(self) -> None:
        """Close all without asking the server."""
        for connection in (*self._idle, *self._held.values()):
            connection.terminate()

    async def _open(self) -> asyncpg.Connection:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_SECONDS,
            server_settings=self._session,
            target_session_attrs="read-write",  # of several hosts the primary
        )
        self._hold(connection)
        return connection

    def _checked_out(
        self, _: DBAPIConnection, entry: ConnectionPoolEntry, _fairy: PoolProxiedConnection
    ) -> None:
        connection = entry.driver_connection
        self._idle.discard(connection)
        if connection is None or connection.is_closed():
            raise DisconnectionError  # replaced
        self._hold(connection)

    def _checked_in(self, connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if (task := asyncio.current_task()) is not None:
            self._held.pop(task, None)
        if connection is not None:  # else it was broken
            self._idle.add(entry.driver_connection)

    def _hold(self, connection: asyncpg.Connection) -> None:
        if (task := asyncio.current_task()) is not None:
            self._held[task] = connection


def address_of(url: str) -> URL:
    """Return the parts of a `postgresql://` URL. Raises `ValueError` where it is none.

    Its query may hold what libpq's may: `sslmode`, `sslrootcert`, `host` for several hosts.
    """
    try:
        parts, plain = make_url(url), urlsplit(url)
        _ = plain.port  # raises for one that is none
    except (ArgumentError, ValueError):
        raise ValueError(f"not a database URL; {_WANTED}") from None
    # Else asyncpg would take part of a password for the host or its port, and so would we, and say
    # that it cannot be reached.
    if plain.fragment or url.count("@") > 1 or plain.netloc.count("@") != url.count("@"):
        raise ValueError(f"not a PostgreSQL URL with a password escaped; {_WANTED}")
    if parts.drivername != "postgresql" or not parts.database:
        raise ValueError(f"not a PostgreSQL URL with a database; {_WANTED}")
    if {"password", "sslpassword"} & {*parts.query}:
        raise ValueError(f"a password in the query would be shown; {_WANTED}")
    return parts


def _session(address: URL, limits: Mapping[str, float]) -> dict[str, str]:
    milliseconds = {name: str(round(seconds * 1000)) for name, seconds in limits.items()}
    given = {name for name in _SETTINGS if name in address.query}  # these win
    return {name: value for name, value in _SETTINGS.items() if name not in given} | milliseconds
