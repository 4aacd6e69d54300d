"""Bring a database's tables to what this code expects. Synchronous: run it before serving."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from allibe_services.store import postgresql_exclusive, sqlite

R = TypeVar("R")


class _Kind(Protocol):
    """What the module of a kind of database offers to migrations."""

    def exists(self, url: str) -> bool: ...

    def exclusively(self, url: str, function: Callable[[Connection], R]) -> R: ...


_KINDS: dict[str, _Kind] = {"sqlite": sqlite, "postgresql": postgresql_exclusive}


def migrate(url: str) -> None:
    """Bring the database to the newest revision; do nothing where it is there already.

    All or nothing, and safe when several processes do it at once: the others wait, and find it
    done. Raises `ValueError` for a URL that is not supported and for a database that is newer
    than this code, `StoreUnavailable`, and `OSError` where the file cannot be made.
    """
    kind_of(url).exclusively(url, _upgrade)


def current(url: str) -> str | None:
    """Return the revision that the database is at, None for an empty or missing one.

    Raises `ValueError` for a URL that is not supported, `StoreUnavailable`.
    """
    kind = kind_of(url)
    if not kind.exists(url):
        return None
    return kind.exclusively(url, revision_of)


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
        raise ValueError(f"the database is newer than this code: its revision is {revision!r}")
    command.upgrade(config, "head")


def revision_of(connection: Connection) -> str | None:
    """Return the revision that the database is at, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def kind_of(url: str) -> _Kind:
    """Return what reaches a kind of database. Raises `ValueError` for one that is not supported."""
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        raise ValueError(
            "not a database URL; wanted sqlite:////absolute/path or postgresql://…"
        ) from None
    if kind not in _KINDS:
        raise ValueError(f"no store on {kind}; supported: {', '.join(_KINDS)}")
    return _KINDS[kind]
