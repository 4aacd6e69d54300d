"""How fast one connection may speak: beyond, it is read more slowly, and its network holds it back.

Nothing is lost by that, and nobody has to be told. Only who would have to be silent for long is
told, and the connection ends.
"""

from math import ceil

from allibe_services.contracts.errors import RateLimited
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Limit
from allibe_services.rates.rate import Rate

LONGEST_PAUSE = 10.0
"""Seconds for which a connection is not read at most: what it sends waits in its network, and
shorter than what clients call a dead server."""


def too_fast(pause: float) -> RateLimited:
    """Return what to tell who would not be read for so many seconds."""
    return RateLimited("You send too fast.", retry_after_ms=ceil(pause * 1000))


class Inbound:
    """What a connection has sent: when its two buckets are full again, as in `rates.buckets`."""

    __slots__ = ("_bytes", "_frames", "_limiter")

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._frames = 0.0
        self._bytes = 0.0

    def pause(self, frames: int, size: int) -> float:
        """Count what has been read; return for how many seconds to read nothing.

        What holds no frame counts as one: a ping, an empty message, or a part of a frame takes as
        long to read.
        """
        policy, now = self._limiter.policy, self._limiter.clock()
        pause = 0.0
        if (rate := policy.connection_frames) is not None:
            self._frames = max(self._frames, now) + max(frames, 1) / rate.per_second
            if self._frames - now > rate.seconds:
                over, self._frames = self._over("connection_frames", rate, self._frames, now)
                pause = over
        if (rate := policy.connection_bytes) is not None:
            self._bytes = max(self._bytes, now) + size / rate.per_second
            if self._bytes - now > rate.seconds:
                over, self._bytes = self._over("connection_bytes", rate, self._bytes, now)
                pause = max(pause, over)
        return pause

    def _over(self, limit: Limit, rate: Rate, due: float, now: float) -> tuple[float, float]:
        """Return the pause, and what the bucket is now: no fuller than full in a dry run."""
        if self._limiter.exceeds(limit):
            return due - now - rate.seconds, due
        return 0.0, now + rate.seconds
