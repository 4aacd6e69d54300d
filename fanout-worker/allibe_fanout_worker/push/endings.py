"""How turns ended, kept in the store: what ends while a transaction runs goes into the next one."""

import asyncio
from datetime import timedelta

import structlog

from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.messages import now
from allibe_services.contracts.push_queue import PushEnd
from allibe_services.store.base import PushQueue

PAUSE_SECONDS = 1.0
GATHER_SECONDS = 0.05
"""How long the end of what was not sent waits for others: each transaction is one that chat waits
for, on SQLite. What was sent waits for none: the sooner it is kept, the sooner the next is sent."""

TRIES = 30
"""Tries to keep an end: by then its claim is over, and others push anew."""

log = structlog.get_logger(__name__)


class Endings:
    """Keeps ends. A room with news since is told of again `newer` later."""

    def __init__(self, queue: PushQueue, newer: timedelta) -> None:
        self._queue = queue
        self._newer = newer
        self._waiting: list[PushEnd] = []
        self._keeping = asyncio.Lock()

    async def keep(self, end: PushEnd) -> None:
        """Return once the end is kept; or given up, which is logged."""
        self._waiting.append(end)
        if end.free_at is None:
            await asyncio.sleep(GATHER_SECONDS)
        async with self._keeping:
            # Whoever had the lock before has kept it, if it is no longer here.
            ends, self._waiting = self._waiting, []
            if ends:
                await self._keep(ends)

    async def _keep(self, ends: list[PushEnd]) -> None:
        for tried in range(1, TRIES + 1):
            try:
                await self._queue.end(ends, newer_at=now() + self._newer)
            except Unavailable as error:
                if tried == 1:
                    log.warning("push_ends_put_off", code=error.code, ends=len(ends))
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return
        log.error("push_ends_lost", ends=len(ends))
