"""What runs the store's SQL: transactions with a time limit, and errors translated once.

The SQL itself is plain functions of a SQLAlchemy `Connection` (`log`, `rooms`, `members`).
A database of one kind (`sqlite`, `postgresql`) decides where they run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.away import Away

P = ParamSpec("P")
R = TypeVar("R")

CALL_SECONDS = 5.0
"""Longest that a call may take, its wait for a thread included: what a person still waits for."""

NOT_CURRENT = "The database's schema is not current: run `allibe migrate`."


class Database(Protocol):
    """Runs functions of a connection, each in a transaction of its own.

    The transaction is committed when the function returns and rolled back when it raises. A
    database that is away, locked, full, broken or slow is `StoreUnavailable` (retryable). A write
    that overran its time limit (or whose caller was cancelled) may still be committed later.
    """

    async def read(
        self,
        function: Callable[Concatenate[Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run a function that only reads; all its statements see the same moment."""
        ...

    async def write(
        self,
        function: Callable[Concatenate[Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run a function that may write; what it wrote is durable on return."""
        ...

    async def ping(self) -> None:
        """Raise `StoreUnavailable` unless a write would be taken now."""
        ...

    async def close(self) -> None:
        """Let running transactions finish, then close all connections; later calls fail.

        Returns after a few seconds also where a transaction hangs.
        """
        ...


@contextmanager
def errors_translated(away: Away) -> Iterator[None]:
    """Turn the driver's ways of saying "not now" into `StoreUnavailable`; note what came of it.

    Only the driver's name for the error is logged: its text may hold SQL or content. What is
    left (`IntegrityError`, `DataError`, `ProgrammingError`) means something to the caller, or is
    a mistake of ours.
    """
    try:
        yield
    except DBAPIError as error:
        if not is_unavailable(error):
            raise
        away.failed("database_failed", error=name_of(error))
        raise StoreUnavailable from None
    else:
        away.answered()


def is_unavailable(error: DBAPIError) -> bool:
    """Tell "not now" from what means something to the caller."""
    # Which errors mean a broken connection, the module of the database's kind has said.
    return error.connection_invalidated or isinstance(
        error, OperationalError | InterfaceError | InternalError
    )


def name_of(error: DBAPIError) -> str:
    """Return the driver's name for it."""
    for attribute in ("sqlite_errorname", "sqlstate"):
        name = getattr(error.orig, attribute, None)
        if isinstance(name, str):
            return name
    return type(error.orig).__name__
