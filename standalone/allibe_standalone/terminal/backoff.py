"""How long to wait before the next try: full jitter, so that a thousand clients spread out."""

import random
from collections.abc import Callable

FIRST_SECONDS = 0.5
"""Ceiling of the first wait: a restart behind a load balancer is barely noticed."""

LONGEST_SECONDS = 30.0
"""Ceiling of all waits: somebody watches, and a server that is down costs two tries a minute."""

_DOUBLINGS = 10  # more would be over the longest anyway


class Backoff:
    """Waits whose ceiling doubles with each try until `reset`."""

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._tries = 0

    def next(self, at_least_ms: int = 0) -> float:
        """Return the seconds to wait: what the server asks for, plus a share of the ceiling."""
        ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2**self._tries)
        self._tries = min(self._tries + 1, _DOUBLINGS)
        return at_least_ms / 1000 + self._uniform(0.0, ceiling)

    def reset(self) -> None:
        """Begin again: the connection was good."""
        self._tries = 0
