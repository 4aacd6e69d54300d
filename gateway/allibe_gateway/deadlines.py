"""What must happen to connections at a time: one heap and one timer for all of them.

A timer for each of 10,000 connections would cost memory and a heap of the loop's own; here an
entry that was set again or dropped is skipped when its time comes.
"""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Protocol

import structlog

from allibe_services.contracts.errors import AllibeError

log = structlog.get_logger(__name__)


LONGEST_PAUSE = 10.0
"""Seconds after which the clock is looked at again."""


class Owner(Protocol):
    """Who has a deadline. Compared by identity."""

    def on_deadline(self, error: type[AllibeError]) -> None:
        """The time has come; `error` says for what. Must raise nothing."""
        ...


_Deadline = tuple[float, int, Owner, type[AllibeError]]
"""When, in what order it was set, whose, and for what."""


class Deadlines:
    """Tells each owner when its time has come. Times are in seconds of `clock`.

    `clock` is wall-clock time where deadlines come from outside (token expiry): the timer is
    aimed at the earliest one, and aimed again when it fires early.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heap: list[_Deadline] = []
        self._current: dict[Owner, _Deadline] = {}
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for = float("inf")

    def set(self, owner: Owner, when: float, error: type[AllibeError]) -> None:
        """Tell the owner at `when`, in the place of what it had set before."""
        deadline = self._current[owner] = (when, next(self._order), owner, error)
        heapq.heappush(self._heap, deadline)
        self._compact()
        self._aim()

    def drop(self, owner: Owner) -> None:
        """Forget what the owner had set."""
        self._current.pop(owner, None)
        self._compact()

    def close(self) -> None:
        """Forget everything."""
        self._current.clear()
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self) -> None:
        self._timer = None
        self._timer_for = float("inf")
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            deadline = heapq.heappop(self._heap)
            _, _, owner, error = deadline
            if self._current.get(owner) is deadline:
                del self._current[owner]
                _tell(owner, error)
        self._aim()

    def _aim(self) -> None:
        if not self._heap or self._heap[0][0] >= self._timer_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_for = self._heap[0][0]
        # Not all of it at once: the wall clock may be set, and the loop's stands still in suspend.
        delay = min(max(self._timer_for - self._clock(), 0.0), LONGEST_PAUSE)
        self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _compact(self) -> None:
        """Forget entries that mean nothing, once they are the most: they hold their owners."""
        if len(self._heap) <= 64 + 2 * len(self._current):
            return
        self._heap = list(self._current.values())
        heapq.heapify(self._heap)


def _tell(owner: Owner, error: type[AllibeError]) -> None:
    try:
        owner.on_deadline(error)
    except Exception:
        # The timer is everybody's: another's fault must not let all tokens live on.
        log.exception("deadline_failed")
