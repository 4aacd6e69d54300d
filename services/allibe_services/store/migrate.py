"""Bring a database's tables to what this code expects. Synchronous: run it before serving."""

from contextlib import AbstractContextManager
from typing import Protocol

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from allibe_services.store import sqlite


class _Kind(Protocol):
    """What the module of a kind of database offers to migrations."""

    def exists(self, url: str) -> bool: ...

    def exclusive(self, url: str) -> AbstractContextManager[Connection]: ...


_KINDS: dict[str, _Kind] = {"sqlite": sqlite}


def migrate(url: str) -> None:
    """Bring the database to the newest revision; do nothing where it is there already.

    All or nothing, and safe when several processes do it at once: the others wait, and find it
    done. Raises `ValueError` for a URL that is not supported, `StoreUnavailable`, and `OSError`
    where the file cannot be made.
    """
    with _kind_of(url).exclusive(url) as connection:
        command.upgrade(configuration(connection), "head")


def current(url: str) -> str | None:
    """Return the revision that the database is at, None for an empty or missing one.

    Raises `ValueError` for a URL that is not supported, `StoreUnavailable`.
    """
    kind = _kind_of(url)
    if not kind.exists(url):
        return None
    with kind.exclusive(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's settings for our migrations, to be run in a connection's transaction."""
    config = Config()
    config.set_main_option("script_location", "allibe_services.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _kind_of(url: str) -> _Kind:
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        raise ValueError("not a database URL; wanted sqlite:////absolute/path") from None
    if kind not in _KINDS:
        raise ValueError(f"no store on {kind}; supported: {', '.join(_KINDS)}")
    return _KINDS[kind]
