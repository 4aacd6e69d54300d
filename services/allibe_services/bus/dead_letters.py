"""Dead letters: commands that senders got a receipt for, and that nobody could process.

A bus between processes keeps them aside for people; the embedded one tells the sender instead.
Not pushes that were given up: those are in the store (`store.dead_pushes`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from allibe_services.contracts.ids import RoomId

MOST_LETTERS = 1000
"""Most dead letters that are looked at, the oldest: their bodies are in memory meanwhile."""


class DeadLetter(msgspec.Struct, frozen=True, rename="camel"):
    """What people are told of a dead letter; nothing of what its commands say."""

    id: str
    """12 hexadecimal digits of what is in it: a copy has the same, and so has the same one when it
    comes back."""
    position: int
    """From 1, the oldest."""
    shard: int | None
    """None: what is in there came from no shard."""
    room_ids: list[RoomId]
    commands: int
    """How many; 0 where nobody can read it."""
    reason: str
    """`delivery_limit` (it ended its worker again and again), `undecodable`, or an error's code."""
    detail: str | None
    deaths: int
    """How often it was put aside, as far as the bus has counted."""
    first_died_at: datetime | None
    size: int
    """Bytes."""


class DeadLetters(Protocol):
    """All dead letters, up to `MOST_LETTERS`, held for one operator: nobody else has them.

    Those that were neither replayed nor dropped are back in their order when it is closed, or its
    process ends, however. No call takes longer than the bus's time limits.
    """

    @property
    def waiting(self) -> int:
        """How many there were, those beyond `MOST_LETTERS` included."""
        ...

    @property
    def letters(self) -> Sequence[DeadLetter]:
        """The oldest first."""
        ...

    async def replay(self, letter: DeadLetter) -> bool:
        """Put its commands into their shard again, behind all that is there; forget it after that.

        At least once: the log skips what it has. False: the shard takes nothing (it is full, or
        gone), and the letter stays. Raises `BusUnavailable`: it may be there, and may stay as well.
        """
        ...

    async def drop(self, letter: DeadLetter) -> None:
        """Forget it. Raises `BusUnavailable`: it may stay."""
        ...
