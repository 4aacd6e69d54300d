"""Worker processes over RabbitMQ, PostgreSQL and Redis: pushed once, also by who takes over."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from allibe_services.bus.rabbitmq import RabbitMqBus
from allibe_services.contracts.push import PushReason
from allibe_services.outbound import OutboundClient
from allibe_services.presence.redis import RedisPresence
from allibe_services.redis_link import RedisLink
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from tests.integration.shard_sharing.processes import WorkerProcess
from tests.support import loopback_pushes
from tests.support.push_service import PushService
from tests.support.pushing import BOB, SUBJECT, PushWorld

StartWorker = Callable[[], "asyncio.Future[WorkerProcess]"]
PROGRAM = (sys.executable, loopback_pushes.__file__)


@pytest.fixture
async def spread(
    amqp_url: str,
    postgres_with_tables: str,
    redis_url: str,
    service: PushService,
    client: OutboundClient,
) -> AsyncIterator[PushWorld]:
    """What worker processes stand on; the test is the gateway."""
    store, link = (
        SqlStore(PostgresqlDatabase(postgres_with_tables)),
        RedisLink(redis_url, call_seconds=2),
    )
    async with RabbitMqBus(amqp_url) as bus:
        yield PushWorld(store, bus, service, client, presence=RedisPresence(link))
    await link.close()
    await store.close()


@pytest.fixture
def start(
    tmp_path: Path,
    spread: PushWorld,
    amqp_url: str,
    postgres_with_tables: str,
    redis_url: str,
) -> Iterator[StartWorker]:
    with ExitStack() as stack:

        def begin() -> WorkerProcess:
            worker = WorkerProcess(
                tmp_path / f"worker-{len(list(tmp_path.iterdir()))}",
                bus=amqp_url,
                database=postgres_with_tables,
                redis=redis_url,
                program=PROGRAM,
                settings={
                    loopback_pushes.TRUST: str(tmp_path / "localhost.pem"),
                    "ALLIBE_VAPID_PRIVATE_KEY": spread.key.private_key,
                    "ALLIBE_VAPID_SUBJECT": SUBJECT,
                    "ALLIBE_PUSH_DELAY_SECONDS": "5",
                },
            )
            stack.callback(worker.close)
            worker.launch()
            worker.until_ready()
            return worker

        yield lambda: asyncio.ensure_future(asyncio.to_thread(begin))


async def test_a_worker_killed_between_scheduling_and_sending_is_made_up_for_once(
    spread: PushWorld, start: StartWorker
) -> None:
    await spread.room(BOB)
    await spread.subscribe(BOB)
    worker = await start()
    await spread.say("hello")
    assert await spread.pushed(1) == ["alice: hello"]
    await spread.is_decided(BOB, PushReason.SENT)
    name = 'allibe_push_decisions_total{reason="sent"}'
    assert await asyncio.to_thread(worker.metric, name) == 1

    await spread.look(BOB)  # elsewhere: the next one waits for a while
    await spread.say("again")
    await spread.is_scheduled(BOB, up_to=2)
    worker.signal(signal.SIGKILL)
    await asyncio.to_thread(worker.wait)
    assert spread.service.asked == 1
    await start()
    assert await spread.pushed(2) == ["alice: hello", "alice: again"]
    await asyncio.sleep(2.5)
    assert spread.service.asked == 2
