"""SQLite as a database: one thread that writes, a few that read, WAL between them.

A transaction on a thread costs a third of the CPU of the same one through aiosqlite, which
crosses threads once per statement. Other processes may use the file too; whoever finds it locked
waits `BUSY_SECONDS`.
"""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.away import Away
from allibe_services.store.database import (
    CALL_SECONDS,
    errors_translated,
    is_unavailable,
    name_of,
)
from allibe_services.store.threads import Threads, in_daemon_thread

P = ParamSpec("P")
R = TypeVar("R")

BUSY_SECONDS = 2.0
"""Longest wait for another process's write; below CALL_SECONDS, so that its caller hears why."""

BUSY_PAUSE_SECONDS = 0.01

MIGRATION_BUSY_SECONDS = 60.0
"""Longest wait for another process's migration, which may rewrite whole tables."""

CLOSE_SECONDS = 5.0
"""Longest wait for running transactions at the end: no caller waits for them any longer either."""

LEAST_FREE_BYTES = 1 << 20
"""With less room on its disk a database is not ready: the next batch may not fit."""

WRITER_CACHE_KIB = 16 * 1024
"""Pages that the writing connection keeps, SQLite's default is 2 MiB. Each busy room has pages of
its own: over 1,000 rooms, reading them again was 4 % of a message's CPU, and is 1.7 % so. Readers
would gain nothing: what they keep is void after each write."""

READERS = 4
"""Threads that read: enough that a long page of history does not hold up the lists of rooms."""

