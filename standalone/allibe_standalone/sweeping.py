"""Looks at all connections of a server now and then: a storm of them starts no timers."""

import asyncio
from collections.abc import Callable

SWEEPS = 10
"""Sweeps within the limit: a connection ends at most two of them later than the limit says."""


async def sweep_within(seconds: float, sweep: Callable[[float], None]) -> None:
    """Call `sweep` with the loop's time, so often within a limit, until cancelled."""
    now = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(seconds / SWEEPS)
        sweep(now())
