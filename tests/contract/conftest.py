"""What the contract tests are run against: each fixture has one parameter per implementation."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import MessageId, RoomId, UserId, new_message_id
from allibe_services.store.base import Store
from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase


def _sqlite(folder: Path) -> tuple[str, Callable[[str], Store]]:
    return f"sqlite:///{folder}/store/allibe.db", lambda url: SqlStore(SqliteDatabase(url))


STORES = {"sqlite": _sqlite}
"""For each database: make one to use, and return its URL and what opens a store on it."""


@pytest.fixture(params=STORES)
async def open_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Callable[[], Awaitable[Store]]]:
    """Open stores over one new database: a second one is as if from another process."""
    url, open_at = STORES[request.param](tmp_path)
    migrate(url)
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
