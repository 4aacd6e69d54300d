"""Wait for what no event tells of."""

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Return once the condition holds; the deadline is for failures only."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is polled has no event
            await asyncio.sleep(0.001)
