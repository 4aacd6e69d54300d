"""What passes by in a room: told to local subscribers, and who is here, to each of them first.

Nothing of it is in the log. What a slow consumer misses it does without. In a crowd everybody does
without most of it: what each of thousands does is of no use to thousands, and costs the product.
"""

import asyncio
from collections.abc import Callable

import msgspec

from allibe_gateway.fanout.audience import Audience, View
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.fanout.outbox import Outbox
from allibe_services.contracts.events import (
    Activity,
    MemberRead,
    RoomPresence,
    ScreenLeft,
    Typing,
)

CROWD = 100
"""More who look at a room than this are a crowd: they are counted, not named."""

TYPING_SECONDS = 1.0
"""In a crowd one who types is shown in so long."""

_encode = msgspec.json.Encoder().encode


class ActivityFeed:
    """A room's activity; false while nobody subscribes. `changed`: something waits for a flush."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._audience = Audience(ephemeral=True)
        self._changed = changed
        self._presence: RoomPresence | None = None
        self._newcomers: list[tuple[View, Outbox]] = []
        self._count = 0
        self._next_typing = 0.0

    def __bool__(self) -> bool:
        return bool(self._audience)

    def add(self, view: View, outbox: Outbox) -> bool:
        """Hand a subscriber all that passes by, and at the tick's end who is here.

        False when nobody has said yet who is here.
        """
        self._audience.add(view, outbox)
        if self._presence is None:
            return False
        self._newcomers.append((view, outbox))
        self._changed()
        return True

    def remove(self, view: View, outbox: Outbox) -> bool:
        """Let a subscriber go; return whether it was there."""
        was_there = self._audience.remove(view, outbox)
        if not self:
            self._presence = None  # nobody keeps it up to date from now on
        return was_there

    def push(self, event: Activity) -> None:
        """Hand out what passes by, in a crowd only some of it."""
        if not (self._is_crowd() and self._is_too_much(event)):
            self._push(event)

    def show(self, presence: RoomPresence) -> None:
        """Hand out who is here, unless all subscribers know."""
        if self and presence != self._presence:
            self._presence = presence
            self._newcomers.clear()
            self._push(presence)

    def flush(self) -> None:
        """Write what waits."""
        newcomers, self._newcomers = self._newcomers, []
        if newcomers and self._presence is not None:
            entry = self._entry(self._presence)
            for view, outbox in newcomers:
                self._audience.hand(view, outbox, entry)
        self._audience.flush()

    def _is_crowd(self) -> bool:
        counted = self._presence is not None and self._presence.users is None
        return counted or len(self._audience) > CROWD

    def _is_too_much(self, event: Activity) -> bool:
        if not isinstance(event, Typing):
            return isinstance(event, MemberRead | ScreenLeft)
        now = asyncio.get_running_loop().time()
        if now < self._next_typing:
            return True
        self._next_typing = now + TYPING_SECONDS
        return False

    def _push(self, event: Activity | RoomPresence) -> None:
        self._audience.push(self._entry(event))
        self._changed()

    def _entry(self, event: Activity | RoomPresence) -> Entry:
        self._count += 1
        return Entry(0, f"activity-{self._count}", _encode(event))
