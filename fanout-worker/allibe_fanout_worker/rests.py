"""Rooms whose rounds take long have fewer of them, so that a busy large room costs others little.

A round goes through all members of a room. With ten thousand of them, and messages all the time,
rounds as frequent as a small room's would take all the time that there is.
"""

from allibe_services.contracts.ids import RoomId

PARTS = 20
"""A room's rounds take at most one part of the time in so many."""

LONGEST_SECONDS = 5.0
"""A room rests no longer, however long its round took: a store that was slow once is no reason."""

SHORT_SECONDS = 0.005
"""Rounds that took no longer need no rest beyond the pause that all rooms have."""


class Rests:
    """When rooms may have their next round. Times are in seconds of one clock, any origin."""

    def __init__(self) -> None:
        self._until: dict[RoomId, float] = {}

    def rest(self, room_id: RoomId, began: float, ended: float) -> None:
        """Let a room rest after a round, in proportion to the time that it took."""
        took = ended - began
        if took > SHORT_SECONDS:
            self._until[room_id] = ended + min(took * (PARTS - 1), LONGEST_SECONDS)

    def resting(self, now: float) -> set[RoomId]:
        """Return the rooms that rest, and forget the others."""
        self._until = {room: until for room, until in self._until.items() if until > now}
        return set(self._until)
