"""What events say is compared with the store now and then: any of them may be lost.

Both I8 and I6 rest on it: a lost last message, a lost removal of a member.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from allibe_services.contracts.errors import Unavailable

COMPARE_SECONDS = 30.0
"""The longest that what was lost stays unseen where nothing gives rise to doubt."""

RETRY_SECONDS = 2.0
"""Pause after a comparison that failed: the store is away. The doubt is not over by that."""

PAUSE_SECONDS = 1.0
"""Between two comparisons: doubt that comes again and again costs no more than that."""

log = structlog.get_logger(__name__)


class Comparing:
    """Makes one kind of comparison, which may raise `Unavailable`; `what` is for the log."""

    def __init__(self, what: str, compare: Callable[[], Awaitable[None]]) -> None:
        self._what = what
        self._compare = compare
        self._doubt = asyncio.Event()

    def doubt(self) -> None:
        """Compare soon: events may have been lost."""
        self._doubt.set()

    async def run(self) -> None:
        """Compare now and then, and whenever there is doubt, for ever."""
        failed = False
        while True:
            try:
                async with asyncio.timeout(COMPARE_SECONDS):
                    await self._doubt.wait()
            except TimeoutError:
                pass
            self._doubt.clear()
            try:
                await self._compare()
            except Unavailable as error:
                if not failed:
                    log.warning("not_compared", what=self._what, code=error.code)
                failed = True
                await asyncio.sleep(RETRY_SECONDS)
                self._doubt.set()
            else:
                failed = False
                await asyncio.sleep(min(PAUSE_SECONDS, COMPARE_SECONDS))
