"""Each push service's share of a worker, so that one that is slow, or hangs, takes nothing from
the others. The webhook is one of them.

A share is a number of places, each for one user who is pushed to over that service. Who finds none
is put off: the push waits in the store, and nothing counts as a try. A service that only ever times
out has one place, which is how it is noticed that it answers again.
"""

import math
from collections.abc import Callable

import structlog

PLACES = 20
"""Users at a time: as many as there are connections to one push service."""

HANGS_AFTER = 5
"""Turns in a row that timed out; from then on there is one place, until somebody is answered."""

PAUSE_SECONDS = 5.0
"""Who finds no place comes again after so long, at least."""

SPACING_SECONDS = 0.1
"""The next one comes so much later: what is put off must not come back all at once."""

TOGETHER_SECONDS = 5.0
"""Those of so long come together: what they cost the store is written in one."""

LONGEST_SECONDS = 300.0
"""The longest that somebody is put off: as long as between two tries."""

SERVICES = 200
"""Services that are remembered; there are about five."""

log = structlog.get_logger(__name__)


class Share:
    """What one service may take. `clock` is in seconds, any origin."""

    def __init__(self, service: str, clock: Callable[[], float]) -> None:
        self._service = service
        self._clock = clock
        self._taken = 0
        self._timed_out = 0
        self._last_return = clock()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to remember."""
        return self._taken == 0 and self._timed_out == 0

    def take(self) -> float | None:
        """Take a place, to be given back; or return after how many seconds to ask again."""
        places = PLACES if self._timed_out < HANGS_AFTER else 1
        if self._taken < places:
            self._taken += 1
            return None
        present = self._clock()
        at = max(present + PAUSE_SECONDS, self._last_return + SPACING_SECONDS)
        self._last_return = min(at, present + LONGEST_SECONDS)
        return math.ceil(self._last_return / TOGETHER_SECONDS) * TOGETHER_SECONDS - present

    def give_back(self, *, answered: bool | None) -> None:
        """Free a place. `answered`: whether anything but a time-out came; None: it was cut off."""
        self._taken -= 1
        if answered is None:
            return
        if answered:
            if self._timed_out >= HANGS_AFTER:
                log.info("push_service_answers", service=self._service)
            self._timed_out = 0
            return
        self._timed_out += 1
        if self._timed_out == HANGS_AFTER:
            log.warning("push_service_hangs", service=self._service)


class Shares:
    """The shares of all services, by name: an origin."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._shares: dict[str, Share] = {}

    def __len__(self) -> int:
        return len(self._shares)

    def of(self, service: str) -> Share:
        """Return the service's share."""
        share = self._shares.get(service)
        if share is None:
            if len(self._shares) >= SERVICES:
                self._forget()
            share = self._shares[service] = Share(service, self._clock)
        return share

    def _forget(self) -> None:
        """Forget the idle ones; where none is, the oldest: its places are free anew."""
        idle = [name for name, share in self._shares.items() if share.is_idle]
        for name in idle or [next(iter(self._shares))]:
            del self._shares[name]
