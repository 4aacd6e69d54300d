"""Which decisions the store has already: a round over a room mostly repeats the one before."""

from collections.abc import Callable, Iterable

from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.push_queue import Scheduling

SECONDS = 60.0
"""After so long the same decision is kept again: it says when it was last made."""

DECISIONS = 100_000
"""Most remembered, in some 20 MB; then all are kept anew."""


class Kept:
    """Remembers decisions. `clock` is in seconds, any origin."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = clock()
        self._known: set[tuple[RoomId, str, str]] = set()

    def new(self, room_id: RoomId, decided: Iterable[Scheduling]) -> list[Scheduling]:
        """Return those that are to be kept: with a push, or not made in the last minute."""
        if self._clock() - self._begun >= SECONDS:
            self._known.clear()
            self._begun = self._clock()
        return [
            one
            for one in decided
            if one.due_at is not None or (room_id, one.user, one.reason) not in self._known
        ]

    def keep(self, room_id: RoomId, kept: Iterable[Scheduling]) -> None:
        """Remember what the store has now."""
        if len(self._known) >= DECISIONS:
            self._known.clear()
        self._known.update((room_id, one.user, one.reason) for one in kept)
