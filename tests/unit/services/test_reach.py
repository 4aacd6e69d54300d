"""`reach`: what `allibe check` says of a RabbitMQ and a Redis that do not let it in."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from allibe_services import reach
from allibe_services.reach import unreached
from allibe_services.settings import Settings

PASSWORD = "hunter2-of-old"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Somebody who refuses Redis' passwords, and does not answer AMQP at all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = await reader.read(100)
        if not start.startswith(b"AMQP"):
            writer.write(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n" * 2)
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def settings(port: int) -> Settings:
    place = f"allibe:{PASSWORD}@127.0.0.1:{port}"
    return msgspec.structs.replace(
        Settings(), bus_url=f"amqp://{place}/", redis_url=f"redis://{place}/0"
    )


async def test_a_wrong_password_is_a_line_without_it(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(reach, "SECONDS", 1.0)
    bus, redis = await unreached(settings(port))
    assert bus == "ALLIBE_BUS_URL: RabbitMQ does not answer within 1 s"
    assert redis.startswith("ALLIBE_REDIS_URL: Redis: ")
    assert "invalid username-password pair" in redis
    assert PASSWORD not in bus + redis


async def test_nobody_there_is_a_line_each() -> None:
    bus, redis = await unreached(settings(1))
    assert bus.startswith("ALLIBE_BUS_URL: RabbitMQ: ")
    assert redis.startswith("ALLIBE_REDIS_URL: Redis: ")
    assert PASSWORD not in bus + redis


async def test_what_is_in_this_process_needs_nobody() -> None:
    assert await unreached(Settings()) == []
