"""The keys that a gateway is bound to on the bus: as long as somebody wants them.

Changes reach the bus one after the other, so that the last wish for a key is what stands, however
long each takes. (A bus does them one by one anyway: they are calls on one AMQP channel.)
"""

import asyncio
from collections import Counter

import structlog

from allibe_services.bus.base import Listening
from allibe_services.contracts.errors import Unavailable

log = structlog.get_logger(__name__)


class Bindings:
    """Binds a key for the first who wants it, unbinds it after the last has dropped it."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._wanted: Counter[str] = Counter()
        self._bound: set[str] = set()
        self._changing = asyncio.Lock()
        self._unbinding: set[asyncio.Task[None]] = set()
        self._closed = False

    async def want(self, key: str) -> None:
        """Return once every later event under the key comes; `drop` it some time.

        Raises what the bus raises; there is nothing to drop then.
        """
        self._wanted[key] += 1
        try:
            async with self._changing:
                if key not in self._bound:
                    await self._listening.bind((key,))
                    self._bound.add(key)
        except BaseException:
            self.drop(key)
            raise

    def drop(self, key: str) -> None:
        """Want the key once less; the bus hears of it soon."""
        self._wanted[key] -= 1
        if self._wanted[key] > 0:
            return
        del self._wanted[key]
        if self._closed:
            return
        task = asyncio.create_task(self._unbind(key), name="unbind")
        self._unbinding.add(task)
        task.add_done_callback(self._unbinding.discard)

    async def close(self) -> None:
        """Leave the bus."""
        self._closed = True
        for task in self._unbinding:
            task.cancel()
        await self._listening.close()

    async def _unbind(self, key: str) -> None:
        async with self._changing:
            if key in self._wanted:
                return
            # Also where a bind failed half-way: the bus may have it.
            self._bound.discard(key)
            try:
                await self._listening.unbind((key,))
            except Unavailable as error:
                # Its events go nowhere until it is wanted again: no harm.
                log.warning("not_unbound", code=error.code)
