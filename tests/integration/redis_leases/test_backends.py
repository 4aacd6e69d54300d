"""`backends` with `redis:` in ALLIBE_REDIS_URL."""

from pathlib import Path

import msgspec
import pytest

from allibe_services.backends import backends
from allibe_services.presence.redis import RedisPresence
from allibe_services.settings import Settings
from allibe_services.workers.redis import RedisWorkers
from deploy.cluster.servers import Redis
from tests.integration.redis_leases.calls import fails_in_time, works_soon


@pytest.fixture
def settings(server: Redis, tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/allibe.db", redis_url=server.url())


async def test_presence_and_workers_share_a_link_that_closes_with_them(
    server: Redis, settings: Settings
) -> None:
    async with backends(settings) as parts:
        assert isinstance(parts.presence, RedisPresence)
        assert isinstance(parts.workers, RedisWorkers)
        await works_soon(parts.presence)
        assert await parts.workers.announce("one") == {"one"}
        assert server.command("CLIENT", "LIST").count("name=allibe") == 1
    assert server.command("CLIENT", "LIST").count("name=allibe") == 0
    assert await fails_in_time(parts.presence.ping()) < 0.2
    async with backends(settings) as parts:
        assert await parts.workers.announce("two") == {"one", "two"}


async def test_the_publish_limit_reaches_it(server: Redis, settings: Settings) -> None:
    async with backends(msgspec.structs.replace(settings, publish_seconds=0.1)) as parts:
        server.freeze()
        await fails_in_time(parts.presence.ping(), 0.6)
        await fails_in_time(parts.workers.announce("one"), 0.6)
