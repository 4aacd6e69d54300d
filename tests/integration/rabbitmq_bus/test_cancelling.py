"""Who is cancelled while RabbitMQ is asked ends, in whatever moment that is."""

import asyncio
from contextlib import suppress

from allibe_services.contracts.errors import BusUnavailable
from tests.integration.rabbitmq_bus.parts import PATIENT, bus_on

MOMENTS = 250
"""Turns of the loop: more than a look takes, which opens a channel, asks, and closes it."""


async def test_one_who_looks_at_queues_for_ever_ends_when_told(amqp_url: str) -> None:
    """Closing a channel swallows a cancellation in the turn in which the broker has closed it."""
    async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:

        async def look() -> None:
            while True:
                # RabbitMQ ends a connection on which aiormq closes a channel twice.
                with suppress(BusUnavailable):
                    await bus.lengths([0, 1])
                    await bus.dead_letters()
                await asyncio.sleep(60)

        for moment in range(MOMENTS):
            looking = asyncio.create_task(look())
            for _ in range(moment):
                await asyncio.sleep(0)
            looking.cancel()
            await asyncio.wait({looking}, timeout=10)
            assert looking.cancelled(), moment
