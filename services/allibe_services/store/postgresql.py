"""PostgreSQL as a database: transactions on a few connections, each cut off at its time limit.

The functions run in a greenlet on the event loop, a whole transaction in one: a quarter less CPU
than through SQLAlchemy's `AsyncConnection`, which makes one for each step of it.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.away import Away
from allibe_services.store.database import CALL_SECONDS, NOT_CURRENT, errors_translated
from allibe_services.store.postgresql_errors import UNREACHABLE, is_not_migrated
from allibe_services.store.postgresql_pool import LIMITS, Connections

P = ParamSpec("P")
R = TypeVar("R")

CONNECTIONS = 8
"""Connections of a process, where the settings do not say otherwise."""

CLOSE_SECONDS = 5.0
"""Longest wait for running transactions at the end: no caller waits for them any longer either."""

# Written to the log of the database like a commit, and to no table: it waits for the disk, and for
# the standbys where commits do.
_PROBE = text("SELECT pg_logical_emit_message(true, 'allibe', 'ping')")
_READ_ONLY = text("SELECT current_setting('transaction_read_only')::boolean")

log = structlog.get_logger(__name__)


class PostgresqlDatabase:
    """`Database` over a PostgreSQL database, the primary where there are several hosts.

    Connections are opened when they are needed, at most `connections`; calls beyond that wait
    their turn. A call whose caller was cancelled goes on if it has begun. Raises `ValueError` for
    a URL that does not name a database.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        call_seconds: float = CALL_SECONDS,
        close_seconds: float = CLOSE_SECONDS,
        **limits: float,
    ) -> None:
        self._connections = Connections(url, connections, {**LIMITS, **limits})
        self._writing = self._connections.engine
        # The isolation level in which all statements see the moment of the first.
        self._reading = self._writing.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._turns = asyncio.Semaphore(connections)
        self._call_seconds = call_seconds
        self._close_seconds = close_seconds
        self._calls: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._away = Away(), Away()
        """Of reading and of writing: a database may do the one and not the other."""

    async def read(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a function that only reads, in a transaction that cannot write."""
        return await self._run(self._reading, lambda c: function(c, *args, **kwargs))

    async def write(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a function that may write; what it changes it locks first."""
        return await self._run(self._writing, lambda c: function(c, *args, **kwargs))

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless a commit reaches the disk."""
        await self.write(_probe)

    async def close(self) -> None:
        """Let running transactions finish and close all connections.

        After `close_seconds` it closes them without asking the server: one that hangs must not
        keep the process from ending.
        """
        self._closed = True
        try:
            async with asyncio.timeout(self._close_seconds):
                if self._calls:
                    await asyncio.wait(self._calls)
                await self._connections.close()
        except TimeoutError:
            log.warning("database_did_not_close_in_time", seconds=self._close_seconds)
        self._connections.drop()

    async def _run(self, engine: AsyncEngine, function: Callable[[Connection], R]) -> R:
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        away = self._away[engine is self._writing]
        call = _Call(engine, function, self._turns, away)
        task = asyncio.create_task(call.run())
        self._calls.add(task)
        # Not the caller's to cut off: it may be cancelled, and the call go on.
        limit = partial(self._cut_off, call, task)
        timer = asyncio.get_running_loop().call_later(self._call_seconds, limit)
        task.add_done_callback(partial(self._ended, timer))
        try:
            await asyncio.wait({task}, timeout=self._call_seconds)
        except asyncio.CancelledError:
            if not call.begun:
                task.cancel()
            raise
        if task.done() and not call.overran:
            return task.result()
        raise StoreUnavailable("The store did not answer in time; try again.")

    def _cut_off(self, call: "_Call[Any]", task: "asyncio.Task[Any]") -> None:
        call.overran = True
        call.away.failed("database_too_slow", seconds=self._call_seconds, begun=call.begun)
        if call.begun:
            self._connections.cut_off(task)
        else:
            task.cancel()

    def _ended(self, timer: asyncio.TimerHandle, task: "asyncio.Task[Any]") -> None:
        timer.cancel()
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # seen, though its caller may be gone


class _Call(Generic[R]):
    """One transaction: waits for its turn, then runs."""

    def __init__(
        self,
        engine: AsyncEngine,
        function: Callable[[Connection], R],
        turns: asyncio.Semaphore,
        away: Away,
    ) -> None:
        self._engine = engine.sync_engine
        self._function = function
        self._turns = turns
        self.away = away
        self.begun = False
        self.overran = False

    async def run(self) -> R:
        async with self._turns:
            self.begun = True
            try:
                return await greenlet_spawn(self._transact)
            except UNREACHABLE as error:
                self.away.failed("database_failed", error=type(error).__name__)
                raise StoreUnavailable from None

    def _transact(self) -> R:
        with errors_translated(self.away):
            try:
                with self._engine.begin() as connection:
                    return self._function(connection)
            except ProgrammingError as error:
                if not is_not_migrated(error):
                    raise
                raise StoreUnavailable(NOT_CURRENT) from None


def _probe(connection: Connection) -> None:
    if connection.execute(_READ_ONLY).scalar_one():
        log.warning("database_takes_no_writes")
        raise StoreUnavailable
    connection.execute(_PROBE)