_BROKEN = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Errors after which a connection is replaced: the file may be sound again when reopened."""

_MEANINGS = {
    "SQLITE_NOTADB": "it is not a SQLite database",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_READONLY": "it cannot be written",
    "SQLITE_CORRUPT": "it is damaged",
    "SQLITE_BUSY": "another process holds it",
    "SQLITE_FULL": "its disk is full",
}
"""What a command says of a file that it cannot use."""

log = structlog.get_logger(__name__)


class SqliteDatabase:
    """`Database` over one SQLite file.

    The file and its folder are made when missing (modes 0600 and 0700), which may raise
    `OSError`; `migrate` makes the tables. Connections are opened when first needed. Raises
    `ValueError` for a URL that does not name a file.
    """

    def __init__(
        self,
        url: str,
        *,
        call_seconds: float = CALL_SECONDS,
        busy_seconds: float = BUSY_SECONDS,
        close_seconds: float = CLOSE_SECONDS,
    ) -> None:
        self._close_seconds = close_seconds
        self._path = path = _made(path_of(url))
        self._writer = _Threads(_engine(path, "BEGIN IMMEDIATE", busy_seconds), 1, call_seconds)
        reading = _engine(path, "BEGIN", busy_seconds, read_only=True, connections=READERS)
        self._readers = _Threads(reading, READERS, call_seconds)

    async def read(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a function that only reads, on one of the reading threads."""
        return await self._readers.run(lambda connection: function(connection, *args, **kwargs))

    async def write(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a function that may write, on the one writing thread, after those before it."""
        return await self._writer.run(lambda connection: function(connection, *args, **kwargs))

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless a write succeeds and leaves room for more."""
        await self.write(_probe, self._path.parent)

    async def close(self) -> None:
        """Let running transactions finish, close all connections and end the threads.

        After `close_seconds` it leaves them to themselves: a disk that hangs must not keep the
        process, whose end they do not delay, from ending.
        """
        self._writer.closed = self._readers.closed = True
        finishing = asyncio.wrap_future(in_daemon_thread(self._finish, "closing-sqlite"))
        try:
            async with asyncio.timeout(self._close_seconds):
                await finishing
        except TimeoutError:
            log.warning("database_did_not_close_in_time", seconds=self._close_seconds)

    def _finish(self) -> None:
        # One after the other: the last connection to close empties the WAL into the file.
        self._writer.finish()
        self._readers.finish()


class _Threads:
    """Threads, and as many connections, that run transactions of one kind."""

    def __init__(self, engine: Engine, count: int, call_seconds: float) -> None:
        self._engine = engine
        self._threads = Threads(count, "sqlite")
        self._call_seconds = call_seconds
        self._away = Away()
        self.closed = False

    async def run(self, function: Callable[[Connection], R]) -> R:
        if self.closed:
            raise StoreUnavailable("The store is closed.")
        work = partial(self._transact, function)
        try:
            async with asyncio.timeout(self._call_seconds):
                return await asyncio.wrap_future(self._threads.submit(work))
        except TimeoutError:  # what waits for a thread is dropped; what runs goes on
            self._away.failed("database_too_slow", seconds=self._call_seconds)
            raise StoreUnavailable("The store did not answer in time; try again.") from None

    def _transact(self, function: Callable[[Connection], R]) -> R:
        with errors_translated(self._away), self._engine.begin() as connection:
            return function(connection)

    def finish(self) -> None:
        """Block until all that was asked for is done and the connections are closed."""
        self._threads.finish()
        self._engine.dispose()


def path_of(url: str) -> Path:
    """Return the file that `sqlite:///relative` or `sqlite:////absolute/path` names.

    Raises `ValueError` for anything else, a database in memory included: it would be another
    one for each connection, and nothing in it durable.
    """
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError("not a database URL; wanted sqlite:////absolute/path") from None
    if parts.drivername != "sqlite" or parts.host or parts.query:
        raise ValueError("not a plain SQLite URL; wanted sqlite:////absolute/path")
    if not parts.database or parts.database == ":memory:":
        raise ValueError("SQLite in memory is not supported; wanted sqlite:////absolute/path")
    return Path(parts.database).absolute()


def exists(url: str) -> bool:
    """Tell whether the file is there. Raises `ValueError` as `path_of`."""
    return path_of(url).exists()


def exclusively(url: str, function: Callable[[Connection], R]) -> R:
    """Run a function in an `exclusive` transaction."""
    with exclusive(url) as connection:
        return function(connection)


@contextmanager
def exclusive(url: str) -> Iterator[Connection]:
    """Give a transaction in which no other process writes; wait for theirs to end.

    Committed at the end of the block. Raises `StoreUnavailable`, which says in one line why, and
    `ValueError` as `path_of`.
    """
    path = _made(path_of(url))
    engine = _engine(path, "BEGIN IMMEDIATE", MIGRATION_BUSY_SECONDS)
    try:
        with _told(path), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if not is_unavailable(error):
            raise
        name = name_of(error)
        kind = "_".join(name.split("_")[:2])  # what follows is the detail
        raise StoreUnavailable(f"{path}: {_MEANINGS.get(kind, name)}") from None


def _made(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
    return path


def _engine(
    path: Path,
    begin: str,
    busy_seconds: float,
    *,
    read_only: bool = False,
    connections: int = 1,
) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        # isolation_level None: the driver begins nothing by itself, `_begin` below does
        connect_args={"timeout": busy_seconds, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        _write_ahead(connection, busy_seconds)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        if not read_only:
            connection.execute(f"PRAGMA cache_size=-{WRITER_CACHE_KIB}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "handle_error", _replace_broken)
    return engine


def _write_ahead(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Turn the WAL on. SQLite does not wait by itself for another process that is doing so."""
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)
        else:
            return


def _replace_broken(context: ExceptionContext) -> None:
    code = getattr(context.original_exception, "sqlite_errorcode", sqlite3.SQLITE_OK)
    if code & 0xFF in _BROKEN:  # the low byte is the kind, the rest the detail
        context.is_disconnect = True


def _probe(connection: Connection, folder: Path) -> None:
    connection.exec_driver_sql("PRAGMA user_version = 0")  # writes a page that every file has
    # One page can fit where a batch does not, into the WAL that the failed batch has grown.
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        log.warning("disk_full", folder=str(folder))
        raise StoreUnavailable
