"""RabbitMQ for the tests of this folder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from deploy.cluster.servers import RabbitMQ
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
async def alarm(rabbitmq: RabbitMQ) -> AsyncIterator[Callable[[bool], None]]:
    """Raises and lifts RabbitMQ's memory alarm."""
    yield rabbitmq.set_memory_alarm
    await asyncio.to_thread(rabbitmq.set_memory_alarm, False)


@pytest.fixture
def proxy(rabbitmq: RabbitMQ) -> Iterator[TcpProxy]:
    """A network to RabbitMQ that can misbehave."""
    with TcpProxy(rabbitmq.port) as proxy:
        yield proxy


@pytest.fixture
def proxied_url(proxy: TcpProxy, rabbitmq: RabbitMQ, amqp_url: str) -> str:
    """The test's virtual host, through the proxy."""
    return amqp_url.replace(f":{rabbitmq.port}/", f":{proxy.port}/")
