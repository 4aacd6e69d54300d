"""A room's newest entries in memory, so that recovery rarely asks the database.

Contiguous by construction, bounded in number and bytes.
"""

from collections import deque

from allibe_gateway.fanout.entries import Entry

_ENTRY_OVERHEAD = 200
"""Bytes of the objects round a body."""


class Tail:
    """Entries `start` … `last`, without holes."""

    __slots__ = ("_bytes", "_entries", "_most_bytes", "_most_entries", "last")

    def __init__(self, last: int, *, most_entries: int, most_bytes: int) -> None:
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self.last = last

    @property
    def start(self) -> int:
        """The offset of the oldest entry; `last + 1` when empty."""
        return self.last + 1 - len(self._entries)

    def append(self, entry: Entry) -> None:
        """Take the entry that follows `last`."""
        if entry.offset != self.last + 1:
            raise ValueError(f"offset {entry.offset} does not follow {self.last}")
        self._entries.append(entry)
        self.last = entry.offset
        self._bytes += len(entry.body) + _ENTRY_OVERHEAD
        while len(self._entries) > self._most_entries or self._bytes > self._most_bytes:
            dropped = self._entries.popleft()
            self._bytes -= len(dropped.body) + _ENTRY_OVERHEAD

    def prepend(self, entries: list[Entry]) -> None:
        """Take older entries, oldest first, that end right before `start`; as many as fit."""
        for entry in reversed(entries):
            size = len(entry.body) + _ENTRY_OVERHEAD
            full = len(self._entries) >= self._most_entries
            if entry.offset != self.start - 1 or full or self._bytes + size > self._most_bytes:
                return
            self._entries.appendleft(entry)
            self._bytes += size

    def after(self, offset: int) -> list[Entry] | None:
        """Return all entries after an offset, or None where the tail does not reach back."""
        if offset + 1 < self.start:
            return None
        missing = self.last - offset
        return [self._entries[-back] for back in range(missing, 0, -1)]
