"""Fixtures: databases with tables and nothing in them, and stores on each kind of database.

A database of PostgreSQL takes the time of one statement. Making one from a migrated template and
dropping it takes 0.2 s, emptying one 0.05 s; the contract tests want a hundred. So one is made that
way and then emptied for each test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from allibe_services.store.migrate import migrate
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from allibe_services.store.tables import metadata
from deploy.cluster.servers import PostgreSQL

_EMPTY = "; ".join(
    [
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        f"TRUNCATE {', '.join(metadata.tables)}",
        "INSERT INTO last_revocation VALUES (1, 0)",  # as the migrations leave it
    ]
)


@pytest.fixture(scope="session")
def shared_database(postgres: PostgreSQL) -> str:
    """The name of the database that is emptied."""
    migrate(postgres.create_database("shared"))
    return "shared"


@pytest.fixture
def postgres_with_tables(postgres: PostgreSQL, shared_database: str) -> Iterator[str]:
    """The address of a database with empty tables, for tests that do not change the tables.

    Whoever is still connected at the end is cut off. Others take `postgres_url` and migrate it.
    """
    yield postgres.url(shared_database)
    postgres.sql(_EMPTY, shared_database)


@pytest.fixture
def sqlite_with_tables(tmp_path: Path) -> str:
    """The URL of a new SQLite database with tables."""
    url = f"sqlite:///{tmp_path}/store/allibe.db"
    migrate(url)
    return url


STORES: dict[str, tuple[str, Callable[[str], SqlStore]]] = {
    "sqlite": ("sqlite_with_tables", lambda url: SqlStore(SqliteDatabase(url))),
    "postgresql": ("postgres_with_tables", lambda url: SqlStore(PostgresqlDatabase(url))),
}
"""For each kind of database: the fixture that makes a new one, and what opens a store on it."""


@pytest.fixture(params=STORES)
async def open_store(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Callable[[], Awaitable[SqlStore]]]:
    """Open stores over one new database: a second one is as if from another process."""
    fixture, open_at = STORES[request.param]
    url = request.getfixturevalue(fixture)
    opened: list[SqlStore] = []

    async def open_one() -> SqlStore:
        opened.append(open_at(url))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Callable[[], Awaitable[SqlStore]]) -> SqlStore:
    """One store over a new database."""
    return await open_store()
