"""A new SQLite database with its tables, and a store over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase

from .looks import ALICE, ONE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is; its folder does not exist before it is opened or migrated."""
    return tmp_path / "store" / "allibe.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
async def database(url: str) -> AsyncIterator[SqliteDatabase]:
    """A database with tables, impatient enough for tests."""
    migrate(url)
    database = SqliteDatabase(url, busy_seconds=0.2, call_seconds=2.0)
    yield database
    await database.close()


@pytest.fixture
async def store(database: SqliteDatabase) -> SqlStore:
    return SqlStore(database)


@pytest.fixture
async def room(store: SqlStore) -> None:
    """Make room 1, of alice's."""
    await store.rooms.create("Room 1", ALICE, room_id=ONE)
