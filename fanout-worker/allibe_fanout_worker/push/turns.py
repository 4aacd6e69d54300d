"""How many users may be pushed to at a time: what is slow does not count for long."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AT_ONCE = 20
"""Users at a time whose turns are quick: no more than can be sent to right now."""

SLOW_SECONDS = 1.0
"""What takes longer counts only among `MOST`: others are claimed meanwhile."""

MOST = 100
"""Users at a time in all: several push services may hang, each with its share."""


class Turns:
    """Counts turns; `freed` is called when there is more room."""

    def __init__(self, freed: Callable[[], None]) -> None:
        self._freed = freed
        self._all = 0
        self._slow = 0

    @property
    def room(self) -> int:
        """How many more may begin."""
        return max(0, min(AT_ONCE - (self._all - self._slow), MOST - self._all))

    def begin(self, users: int) -> None:
        """Count so many; each is to end: by `end`, or by leaving `under_way`."""
        self._all += users

    def end(self, users: int) -> None:
        """Count so many less."""
        self._all -= users
        self._freed()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Hold one that has begun; it ends with this."""
        is_slow = False

        def outlast() -> None:
            nonlocal is_slow
            is_slow = True
            self._slow += 1
            self._freed()

        timer = asyncio.get_running_loop().call_later(SLOW_SECONDS, outlast)
        try:
            yield
        finally:
            timer.cancel()
            self._slow -= is_slow
            self.end(1)
