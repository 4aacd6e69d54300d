"""How long a busy machine held up this event loop: what a measured time may be too long by."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TICK_SECONDS = 0.01


class Stalls:
    """The longest one so far, in seconds."""

    longest = 0.0


@asynccontextmanager
async def noting_stalls() -> AsyncIterator[Stalls]:
    """Note stalls while the context lasts."""
    stalls = Stalls()
    noting = asyncio.create_task(_note(stalls))
    try:
        yield stalls
    finally:
        noting.cancel()


async def _note(stalls: Stalls) -> None:
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        await asyncio.sleep(TICK_SECONDS)
        stalls.longest = max(stalls.longest, loop.time() - began - TICK_SECONDS)
