"""Bring a database's tables to what this code expects. Synchronous: run it before serving."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError

from allibe_services.store import postgresql_exclusive, sqlite
from allibe_services.store.revisions import check_revision, newer

R = TypeVar("R")

_TABLES = text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")


class _Kind(Protocol):
    """What the module of a kind of database offers to migrations."""

    def exists(self, url: str) -> bool: ...

    def exclusively(self, url: str, function: Callable[[Connection], R]) -> R: ...


_KINDS: dict[str, _Kind] = {"sqlite": sqlite, "postgresql": postgresql_exclusive}


def migrate(url: str) -> None:
    """Bring the database to the newest revision; do nothing where it is there already.

    All or nothing, and safe when several processes do it at once: the others wait, and find it
    done. Raises `ValueError` for a URL that is not supported, for a database that is newer than
    this code and for another program's file, `StoreUnavailable`, and `OSError` where the file
    cannot be made.
    """
    kind_of(url).exclusively(url, _upgrade)


def current(url: str) -> str | None:
    """Return the revision that the database is at, None for an empty or missing one.

    Raises `ValueError` for a URL that is not supported and for another program's file,
    `StoreUnavailable`.
    """
    kind = kind_of(url)
    if not kind.exists(url):
        return None
    return kind.exclusively(url, revision_of)


def check_exists(url: str) -> None:
    """Raise `ValueError` where there is no database: of SQLite's, no file."""
    if not kind_of(url).exists(url):
        raise ValueError(f"there is no database at {sqlite.path_of(url)}")


def check_current(url: str) -> None:
    """Raise `ValueError` unless the database's tables are this code's, and as `current`."""
    check_exists(url)
    check_revision(current(url))


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's settings for our migrations, to be run in a connection's transaction."""
    config = Config()
    config.set_main_option("script_location", "allibe_services.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    config = configuration(connection)
    revision = revision_of(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision not in known | {None}:
        raise ValueError(newer(revision))
    command.upgrade(config, "head")


def revision_of(connection: Connection) -> str | None:
    """Return the revision that the database is at, None for an empty one.

    Raises `ValueError` for another program's file. A PostgreSQL database may be shared.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None and connection.dialect.name == "sqlite" and _has_tables(connection):
        raise ValueError("the database is another program's: it has tables, but none of Allibe's")
    return revision


def _has_tables(connection: Connection) -> bool:
    return connection.execute(_TABLES).first() is not None


def kind_of(url: str) -> _Kind:
    """Return what reaches a kind of database. Raises `ValueError` for one that is not supported."""
    try:
        kind = make_url(url).get_backend_name()
    except (ArgumentError, ValueError):  # whose text may hold part of a password
        raise ValueError(
            "not a database URL; wanted sqlite:////absolute/path or postgresql://…"
        ) from None
    if kind not in _KINDS:
        raise ValueError(f"no store on {kind}; supported: {', '.join(_KINDS)}")
    return _KINDS[kind]
