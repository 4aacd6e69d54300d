"""Whether RabbitMQ and Redis let us in, asked once: for `allibe check`."""

import asyncio

from yarl import URL

from allibe_services.bus.rabbitmq.calls import Lost
from allibe_services.bus.rabbitmq.connection import connected
from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.redis_link import SCHEMES as REDIS
from allibe_services.redis_link import RedisLink, reason
from allibe_services.settings import Settings
from allibe_services.urls import RABBITMQ, check_bus, scheme_of

SECONDS = 3.0
"""Longest wait for each; both are asked at once."""


async def unreached(settings: Settings) -> list[str]:
    """Return a line for each of the two that does not let us in, with no part of its URL.

    A bus that `check_bus` refuses is not asked.
    """
    lines = await asyncio.gather(_rabbitmq(settings), _redis(settings.redis_url))
    return [line for line in lines if line is not None]


async def _rabbitmq(settings: Settings) -> str | None:
    try:
        check_bus(settings)
    except ValueError:
        return None
    if scheme_of(settings.bus_url) not in RABBITMQ:
        return None
    try:
        async with asyncio.timeout(SECONDS), connected(URL(settings.bus_url), "allibe check"):
            return None
    except TimeoutError:
        return f"ALLIBE_BUS_URL: RabbitMQ does not answer within {SECONDS:g} s"
    except Lost as lost:
        return f"ALLIBE_BUS_URL: RabbitMQ: {str(lost).splitlines()[0]}"


async def _redis(url: str) -> str | None:
    if scheme_of(url) not in REDIS:
        return None
    try:
        link = RedisLink(url, call_seconds=SECONDS, connections=1)
    except ValueError as error:
        return f"ALLIBE_REDIS_URL: {error}"
    try:
        await link.ping()
    except LeasesUnavailable as error:
        why = error.__cause__
        return f"ALLIBE_REDIS_URL: Redis: {reason(why) if isinstance(why, Exception) else error}"
    finally:
        await link.close()
    return None
