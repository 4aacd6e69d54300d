"""Debts and counts in the memory of one process: for tests, and where there are no others."""

import asyncio
from collections.abc import Callable, Mapping

from allibe_services.rates.base import LEASE_SECONDS, Spent


class InProcessRates:
    """`Rates` for one process. `clock` is in seconds, any origin."""

    def __init__(self, *, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._due: dict[str, float] = {}
        self._held: dict[str, dict[str, tuple[int, float]]] = {}

    async def spend(self, spent: Mapping[str, Spent]) -> dict[str, float]:
        now = self._clock()
        self._due = {key: due for key, due in self._due.items() if due > now}
        for key, one in spent.items():
            self._due[key] = max(self._due.get(key, 0.0), now - one.age) + one.debt
        return {key: max(0.0, self._due[key] - now) for key in spent}

    async def hold(self, holder: str, counts: Mapping[str, int]) -> dict[str, int]:
        return {key: self._hold(holder, key, count) for key, count in counts.items()}

    def _hold(self, holder: str, key: str, count: int) -> int:
        now = self._clock()
        known = self._held.pop(key, {})
        held = {one: (n, ends) for one, (n, ends) in known.items() if one != holder and ends > now}
        others = sum(n for n, _ in held.values())
        if count:
            held[holder] = (count, now + LEASE_SECONDS)
        if held:
            self._held[key] = held
        return others
