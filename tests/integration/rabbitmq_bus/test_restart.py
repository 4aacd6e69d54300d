"""RabbitMQ itself goes: what was confirmed is there when it is back, and everything goes on."""

import asyncio
from collections.abc import Iterator

import pytest

from allibe_services.contracts.errors import (
    BusUnavailable,
    NotConfirmed,
)
from deploy.cluster.servers import RabbitMQ
from tests.contract.factories_bus import Handler
from tests.integration.rabbitmq_bus.parts import (
    Sender,
    Worker,
    bus_on,
    in_order,
    typing,
    until_up,
)
from tests.support.until import until

CREATED_SECONDS = 2.0
"""Until RabbitMQ 3.10 has written down which quorum queues it has. One that is killed earlier does
not know its newest ones any more, and whoever uses them waits for ever."""


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A server that may be stopped and killed."""
    with RabbitMQ(tmp_path_factory.mktemp("own-rabbitmq")) as server:
        yield server


@pytest.fixture
def own_url(own_server: RabbitMQ, request: pytest.FixtureRequest) -> str:
    return own_server.add_vhost(f"own-{abs(hash(request.node.name))}")


class TestRestart:
    """RabbitMQ goes and comes back with its data."""

    @pytest.mark.timeout(120)
    @pytest.mark.parametrize("how", ["stop", "kill"])
    async def test_what_was_confirmed_is_there_and_everything_goes_on(
        self, how: str, own_server: RabbitMQ, own_url: str
    ) -> None:
        async with bus_on(own_url) as bus:
            sender, handler = Sender(bus, "1"), Handler()
            listening = await bus.listen(handler)
            await listening.bind(["room.1"])
            await sender.send(200)
            assert len(sender.confirmed) == 200
            await asyncio.sleep(CREATED_SECONDS)
            await asyncio.to_thread(getattr(own_server, how))
            await sender.send(10)
            assert len(sender.of(BusUnavailable) + sender.of(NotConfirmed)) == 10
            await asyncio.to_thread(own_server.start)
            await until_up(bus)
            await until(lambda: handler.doubts > 0, seconds=30)
            worker = Worker(bus)
            async with asyncio.timeout(30):  # the shards elect their leaders, which takes a while
                while len(sender.confirmed) < 250:
                    await sender.send(10)
            await until(lambda: set(sender.confirmed) <= set(worker.of("1")))
            assert in_order(worker.of("1"))
            await bus.publish(typing())
            await until(lambda: handler.events == typing())
            await worker.stop()
