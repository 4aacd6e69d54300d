"""Subscribers grouped by what their frame looks like: encoded once per group, written to each.

Frames gather until `flush`, which the hub calls once per loop tick, so that a burst costs each
subscriber one write; a burst of more than `BURST_BYTES` is written in parts, so that the outboxes'
bounds hold within a tick too.
"""

from collections.abc import Hashable
from typing import Protocol

from allibe_gateway.fanout.entries import Entry
from allibe_gateway.fanout.outbox import Outbox

BURST_BYTES = 64 * 1024
"""Most bytes that wait for a flush in a group: a write that a socket takes at once or nearly so."""


class View(Hashable, Protocol):
    """How a kind of subscription sees an entry. Equal views make equal bytes."""

    def encode(self, entry: Entry) -> bytes:
        """Return the entry as finished WebSocket frames."""
        ...

    def encode_for_one(self, entry: Entry) -> bytes:
        """Return the same for one subscriber, without the work that is only worth it for many."""
        ...


class _Group:
    """Subscribers with equal views, and the frames that wait for the tick's end."""

    __slots__ = ("outboxes", "pending", "pending_bytes", "view", "written")

    def __init__(self, view: View) -> None:
        self.view = view
        self.outboxes: dict[Outbox, None] = {}
        self.pending: list[bytes] = []
        self.pending_bytes = 0
        self.written = 0

    def push(self, entry: Entry) -> None:
        frame = self.view.encode(entry)
        self.pending.append(frame)
        self.pending_bytes += len(frame)

    def flush(self, *, ephemeral: bool) -> int:
        if not self.pending:
            return 0
        count = len(self.pending) * len(self.outboxes)
        frames = b"".join(self.pending)
        self.pending.clear()
        self.pending_bytes = 0
        self.written += len(frames) * len(self.outboxes)
        # An outbox that overflows leaves through its connection's end, later: no copy needed.
        if ephemeral:
            for outbox in self.outboxes:
                outbox.write_or_shed(frames)
        else:
            for outbox in self.outboxes:
                outbox.write(frames)
        return count


class Audience:
    """The subscribers of one stream. `ephemeral` streams are shed for slow ones."""

    __slots__ = ("_early", "_ephemeral", "_groups")

    def __init__(self, *, ephemeral: bool) -> None:
        self._ephemeral = ephemeral
        self._groups: dict[View, _Group] = {}
        self._early = 0  # deliveries since the last flush

    def __len__(self) -> int:
        return sum(len(group.outboxes) for group in self._groups.values())

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, view: View, outbox: Outbox) -> None:
        """Let a subscriber have all that is pushed from now on."""
        group = self._groups.get(view)
        if group is None:
            group = self._groups[view] = _Group(view)
        # What is pending was pushed before: not for the newcomer.
        self._early += group.flush(ephemeral=self._ephemeral)
        group.outboxes[outbox] = None

    def remove(self, view: View, outbox: Outbox) -> bool:
        """Let a subscriber go; return whether it was there."""
        group = self._groups.get(view)
        if group is None or outbox not in group.outboxes:
            return False
        del group.outboxes[outbox]
        if not group.outboxes:
            del self._groups[view]
        return True

    def hand(self, view: View, outbox: Outbox, entry: Entry) -> None:
        """Write an entry to one subscriber, now, if it is there."""
        group = self._groups.get(view)
        if group is None or outbox not in group.outboxes:
            return
        write = outbox.write_or_shed if self._ephemeral else outbox.write
        write(view.encode_for_one(entry))

    def push(self, entry: Entry) -> None:
        """Let an entry wait for the flush, encoded once per group."""
        for group in self._groups.values():
            group.push(entry)
            if group.pending_bytes >= BURST_BYTES:
                self._early += group.flush(ephemeral=self._ephemeral)

    def flush(self) -> int:
        """Write what waits; return the number of deliveries since the last flush."""
        early, self._early = self._early, 0
        flushed = (group.flush(ephemeral=self._ephemeral) for group in self._groups.values())
        return early + sum(flushed)

    def take_written(self) -> int:
        """Return the bytes that were written since the last time, to all together."""
        written = 0
        for group in self._groups.values():
            written += group.written
            group.written = 0
        return written
