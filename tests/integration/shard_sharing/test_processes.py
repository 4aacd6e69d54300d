"""Real workers that join, leave, die and freeze under load: each shard goes on within 15 s.

The times that these tests print are those of docs/decisions/0009-sharing-shards.md.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.cluster.servers import RabbitMQ, Redis
from tests.integration.shard_sharing.load import HAND_OVER_SECONDS, SHARDS, Load
from tests.integration.shard_sharing.processes import WorkerProcess
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.timeout(180)

Start = Callable[..., "asyncio.Future[list[WorkerProcess]]"]

HARDLY_NOTICED = 4.0
"""Seconds. Measured: 0.02 to 0.2, and up to 1 while a worker starts on two busy cores."""

ALL = set(range(SHARDS))


async def until(condition: Callable[[], bool], *, seconds: float = 30) -> float:
    """Return in how many seconds it holds."""
    clock = asyncio.get_running_loop().time
    began = clock()
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    return clock() - began


async def until_shared(*workers: WorkerProcess) -> float:
    """Return in how many seconds these workers, and only they, have disjoint and even shares."""
    return await until(lambda: _are_shared(*workers))


def _are_shared(*workers: WorkerProcess) -> bool:
    shares = [worker.shards() for worker in workers]
    sizes = [len(share) for share in shares]
    return set().union(*shares) == ALL and sum(sizes) == SHARDS and max(sizes) - min(sizes) <= 1


async def finished(load: Load, what: str, **seconds: float) -> None:
    """Stop, check the log, and tell what was measured."""
    await load.stop()
    count = await load.check()
    told = ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
    print(f"MEASURED {what}: {told}; {count} messages")


async def test_one_joins_and_one_is_stopped(load: Load, start: Start) -> None:
    """No message waits: who is to have a shard stands by before it is let go of."""
    [first] = await start()
    await load.until_steady()
    assert first.shards() == ALL
    load.forget()
    [second] = await start()
    shared = await until_shared(first, second)
    await load.until_steady()
    join = load.longest
    load.forget()
    second.signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait) == 0
    alone = await until_shared(first)
    await load.until_steady()
    leave = load.longest
    await finished(load, "join, then SIGTERM", shared=shared, join=join, alone=alone, leave=leave)
    assert max(shared, alone) < HAND_OVER_SECONDS
    assert max(join, leave) < HARDLY_NOTICED


async def test_one_is_killed(load: Load, start: Start) -> None:
    """Its lease ends, and the others take over."""
    first, second, third = await start(3)
    await until_shared(first, second, third)
    await load.until_steady()
    load.forget()
    third.signal(signal.SIGKILL)
    await asyncio.to_thread(third.wait)
    shared = await until_shared(first, second)
    await load.until_steady()
    await finished(load, "SIGKILL", shared=shared, longest=load.longest)
    assert load.longest < HAND_OVER_SECONDS


async def test_one_is_frozen_and_wakes_up(load: Load, start: Start) -> None:
    """RabbitMQ drops it after three heartbeats; its late writes and acks harm nobody."""
    first, second, third = await start(3)
    await until_shared(first, second, third)
    await load.until_steady()
    load.forget()
    third.signal(signal.SIGSTOP)
    shared = await until_shared(first, second)
    await load.until_steady()
    frozen = load.longest
    load.forget()
    third.signal(signal.SIGCONT)
    back = await until_shared(first, second, third)
    await load.until_steady()
    await finished(
        load, "SIGSTOP, then SIGCONT", shared=shared, frozen=frozen, back=back, woken=load.longest
    )
    assert frozen < HAND_OVER_SECONDS
    assert load.longest < HARDLY_NOTICED


@pytest.mark.long
async def test_one_is_frozen_in_a_transaction(
    load: Load, start: Start, postgres_with_tables: str
) -> None:
    """PostgreSQL ends the transaction, and with it the locks that its heir waits for. When it
    wakes up it finds its batch stored."""
    workers = await start(2)
    await until_shared(*workers)
    await load.until_steady()
    room = load.rooms[0]
    [zombie] = [worker for worker in workers if 0 in worker.shards()]
    [heir] = [worker for worker in workers if worker is not zombie]
    async with _lock(postgres_with_tables, room) as operator:
        await _until_backend(operator, "wait_event_type = 'Lock'")
        load.forget()
        zombie.signal(signal.SIGSTOP)
    async with _connected(postgres_with_tables) as operator:
        await _until_backend(operator, "state = 'idle in transaction' AND query LIKE '%FOR %'")
    shared = await until_shared(heir)
    await load.until_steady()
    frozen, stored = load.longest, heir.metric("allibe_worker_messages_stored_total")
    load.forget()
    zombie.signal(signal.SIGCONT)
    await until(lambda: zombie.metric("allibe_worker_messages_duplicate_total") > 0)
    back = await until_shared(*workers)
    await load.until_steady()
    await finished(load, "SIGSTOP in a transaction", shared=shared, frozen=frozen, back=back)
    assert stored > 0
    assert frozen < HAND_OVER_SECONDS


@pytest.mark.long
async def test_one_is_killed_while_redis_is_away(load: Load, start: Start, tmp_path: Path) -> None:
    """All consume all shards then: who stands by goes on at once."""
    with Redis(tmp_path / "redis") as redis:
        first, second, third = await start(3, redis=redis.url())
        await until_shared(first, second, third)
        await load.until_steady()
        load.forget()
        await asyncio.to_thread(redis.kill)
        everything = await until(lambda: all(one.shards() == ALL for one in (first, second, third)))
        await load.until_steady()
        away = load.longest
        load.forget()
        third.signal(signal.SIGKILL)
        await asyncio.to_thread(third.wait)
        await load.until_steady()
        killed = load.longest
        load.forget()
        await asyncio.to_thread(redis.start)
        back = await until_shared(first, second)
        await load.until_steady()
        await finished(
            load,
            "Redis away, then SIGKILL",
            everything=everything,
            away=away,
            killed=killed,
            back=back,
            returned=load.longest,
        )
        assert everything < HAND_OVER_SECONDS
        assert max(away, killed, load.longest) < HARDLY_NOTICED


@pytest.mark.long
async def test_one_loses_its_way_to_rabbitmq(
    load: Load, start: Start, rabbitmq: RabbitMQ, amqp_url: str
) -> None:
    """It lives, and Redis hears of it; but it gives up its lease."""
    with TcpProxy(rabbitmq.port) as proxy:
        [first] = await start()
        [second] = await start(bus=amqp_url.replace(f":{rabbitmq.port}/", f":{proxy.port}/"))
        await until_shared(first, second)
        await load.until_steady()
        load.forget()
        await asyncio.to_thread(proxy.cut)
        await until(lambda: first.shards() == ALL)
        await load.until_steady()
        cut = load.longest
        load.forget()
        await asyncio.to_thread(proxy.heal)
        back = await until_shared(first, second)
        await load.until_steady()
        await finished(load, "way to RabbitMQ cut", longest=cut, back=back, healed=load.longest)
    assert cut < HAND_OVER_SECONDS
    assert load.longest < HARDLY_NOTICED


@pytest.mark.long
async def test_workers_are_replaced_one_by_one(load: Load, start: Start) -> None:
    """A rolling restart: nobody notices."""
    old = await start(2)
    await until_shared(*old)
    await load.until_steady()
    load.forget()
    for worker in old:
        await start()
        worker.signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait) == 0
    await load.until_steady()
    await finished(load, "rolling restart", longest=load.longest)
    assert load.longest < HARDLY_NOTICED


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _lock(url: str, room: str) -> AsyncIterator[asyncpg.Connection]:
    """Hold a room's row while the context lasts."""
    async with _connected(url) as connection, connection.transaction():
        await connection.execute("SELECT FROM rooms WHERE room_id = $1 FOR UPDATE", room)
        yield connection


async def _until_backend(operator: asyncpg.Connection, condition: str) -> None:
    """Return once a worker's session is like that."""
    query = (
        f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'allibe' AND {condition}"
    )
    async with asyncio.timeout(10):
        while not await operator.fetchval(query):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
