"""Try again in place: a worker keeps its commands while what it needs is away.

Giving them back would change their order (DESIGN §1.3), so the shard waits.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from allibe_services.contracts.errors import Unavailable

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
"""Seconds between tries: short enough that a database back from a restart is used at once."""

log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")


class Stall:
    """What keeps a shard from going on, if anything; readiness asks."""

    def __init__(self) -> None:
        self.error: Unavailable | None = None

    async def check(self) -> None:
        """Raise what the shard is waiting for to end."""
        if self.error is not None:
            raise self.error


async def until_it_works(
    call: Callable[[], Awaitable[_Result]], *, step: str, stall: Stall
) -> _Result:
    """Return the call's result, trying again with growing pauses while it is `Unavailable`."""
    pause = FIRST_PAUSE
    while True:
        try:
            result = await call()
        except Unavailable as error:
            if stall.error is None:
                log.warning("shard_stalled", step=step, code=error.code)
            stall.error = error
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            if stall.error is not None:
                log.info("shard_goes_on", step=step)
                stall.error = None
            return result
