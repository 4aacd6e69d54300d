"""`backends` with `amqp:` in ALLIBE_BUS_URL."""

import msgspec
import pytest

from allibe_services.backends import backends, check_for_separate_processes
from allibe_services.bus.rabbitmq import RabbitMqBus
from allibe_services.settings import Settings


async def test_the_url_picks_rabbitmq_and_the_settings_reach_it(
    amqp_url: str, postgres_url: str, redis_url: str
) -> None:
    settings = Settings(
        bus_url=amqp_url,
        database_url=postgres_url,
        redis_url=redis_url,
        shards=3,
        shard_bytes=1 << 20,
    )
    check_for_separate_processes(settings)
    async with backends(settings) as parts:
        assert isinstance(parts.bus, RabbitMqBus)
        assert parts.bus.shards == 3
        await parts.bus.ping()
        await parts.presence.ping()
        await parts.workers.ping()
    others = msgspec.structs.replace(settings, shard_bytes=1 << 21)
    with pytest.raises(ValueError, match="ALLIBE_SHARD_BYTES"):
        async with backends(others):
            pytest.fail("it was opened")
