"""What PostgreSQL's errors mean to the store, told by SQLAlchemy's classes.

asyncpg knows the standard's five-letter codes, SQLAlchemy makes few classes of them: a deadlock,
a full disk and a value that is too long are all a plain `DBAPIError`. See `store.database` for
what becomes of each class, and PostgreSQL's "Appendix A. Error Codes".
"""

import asyncpg
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

_CANNOT_HOLD = ("22", "54")
"""The data cannot be stored: wrong, or beyond a fixed limit."""

_KEPT = ("23", "42")
"""Broken constraints, which SQLAlchemy tells apart, and mistakes of ours."""

_NOT_PERMITTED = "42501"
"""No mistake of ours: somebody took a right away, and may give it back."""

_NOT_MIGRATED = frozenset({"42P01", "42703"})
"""A table or column is missing."""

_BROKEN = ("08", "57P", "25006", "25P03")
"""The connection is replaced: it is cut off, or leads to a server that takes no writes."""

UNREACHABLE = (OSError, TimeoutError)
"""What opening a connection may raise that is no error of the driver's."""


def translate(context: ExceptionContext) -> DBAPIError | None:
    """Return the error that says what the driver's means; an event listener of SQLAlchemy.

    Whatever is not known to be about the data or the statement is `OperationalError`: to be
    tried again.
    """
    original = context.original_exception
    if not isinstance(context.sqlalchemy_exception, DBAPIError):
        return None
    code = getattr(original, "sqlstate", None)
    if code is None:
        about_data = isinstance(original.__cause__, asyncpg.DataError)
    else:
        about_data = code.startswith(_CANNOT_HOLD)
        context.is_disconnect = context.is_disconnect or code.startswith(_BROKEN)
        if code.startswith(_KEPT) and code != _NOT_PERMITTED:
            return None
    kind = DataError if about_data else OperationalError
    return kind(None, None, original, connection_invalidated=context.is_disconnect)


def is_not_migrated(error: DBAPIError) -> bool:
    """Tell whether a statement failed because tables are not what this code expects."""
    return getattr(error.orig, "sqlstate", None) in _NOT_MIGRATED


def reason(error: BaseException) -> str:
    """Return in one line why a connection cannot be opened; never with the password."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig  # the driver's own words
    if isinstance(error, TimeoutError) or not str(error):
        return "no answer"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return str(error).splitlines()[0]
