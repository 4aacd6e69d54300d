"""Stores over PostgreSQL databases that a test may do anything to."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store.migrate import migrate
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from deploy.cluster.servers import PostgreSQL

Open = Callable[..., SqlStore]


@pytest.fixture
def url(postgres_url: str) -> str:
    """A new database with tables, on the server that the tests of this process share."""
    migrate(postgres_url)
    return postgres_url


@pytest.fixture
async def open_store(url: str) -> AsyncIterator[Open]:
    """Open stores: `open_store(call_seconds=1.0, lock_timeout=0.2)`, elsewhere by `at=url`."""
    opened: list[SqlStore] = []

    def open_one(at: str = url, **options: float) -> SqlStore:
        connections = int(options.pop("connections", 4))
        opened.append(SqlStore(PostgresqlDatabase(at, connections=connections, **options)))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Open) -> SqlStore:
    """A store with the rooms `1` and `2`."""
    store = open_store()
    await make_rooms(store)
    return store


@pytest.fixture
def own_server(tmp_path: Path, postgres_template: Path) -> Iterator[PostgreSQL]:
    """A server of the test's own, to be stopped and frozen."""
    folder = tmp_path / "postgres"
    with PostgreSQL(folder, durable=False, template=postgres_template) as server:
        yield server


@pytest.fixture
def own_url(own_server: PostgreSQL) -> str:
    """A database with tables on it."""
    url = own_server.create_database("allibe")
    migrate(url)
    return url


async def make_rooms(store: SqlStore) -> None:
    for room_id in ("1", "2"):
        await store.rooms.create(f"Room {room_id}", UserId("alice"), room_id=RoomId(room_id))
