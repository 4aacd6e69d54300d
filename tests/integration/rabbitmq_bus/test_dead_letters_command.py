"""`allibe dead-letters` on RabbitMQ: from a message that ends its workers to history."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aio_pika
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from allibe_fanout_worker.app import worker
from allibe_services.bus.rabbitmq import RabbitMqBus, codec
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.runtime import Readiness, Tasks
from allibe_services.store.base import Store
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from allibe_services.telemetry import WorkerMetrics
from allibe_services.workers.inprocess import InProcessWorkers
from allibe_standalone import dead_letters as module
from allibe_standalone.cli import cli
from tests.contract.factories_bus import Consumer
from tests.integration.rabbitmq_bus.parts import PATIENT, bus_on, operator
from tests.support.commands import post
from tests.support.server import run_allibe

ROOM = RoomId("1")
DELIVERIES = 2
SECRET_WORDS = "what nobody else may read"


@pytest.fixture
async def store(sqlite_with_tables: str) -> AsyncIterator[SqlStore]:
    store = SqlStore(SqliteDatabase(sqlite_with_tables))
    await store.rooms.create("Room", UserId("alice"), room_id=ROOM)
    yield store
    await store.close()


@pytest.fixture(autouse=True)
def _logs_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is run in this process, which costs a second less."""
    monkeypatch.setattr(module, "configure_logging", lambda *_, **__: None)


async def allibe(url: str, *arguments: str, code: int = 0) -> str:
    """Run `allibe dead-letters`; return what it prints, or its one line of error."""
    invoke = partial(CliRunner().invoke, cli, ["dead-letters", *arguments])
    done = await asyncio.to_thread(invoke, env={"ALLIBE_BUS_URL": url})
    assert done.exit_code == code, done.output
    assert SECRET_WORDS not in done.output
    if code == 1:
        assert len(done.stderr.splitlines()) == 1, done.stderr
        return done.stderr
    return done.stdout


async def listed(url: str, count: int) -> list[dict[str, Any]]:
    """Return so many dead letters, after waiting for them."""
    async with asyncio.timeout(30):
        while True:
            letters: list[dict[str, Any]] = json.loads(await allibe(url, "list", "--json"))
            if len(letters) == count:
                return letters


@asynccontextmanager
async def working(bus: RabbitMqBus, store: Store) -> AsyncIterator[None]:
    """Run a worker that is well."""
    tasks = Tasks()
    async with worker(
        bus=bus,
        store=store,
        presence=InProcessPresence(),
        workers=InProcessWorkers(),
        metrics=WorkerMetrics(CollectorRegistry()),
        readiness=Readiness(),
        tasks=tasks,
    ):
        yield
    await tasks.close()


async def history(store: Store, count: int) -> list[tuple[int, str]]:
    """Return a room's offsets and contents, once there are so many."""
    async with asyncio.timeout(30):
        while len(found := await store.log.after(ROOM, 0, most=50)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return [(one.offset, one.content) for one in found]


async def test_a_message_that_killed_its_workers_is_replayed_once(
    amqp_url: str, store: SqlStore
) -> None:
    poison = post(SECRET_WORDS, client="c-1")
    async with bus_on(
        amqp_url, publish_seconds=PATIENT, delivery_limit=DELIVERIES, shards=16
    ) as bus:
        await bus.post(poison)
        for _ in range(DELIVERIES + 1):
            consumer = Consumer(bus, acks=False)
            await consumer.held.get()
            await consumer.die()
        async with working(bus, store):
            await bus.post(post("later"))
            assert await history(store, 1) == [(1, "later")]
            [letter] = await listed(amqp_url, 1)
            assert letter["roomIds"] == [ROOM]
            assert (letter["reason"], letter["commands"]) == ("delivery_limit", 1)
            assert letter["deaths"] == 1
            assert letter["firstDiedAt"]
            table = await allibe(amqp_url, "list")
            assert letter["id"] in table
            assert "delivery_limit" in table

            replay = partial(run_allibe, "dead-letters", "replay", letter["id"])
            done = await asyncio.to_thread(replay, environment={"ALLIBE_BUS_URL": amqp_url})
            assert done.stdout == "Replayed 1 dead letter with 1 message; 0 left.\n", done.stderr
            assert await history(store, 2) == [(1, "later"), (2, SECRET_WORDS)]

            assert "no dead letter" in await allibe(amqp_url, "replay", letter["id"], code=1)
            # As if its replay had been confirmed, and then its operator had been gone.
            await put_dead(amqp_url, codec.encode([poison]), f"{letter['shard']}.{ROOM}")
            assert [one["id"] for one in await listed(amqp_url, 1)] == [letter["id"]]
            await allibe(amqp_url, "replay", "--all")
            await bus.post(post("last"))  # behind it: it was handled by then
            assert (await history(store, 3))[2] == (3, "last")
        assert await allibe(amqp_url, "list") == "There are no dead letters.\n"


async def test_dropping_needs_a_yes_and_takes_what_is_named(amqp_url: str) -> None:
    async with bus_on(amqp_url, publish_seconds=PATIENT):
        for content in "ab":
            await put_dead(amqp_url, codec.encode([post(content)]), "1.1")
    first, second = await listed(amqp_url, 2)
    await allibe(amqp_url, "drop", first["id"], code=2)
    await allibe(amqp_url, "drop", "--yes", code=2)
    await allibe(amqp_url, "drop", "--yes", "--all", first["id"], code=2)
    assert len(await listed(amqp_url, 2)) == 2
    said = await allibe(amqp_url, "drop", second["id"], "--yes")
    assert said == "Dropped 1 dead letter with 1 message; 1 left.\n"
    assert [one["id"] for one in await listed(amqp_url, 1)] == [first["id"]]


async def test_what_is_wrong_is_one_line(amqp_url: str) -> None:
    assert "no queue chat.dead" in await allibe(amqp_url, "list", code=1)
    away = amqp_url.replace("127.0.0.1", "127.0.0.99")
    assert "ALLIBE_BUS_URL: RabbitMQ is away" in await allibe(away, "list", code=1)
    assert "not a URL" in await allibe(amqp_url.replace("/test", "99999/test"), "list", code=1)
    assert "has no dead letters" in await allibe("inprocess:", "replay", "--all", code=1)


async def put_dead(url: str, body: bytes, key: str) -> None:
    """Put a dead letter there."""
    async with operator(url) as channel:
        exchange = await channel.get_exchange("chat.dead", ensure=False)
        message = aio_pika.Message(body, content_type=codec.COMMANDS, delivery_mode=2)
        await exchange.publish(message, routing_key=key)
