"""A Redis that a test may do anything to, and ways to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from allibe_services.presence.redis import RedisPresence
from allibe_services.redis_link import RedisLink
from deploy.cluster.servers import Redis
from tests.support.tcp_proxy import TcpProxy

OpenLink = Callable[..., RedisLink]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    """One of the test's own: it takes 0.1 s to start."""
    with Redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def proxy(server: Redis) -> Iterator[TcpProxy]:
    """A network to it that can misbehave."""
    with TcpProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
async def open_link(server: Redis) -> AsyncIterator[OpenLink]:
    """Open links: `open_link(url, call_seconds=5, connections=8)`; each must close in time."""
    opened: list[RedisLink] = []

    def open_one(url: str | None = None, **options: float) -> RedisLink:
        opened.append(RedisLink(url or server.url(), **{"call_seconds": 5, **options}))  # type: ignore[arg-type]
        return opened[-1]

    yield open_one
    async with asyncio.timeout(5):
        for link in opened:
            await link.close()


@pytest.fixture
def link(open_link: OpenLink) -> RedisLink:
    return open_link()


@pytest.fixture
def presence(link: RedisLink) -> RedisPresence:
    return RedisPresence(link)


@pytest.fixture
def through_proxy(open_link: OpenLink, server: Redis, proxy: TcpProxy) -> RedisPresence:
    return RedisPresence(open_link(server.url().replace(str(server.port), str(proxy.port))))
