"""What the contract tests are run against: each fixture has one parameter per implementation."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import MessageId, RoomId, UserId, new_message_id
from allibe_services.store.base import Store
from allibe_services.store.migrate import migrate
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from tests.support.databases import postgres_with_tables, shared_database
from tests.support.private_servers import (
    amqp_url,
    postgres,
    postgres_template,
    rabbitmq,
    redis_server,
    redis_url,
    servers_on_demand,
)

__all__ = [
    "amqp_url",
    "postgres",
    "postgres_template",
    "postgres_with_tables",
    "rabbitmq",
    "redis_server",
    "redis_url",
    "servers_on_demand",
    "shared_database",
]


@pytest.fixture
def sqlite_with_tables(tmp_path: Path) -> str:
    """The URL of a new SQLite database with tables."""
    url = f"sqlite:///{tmp_path}/store/allibe.db"
    migrate(url)
    return url


STORES: dict[str, tuple[str, Callable[[str], Store]]] = {
    "sqlite": ("sqlite_with_tables", lambda url: SqlStore(SqliteDatabase(url))),
    "postgresql": ("postgres_with_tables", lambda url: SqlStore(PostgresqlDatabase(url))),
}
"""For each kind of database: the fixture that makes a new one, and what opens a store on it."""


@pytest.fixture(params=STORES)
async def open_store(
    request: pytest.FixtureRequest,
) -> AsyncIterator[Callable[[], Awaitable[Store]]]:
    """Open stores over one new database: a second one is as if from another process."""
    fixture, open_at = STORES[request.param]
    url = request.getfixturevalue(fixture)
    opened: list[Store] = []

    async def open_one() -> Store:
        opened.append(open_at(url))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Callable[[], Awaitable[Store]]) -> Store:
    """One store over a new database."""
    return await open_store()


@pytest.fixture
def post() -> Callable[..., PostMessage]:
    """Make commands: `post(room, content, sender=…, client=…)`."""
    return _post


def _post(
    room: str = "1",
    content: str = "hello",
    *,
    sender: str = "alice",
    client: str | None = None,
    message: str | None = None,
    name: str | None = None,
    at: datetime | None = None,
) -> PostMessage:
    return PostMessage(
        message_id=new_message_id() if message is None else MessageId(message),
        room_id=RoomId(room),
        sender=UserId(sender),
        content=content,
        sent_at=at or datetime.now(UTC),
        sender_name=name,
        client_message_id=client,
    )
