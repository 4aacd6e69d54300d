"""Work that does not end by itself: kept going, or ended together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

import structlog

AGAIN_SECONDS = 1.0

log = structlog.get_logger(__name__)


async def for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do work that does not end; when it fails, say so and start it again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("bus_task_failed", task=name)
        await asyncio.sleep(AGAIN_SECONDS)


async def side_by_side(*works: Coroutine[None, None, None]) -> None:
    """Do it all at once; when one part fails, the others are cancelled and its error is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
