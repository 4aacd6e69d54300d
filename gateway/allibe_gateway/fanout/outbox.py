"""One connection's way out: finished frames go to the transport, up to a bound.

There is no queue while a peer keeps up. What one that does not has still to take waits in its
backlog; how much that is, and in the transport, is the measure of a slow consumer.
"""

from collections.abc import Callable
from typing import Protocol

from allibe_gateway.fanout.backlogs import PUSH_BYTES, Backlog, Backlogs

DIRECT_BYTES = 4096
"""Unsent bytes of a transport that takes more: as a peer that reads has within a turn of the loop.
Those of more frames would be the objects that `backlogs` is there to avoid."""


class Transport(Protocol):
    """The part of an asyncio transport that an outbox uses."""

    def write(self, data: bytes) -> None: ...

    def get_write_buffer_size(self) -> int: ...


class Outbox:
    """Writes frames for one connection until it is closed or too far behind.

    `overflow` is called once, when a write finds more than `most` unsent bytes: nothing is
    written from then on. One write is never split by the bound, so memory stays under `most`
    plus one tick's frames. A write to a peer that has vanished closes the outbox: nothing else
    happens, since whoever reads from that peer learns of it too.

    Without `backlogs` all goes to the transport, which is a queue itself.
    """

    __slots__ = ("_backlog", "_backlogs", "_direct", "_most", "_overflow", "_shed", "_transport")

    def __init__(
        self,
        transport: Transport,
        *,
        most: int,
        shed: int,
        overflow: Callable[[], None],
        backlogs: Backlogs | None = None,
    ) -> None:
        self._transport: Transport | None = transport
        self._direct = min(DIRECT_BYTES, most)
        self._most = most
        self._shed = shed
        self._overflow = overflow
        self._backlogs = backlogs
        self._backlog: Backlog | None = None

    def write(self, frames: bytes) -> None:
        """Write frames, or overflow; nothing after `close`."""
        transport = self._transport
        if transport is None:
            return
        if self._backlog is not None or transport.get_write_buffer_size() > self._direct:
            self._write_later(frames, transport)
            return
        try:  # as in `_hand_on`, without its call: this is once for each subscriber
            transport.write(frames)
        except RuntimeError:
            self._transport = None

    def write_or_shed(self, frames: bytes) -> None:
        """Write frames that nobody misses, unless the connection is behind."""
        if self.unsent() <= self._shed:
            self.write(frames)

    def push(self) -> bool:
        """Hand on what the transport has room for; tell whether that was anything."""
        transport, backlog = self._transport, self._backlog
        if transport is None or backlog is None:
            return False
        if transport.get_write_buffer_size() > self._direct:
            return False
        self._hand_on_some(backlog, transport)
        return True

    @property
    def waits(self) -> bool:
        """Whether there is more to push."""
        return self._backlog is not None

    @property
    def waiting(self) -> int:
        """Bytes that are still to be pushed."""
        return self._backlog.size if self._backlog is not None else 0

    def unsent(self) -> int:
        """Return the bytes that wait, in the transport or for it."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + self.waiting

    @property
    def behind(self) -> bool:
        """Whether more waits than a healthy connection has."""
        return self.unsent() > self._shed

    @property
    def closed(self) -> bool:
        """Whether writes go nowhere any more."""
        return self._transport is None

    def close(self) -> None:
        """Write nothing from now on; what was written before is on its way."""
        transport, backlog = self._transport, self._backlog
        self._transport = self._backlog = None
        if transport is not None and backlog is not None:
            self._hand_on(backlog.take(backlog.size), transport)

    def overflow(self) -> None:
        """End as a write does that finds too much unsent; nothing after `close`."""
        if self._transport is not None:
            self._transport = self._backlog = None
            self._overflow()

    def clear(self) -> None:
        """Forget what the transport has not got; more may be written."""
        self._backlog = None

    def _hand_on(self, frames: bytes, transport: Transport) -> None:
        try:
            transport.write(frames)
        except RuntimeError:  # uvloop's word for a closed socket; asyncio ignores such a write
            self._transport = self._backlog = None

    def _hand_on_some(self, backlog: Backlog, transport: Transport) -> None:
        self._hand_on(backlog.take(PUSH_BYTES), transport)
        if not backlog.size:
            self._backlog = None

    def _press(self, transport: Transport) -> None:
        """Hand on more than is left to the next turn: the kernel may take it at once, as when a
        long replay is written in one turn."""
        while self._backlog is not None:
            self._hand_on_some(self._backlog, transport)
            if transport.get_write_buffer_size() > self._direct:
                return

    def _write_later(self, frames: bytes, transport: Transport) -> None:
        if self.unsent() > self._most:
            self._press(transport)
        if self.unsent() > self._most:
            self.overflow()
        elif self._backlogs is None:
            self._hand_on(frames, transport)
        else:
            if self._backlog is None:
                self._backlog = Backlog()
                self._backlogs.add(self)
            self._backlog.add(frames)
