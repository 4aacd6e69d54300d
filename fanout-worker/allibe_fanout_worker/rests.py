"""Large rooms have rounds less often, so that a busy one costs the others little.

A round goes through all members of a room. With ten thousand of them, and messages all the time,
rounds as frequent as a small room's would take all the time that there is.
"""

from collections.abc import Mapping

from allibe_services.contracts.ids import RoomId

PARTS = 20
"""A room's rounds take at most one part of the time in so many."""

LONGEST_SECONDS = 5.0
"""A room rests no longer, however long its round took: a store that was slow once is no reason."""

LARGE = 100
"""Members of a room that rests. The pause that all rooms have is enough for the others."""


class Rests:
    """When rooms may have their next round. Times are in seconds of one clock, any origin."""

    def __init__(self) -> None:
        self._until: dict[RoomId, float] = {}

    def rest(self, members: Mapping[RoomId, int], began: float, ended: float) -> None:
        """Let large rooms rest after so many members of each were told in this time.

        In proportion to a room's part of it; for the next part of the same round, on top.
        """
        everybody = sum(members.values())
        for room_id, count in members.items():
            if count >= LARGE:
                part = (ended - began) * count / everybody
                until = max(self._until.get(room_id, ended), ended) + part * (PARTS - 1)
                self._until[room_id] = min(until, ended + LONGEST_SECONDS)

    def resting(self, now: float) -> set[RoomId]:
        """Return the rooms that rest, and forget the others."""
        self._until = {room: until for room, until in self._until.items() if until > now}
        return set(self._until)
