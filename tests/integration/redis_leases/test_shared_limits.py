"""Two gateways that share one Redis: what a user does at both counts together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from allibe_gateway.app import Entry
from allibe_services.rates.exchange import Exchange
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.rates.redis import RedisRates
from allibe_services.telemetry import LimitMetrics
from deploy.cluster.servers import Redis
from tests.integration.gateway import JsonClient, Site, running, token
from tests.integration.redis_leases.conftest import OpenLink

BURST = 10
POLICY = Policy(user_messages=Rate(0.01, BURST), user_connections=3)
"""One message in 100 s: what is refused stays refused for the whole test."""

PAUSE = 0.02
"""Seconds between exchanges: as many as there may be are waited for."""


class Gateway:
    """One of the two, with its own limiter."""

    def __init__(self, site: Site, exchange: Exchange) -> None:
        self.site = site
        self.exchange = exchange

    async def posts(self, client: JsonClient, count: int) -> int:
        """Post so many, one after the other; return how many were taken."""
        taken = 0
        for number in range(count):
            await client.send("message", content=f"m{number}")
            taken += await _answer(client) == "ack"
        return taken


@asynccontextmanager
async def gateway(folder: Path, open_link: OpenLink) -> AsyncIterator[Gateway]:
    limiter = Limiter(POLICY, LimitMetrics(CollectorRegistry()))
    exchange = Exchange(limiter, RedisRates(open_link()), pause=PAUSE)
    async with running(folder, entry=Entry(limiter=limiter)) as site:
        exchanging = asyncio.create_task(exchange.run())
        try:
            yield Gateway(site, exchange)
        finally:
            exchanging.cancel()


@pytest.fixture
async def gateways(
    tmp_path_factory: pytest.TempPathFactory, open_link: OpenLink
) -> AsyncIterator[tuple[Gateway, Gateway]]:
    async with (
        gateway(tmp_path_factory.mktemp("one"), open_link) as one,
        gateway(tmp_path_factory.mktemp("two"), open_link) as two,
    ):
        yield one, two


Gateways = tuple[Gateway, Gateway]


async def test_a_user_s_messages_count_together(gateways: Gateways) -> None:
    one, two = gateways
    here, there = await one.site.json_user(), await two.site.json_user()
    assert await one.posts(here, BURST) == BURST
    # Each refusal teaches the other gateway nothing: one message that it lets through does.
    taken = await until_refused(two, there)
    assert taken < BURST
    bob = await two.site.json_user("bob")
    assert await two.posts(bob, 3) == 3


async def test_a_user_s_connections_count_together_until_they_are_over(gateways: Gateways) -> None:
    one, two = gateways
    first = [await one.site.json_user() for _ in range(2)]
    await two.site.json_user()
    await _told(one, two)
    refused = await two.site.json(f"roomId=1&token={token()}")
    assert (await refused.next())["code"] == "rate_limited"
    await first[0].close()
    async with asyncio.timeout(20):
        while not await _is_let_in(two.site):  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(PAUSE)


async def test_with_redis_killed_each_keeps_its_own_limits_and_chat_goes_on(
    gateways: Gateways, server: Redis
) -> None:
    one, two = gateways
    here, there = await one.site.json_user(), await two.site.json_user()
    server.kill()
    assert await one.posts(here, BURST + 2) == BURST
    assert await two.posts(there, BURST + 2) == BURST
    bob = await one.site.json_user("bob")
    assert await one.posts(bob, 1) == 1
    server.start()
    async with asyncio.timeout(20):  # what is spent from now on is told again
        while "rate:user_messages:bob" not in server.command("KEYS", "*"):
            await one.posts(bob, 1)
            await asyncio.sleep(PAUSE)


async def test_a_redis_that_has_lost_everything_loosens_nothing(
    gateways: Gateways, server: Redis
) -> None:
    one, _ = gateways
    here = await one.site.json_user()
    assert await one.posts(here, BURST + 1) == BURST
    server.command("FLUSHALL")
    await asyncio.sleep(5 * PAUSE)
    assert await one.posts(here, 3) == 0


async def until_refused(gateway: Gateway, client: JsonClient) -> int:
    """Post now and then until it is refused; return how many were taken."""
    taken = 0
    while await gateway.posts(client, 1):
        taken += 1
        await asyncio.sleep(10 * PAUSE)
    return taken


async def _answer(client: JsonClient) -> str:
    while (kind := str((await client.next())["type"])) not in ("ack", "error"):
        pass
    return kind


async def _told(*gateways: Gateway) -> None:
    """Return once each has told what it holds, and then learned."""
    for _ in range(2):
        for one in gateways:
            one.exchange._renew_at = 0.0
            await one.exchange.once()


async def _is_let_in(site: Site) -> bool:
    client = await site.json(f"roomId=1&token={token()}")
    answer = await client.next()
    await client.close()
    return str(answer["type"]) == "joined"
