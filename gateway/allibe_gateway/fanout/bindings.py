"""The keys that a gateway is bound to on the bus: as long as somebody wants them.

Changes reach the bus in rounds, one after the other, so that the last wish for a key is what
stands, however long each takes. What is wished for during a round makes the next one: when ten
thousand clients come back at once, the bus is asked some dozen times.
"""

import asyncio
from collections import Counter
from collections.abc import Collection

import structlog

from allibe_services.bus.base import Listening
from allibe_services.contracts.errors import BusUnavailable, Unavailable

ROUND_KEYS = 200
"""Most keys in one call to the bus: few enough that a busy one does them within the time limit."""

log = structlog.get_logger(__name__)


class Bindings:
    """Binds a key for the first who wants it, unbinds it after the last has dropped it."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._wanted: Counter[str] = Counter()
        self._bound: set[str] = set()
        self._asked: dict[str, list[asyncio.Future[None]]] = {}
        self._unwanted: set[str] = set()
        self._changing: asyncio.Task[None] | None = None
        self._closed = False

    async def want(self, key: str) -> None:
        """Return once every later event under the key comes; `drop` it some time.

        Raises what the bus raises; there is nothing to drop then.
        """
        self._wanted[key] += 1
        try:
            if key not in self._bound:
                await self._ask(key)
        except BaseException:
            self.drop(key)
            raise

    def drop(self, key: str) -> None:
        """Want the key once less; the bus hears of it soon."""
        self._wanted[key] -= 1
        if self._wanted[key] > 0:
            return
        del self._wanted[key]
        # Also where a bind failed half-way: the bus may have it.
        self._unwanted.add(key)
        self._change_soon()

    async def close(self) -> None:
        """Leave the bus."""
        self._closed = True
        if self._changing is not None:
            self._changing.cancel()
        self._settle(self._asked.keys(), BusUnavailable())
        await self._listening.close()

    def _ask(self, key: str) -> "asyncio.Future[None]":
        if self._closed:
            raise BusUnavailable
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(future)
        self._change_soon()
        return future

    def _change_soon(self) -> None:
        if not self._closed and self._changing is None:
            self._changing = asyncio.create_task(self._change(), name="bindings")

    async def _change(self) -> None:
        try:
            while self._asked or self._unwanted:
                await self._bind()
                await self._unbind()
        finally:
            self._changing = None

    async def _bind(self) -> None:
        # Not `keys() - keys()`: that walks through all that are wanted, for each round.
        gone = [key for key in self._asked if key not in self._wanted]
        self._settle(gone, BusUnavailable())
        keys = list(self._asked)[:ROUND_KEYS]
        if not keys:
            return
        try:
            await self._listening.bind(keys)
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("bind_failed")  # and the next ones have their turn
            self._settle(keys, error)
        else:
            self._bound.update(keys)
            self._settle(keys, None)

    async def _unbind(self) -> None:
        self._unwanted = {key for key in self._unwanted if key not in self._wanted}
        keys = list(self._unwanted)[:ROUND_KEYS]
        if not keys:
            return
        self._unwanted.difference_update(keys)
        self._bound.difference_update(keys)
        try:
            await self._listening.unbind(keys)
        except Unavailable as error:
            # Their events go nowhere until they are wanted again: no harm.
            log.warning("not_unbound", code=error.code, keys=len(keys))

    def _settle(self, keys: Collection[str], error: Exception | None) -> None:
        """Let those who wait for these keys go on, with an error if there is one."""
        for key in tuple(keys):
            for future in self._asked.pop(key):
                if future.done():
                    continue  # who waited is gone
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
