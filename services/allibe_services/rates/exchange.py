"""Tells other processes what was spent and is held here, and learns the same from them.

One task of a process. While the others cannot be reached each process goes by what it knows: what
was spent meanwhile is not told later, since time has paid it back by then.
"""

import asyncio
from contextlib import suppress

from uuid_utils import uuid7

from allibe_services.contracts.errors import Unavailable
from allibe_services.rates.base import EXCHANGE_SECONDS, RENEW_SECONDS, Rates
from allibe_services.rates.limiter import Limiter

LAST_SECONDS = 1.0
"""Time to say, at the end, that nothing is held any more."""


class Exchange:
    """Between one limiter and the others."""

    def __init__(self, limiter: Limiter, rates: Rates, *, pause: float = EXCHANGE_SECONDS) -> None:
        self._limiter = limiter
        self._rates = rates
        self._pause = pause
        self._holder = uuid7().hex
        self._renew_at = 0.0

    async def run(self) -> None:
        """Exchange a few times a second, for ever."""
        while True:
            await asyncio.sleep(self._pause)
            await self.once()

    async def once(self) -> None:
        """Exchange what there is. Raises nothing."""
        await self._spend()
        await self._hold()

    async def end(self) -> None:
        """Say what is held at the end of the process: nothing, if all went well."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self._hold()

    async def _spend(self) -> None:
        now = self._limiter.clock()
        spent = {limit: buckets.take_spent(now) for limit, buckets in self._limiter.buckets.items()}
        told = {f"{limit}:{key}": one for limit, of in spent.items() for key, one in of.items()}
        if not told:
            return
        try:
            debts = await self._rates.spend(told)
        except Unavailable:
            return
        for limit, of in spent.items():
            self._limiter.buckets[limit].learn({key: debts[f"{limit}:{key}"] for key in of}, now)

    async def _hold(self) -> None:
        now = self._limiter.clock()
        renew = now >= self._renew_at
        if renew:
            self._renew_at = now + RENEW_SECONDS
        for limit, holdings in self._limiter.holdings.items():
            counts = holdings.take_changes(all_of_them=renew)
            if not counts:
                continue
            told = {f"{limit}:{key}": count for key, count in counts.items()}
            try:
                others = await self._rates.hold(self._holder, told)
            except Unavailable:
                holdings.not_told(counts)
                continue
            holdings.learn({key: others[f"{limit}:{key}"] for key in counts})
