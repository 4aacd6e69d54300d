"""One connection's way out: finished frames go to the transport, up to a bound.

There is no queue of our own: what the kernel does not take waits in the transport, and its
length is the measure of a slow consumer.
"""

from collections.abc import Callable
from typing import Protocol


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
    """

    __slots__ = ("_most", "_overflow", "_shed", "_transport")

    def __init__(
        self, transport: Transport, *, most: int, shed: int, overflow: Callable[[], None]
    ) -> None:
        self._transport: Transport | None = transport
        self._most = most
        self._shed = shed
        self._overflow = overflow

    def write(self, frames: bytes) -> None:
        """Write frames, or overflow; nothing after `close`."""
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size() > self._most:
            self._transport = None
            self._overflow()
            return
        try:
            transport.write(frames)
        except RuntimeError:  # uvloop's word for a closed socket; asyncio ignores such a write
            self._transport = None

    def write_or_shed(self, frames: bytes) -> None:
        """Write frames that nobody misses, unless the connection is behind."""
        if self.unsent() <= self._shed:
            self.write(frames)

    def unsent(self) -> int:
        """Return the bytes that wait in the transport."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    @property
    def behind(self) -> bool:
        """Whether more waits than a healthy connection has."""
        return self.unsent() > self._shed

    @property
    def closed(self) -> bool:
        """Whether writes go nowhere any more."""
        return self._transport is None

    def close(self) -> None:
        """Write nothing from now on."""
        self._transport = None
