"""Worker membership in the memory of one process."""

import asyncio
from collections.abc import Callable

from allibe_services.workers.base import LEASE_SECONDS


class InProcessWorkers:
    """`Workers` for one process. `clock` is in seconds, any origin."""

    def __init__(self, *, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or asyncio.get_running_loop().time
        self._until: dict[str, float] = {}

    async def announce(self, worker_id: str) -> set[str]:
        now = self._clock()
        self._until[worker_id] = now + LEASE_SECONDS
        self._until = {one: until for one, until in self._until.items() if until > now}
        return set(self._until)

    async def leave(self, worker_id: str) -> None:
        self._until.pop(worker_id, None)

    async def ping(self) -> None:
        return
