"""Presences, worker memberships, tickets and rates for the contract tests, and how time passes.

The clock of a real Redis cannot be moved. What it holds can be made older instead: everything that
was to end at a certain time then does so earlier by as much.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from yarl import URL

from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.presence.redis import RedisPresence
from allibe_services.rates.inprocess import InProcessRates
from allibe_services.rates.redis import RedisRates
from allibe_services.redis_link import RedisLink
from allibe_services.tickets.inprocess import InProcessTickets
from allibe_services.tickets.redis import RedisTickets
from allibe_services.workers.inprocess import InProcessWorkers
from allibe_services.workers.redis import RedisWorkers
from deploy.cluster.servers import Redis

PassSeconds = Callable[[float], Awaitable[None]]
"""Lets time pass for what was opened with it, without waiting."""

Opened = AsyncIterator[tuple[Any, PassSeconds]]

_OLDER = """
for _, key in ipairs(redis.call('KEYS', '*')) do
    if redis.call('TYPE', key).ok == 'zset' then
        for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
            redis.call('ZINCRBY', key, -ARGV[1], member)
        end
    end
    if redis.call('TYPE', key).ok == 'hash' and string.find(key, 'held:') then
        for _, field in ipairs(redis.call('HKEYS', key)) do
            local count, ends = string.match(redis.call('HGET', key, field), '(%d+) (%d+)')
            redis.call('HSET', key, field, count .. ' ' .. string.format('%.0f', ends - ARGV[1]))
        end
    end
    if redis.call('TYPE', key).ok == 'string' and string.find(key, 'rate:') then
        redis.call('INCRBYFLOAT', key, -ARGV[1])
    end
    redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1])
end
"""


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def pass_seconds(self, seconds: float) -> None:
        self.now += seconds


@asynccontextmanager
async def _inprocess_presence(_: pytest.FixtureRequest) -> Opened:
    clock = Clock()
    presence = InProcessPresence(clock=clock)
    yield presence, clock.pass_seconds
    await presence.close()


@asynccontextmanager
async def _inprocess_workers(_: pytest.FixtureRequest) -> Opened:
    clock = Clock()
    yield InProcessWorkers(clock=clock), clock.pass_seconds


@asynccontextmanager
async def _inprocess_rates(_: pytest.FixtureRequest) -> Opened:
    clock = Clock()
    yield InProcessRates(clock=clock), clock.pass_seconds


@asynccontextmanager
async def _redis_presence(request: pytest.FixtureRequest) -> Opened:
    link = RedisLink(request.getfixturevalue("redis_url"), call_seconds=5)
    presence = RedisPresence(link)
    yield presence, _older(request)
    await presence.close()
    await link.close()


@asynccontextmanager
async def _redis_workers(request: pytest.FixtureRequest) -> Opened:
    link = RedisLink(request.getfixturevalue("redis_url"), call_seconds=5)
    yield RedisWorkers(link), _older(request)
    await link.close()


@asynccontextmanager
async def _inprocess_tickets(_: pytest.FixtureRequest) -> Opened:
    clock = Clock()
    yield InProcessTickets(clock=clock), clock.pass_seconds


@asynccontextmanager
async def _redis_tickets(request: pytest.FixtureRequest) -> Opened:
    link = RedisLink(request.getfixturevalue("redis_url"), call_seconds=5)
    yield RedisTickets(link), _older(request)
    await link.close()


@asynccontextmanager
async def _redis_rates(request: pytest.FixtureRequest) -> Opened:
    link = RedisLink(request.getfixturevalue("redis_url"), call_seconds=5)
    yield RedisRates(link), _older(request)
    await link.close()


def _older(request: pytest.FixtureRequest) -> PassSeconds:
    server: Redis = request.getfixturevalue("redis_server")
    database = int(URL(request.getfixturevalue("redis_url")).path.strip("/"))

    async def pass_seconds(seconds: float) -> None:
        server.command("EVAL", _OLDER, "0", str(round(seconds * 1000)), database=database)

    return pass_seconds


PRESENCES = {"inprocess": _inprocess_presence, "redis": _redis_presence}
WORKERS = {"inprocess": _inprocess_workers, "redis": _redis_workers}
TICKETS = {"inprocess": _inprocess_tickets, "redis": _redis_tickets}
RATES = {"inprocess": _inprocess_rates, "redis": _redis_rates}
"""For each implementation: what opens an empty one for a test."""
