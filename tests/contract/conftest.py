"""What the contract tests are run against: each fixture has one parameter per implementation."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from allibe_services.bus.base import Bus
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import MessageId, RoomId, UserId, new_message_id
from allibe_services.store.retention import Retention
from allibe_services.store.sql import SqlStore
from tests.contract.factories_bus import BUSES, BusFactory
from tests.support.databases import (
    open_store,
    postgres_with_tables,
    shared_database,
    sqlite_with_tables,
    store,
)
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
    "open_store",
    "postgres",
    "postgres_template",
    "postgres_with_tables",
    "rabbitmq",
    "redis_server",
    "redis_url",
    "servers_on_demand",
    "shared_database",
    "sqlite_with_tables",
    "store",
]


@pytest.fixture(params=BUSES)
def open_bus(request: pytest.FixtureRequest) -> BusFactory:
    """What opens buses: see `BusFactory`."""
    return BUSES[request.param](request)


@pytest.fixture
async def bus(open_bus: BusFactory) -> AsyncIterator[Bus]:
    async with open_bus() as bus:
        yield bus


@pytest.fixture
def retention(store: SqlStore) -> Retention:
    """What deletes from the store."""
    return Retention(store._database)


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
