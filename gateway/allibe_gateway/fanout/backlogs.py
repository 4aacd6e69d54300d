"""What slow peers have not taken yet: frames wait here, and go to the transport when it has room.

A transport keeps three objects for each write that waits, and Python's garbage collector walks
through all of them: a thousand peers that did not read cost everybody else 30 to 70 ms, ever
again. Here a frame costs a reference, and one that many wait for is there once.
"""

import asyncio
from collections import deque
from typing import Protocol

LOOK_SECONDS = 0.05
"""Pause between two looks at transports that were full."""

PUSH_BYTES = 128 * 1024
"""Bytes for a transport at a time, or one frame if that is longer: a peer that reads again gets at
least 2.5 MiB a second."""


class Backlog:
    """Frames in order, and their bytes."""

    __slots__ = ("_frames", "size")

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self.size = 0

    def add(self, frames: bytes) -> None:
        """Let frames wait behind the others."""
        self._frames.append(frames)
        self.size += len(frames)

    def take(self, most: int) -> bytes:
        """Return the first frames, as many as reach `most` bytes; they wait no more."""
        taken, size = [], 0
        while self._frames and size < most:
            taken.append(self._frames.popleft())
            size += len(taken[-1])
        self.size -= size
        return b"".join(taken)


class Waiting(Protocol):
    """An outbox with a backlog."""

    def push(self) -> bool:
        """Hand on what there is room for; tell whether that was anything."""
        ...

    @property
    def waits(self) -> bool:
        """Whether there is more to hand on."""
        ...


class Backlogs:
    """Empties the backlogs of a gateway. One timer for all, and none while nobody is behind."""

    def __init__(self) -> None:
        self._ready: set[Waiting] = set()
        self._full: set[Waiting] = set()

    def add(self, outbox: Waiting) -> None:
        """Look at it in the loop's next turn, and then until nothing waits in it."""
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._push_ready)
        self._ready.add(outbox)

    def _push_ready(self) -> None:
        ready, self._ready = self._ready, set()
        self._push(ready)

    def _push_full(self) -> None:
        full, self._full = self._full, set()
        self._push(full)

    def _push(self, outboxes: set[Waiting]) -> None:
        for one in outboxes:
            pushed = one.push()
            if not one.waits:
                continue
            if pushed:  # the kernel may have taken all of it by the next turn
                self.add(one)
            else:
                self._look_later(one)

    def _look_later(self, outbox: Waiting) -> None:
        if not self._full:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._push_full)
        self._full.add(outbox)
