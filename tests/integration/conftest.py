"""Private servers, stores on them, and a gateway, for the tests of all folders here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.gateway import Site, running
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
    postgres_url,
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
    "postgres_url",
    "postgres_with_tables",
    "rabbitmq",
    "redis_server",
    "redis_url",
    "servers_on_demand",
    "shared_database",
    "sqlite_with_tables",
    "store",
]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A gateway as it is by default, over a new database."""
    async with running(tmp_path) as site:
        yield site
