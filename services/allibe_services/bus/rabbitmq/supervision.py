"""Work that does not end by itself: kept going, begun again after a pause, or ended together."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine

import structlog

AGAIN_SECONDS = 1.0

STEADY_SECONDS = 10.0
"""What lasts so long was good: the next pause is the first again."""

log = structlog.get_logger(__name__)


class Pauses:
    """Seconds between lives of what should last: they double, and are halved at random, so that a
    broker that is back is not asked by all at once."""

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._next = first
        self._began = 0.0

    def begin(self) -> None:
        """Note that a life begins."""
        self._began = asyncio.get_running_loop().time()

    async def rest(self) -> None:
        """Wait for the next one."""
        end_if_cancelled()
        if asyncio.get_running_loop().time() - self._began > STEADY_SECONDS:
            self._next = self._first
        await asyncio.sleep(self._next * random.uniform(0.5, 1.0))  # noqa: S311
        self._next = min(2 * self._next, self._longest)


def end_if_cancelled() -> None:
    """Raise `CancelledError` where somebody wanted this task to end: aiormq raises other errors
    then, now and then, and what catches them would go on."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do work that does not end; when it fails, say so and start it again."""
    while True:
        try:
            await work()
        except Exception:
            end_if_cancelled()
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
