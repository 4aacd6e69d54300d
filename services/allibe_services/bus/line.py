"""Commands that wait for something, in order: for the worker's ack, or for the broker's confirm.

Both buses stand on it. It knows when each sender's patience ends, and how much may wait.
"""

import asyncio
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from allibe_services.bus.base import DELIVERY_BYTES
from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.errors import (
    AllibeError,
    CommandRejected,
    NotConfirmed,
    ShuttingDown,
)

WAITING_COMMANDS = 20_000
"""Most commands that wait: a few seconds of a busy process, about 20 MB of short messages."""

HELD_BYTES = 64 << 20
"""Most memory of contents that wait or were taken, in bytes.

20,000 of the longest messages would be 160 MB, and four times that with an emoji in each. So
8,000 of them fit, or 2,000 with emoji; short messages meet the bound on their number first.
"""

PUBLISH_SECONDS = 5.0
"""How long a command may wait before its sender is told to try again."""


OK = "ok"
"""What senders are told whose command is durable; else it is the error's code."""

Tell = Callable[[str, int, float], None]
"""Hears what senders were told, of how many it was the same, and for how many seconds the one of
them had waited that waited longest: once for a batch. It raises nothing."""


class Waiting:
    """A command and who waits for its outcome; `deadline` is in loop time, `size` in bytes."""

    __slots__ = ("command", "deadline", "future", "size")

    def __init__(self, command: PostMessage) -> None:
        self.command = command
        self.future: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self.deadline = 0.0
        # Kept, because it grows when somebody encodes the content: CPython keeps the UTF-8.
        self.size = sys.getsizeof(command.content)

    def settle(self, outcome: Outcome | None) -> str | None:
        """Say what became of the command; None: it is durable, the rest is not known here.

        Return what was told, None where nobody waits any longer.
        """
        if isinstance(outcome, Rejected):
            return self.fail(CommandRejected(outcome.reason))
        if self.future.done():
            return None
        self.future.set_result(outcome)
        return OK

    def fail(self, error: AllibeError) -> str | None:
        """Say that it failed, to whoever still waits; return as `settle`."""
        if self.future.done():
            return None
        self.future.set_exception(error)
        return error.code


def nobody(_result: str, _count: int, _seconds: float) -> None:
    """Nobody wants to hear what senders were told."""


class Space:
    """How much more may wait, in all lines of a bus."""

    def __init__(self, most: int = WAITING_COMMANDS, most_bytes: int = HELD_BYTES) -> None:
        self.commands = most
        self.bytes = most_bytes

    def fits(self, waiting: Waiting) -> bool:
        """Tell whether there is space for one more."""
        return self.commands > 0 and waiting.size <= self.bytes


class Line:
    """Commands in the order in which they came: those that were taken, then those waiting.

    `withdrawn` makes the error for those whose time ends before they are taken: these are out of
    the line then. For those that were taken it is `NotConfirmed`, and they stay.
    """

    def __init__(
        self,
        space: Space,
        *,
        patience: float = PUBLISH_SECONDS,
        withdrawn: Callable[[], AllibeError] = NotConfirmed,
        tell: Tell = nobody,
    ) -> None:
        self._tell = tell
        self._space = space
        self._patience = patience
        self._withdrawn = withdrawn
        self._taken: list[Waiting] = []
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def length(self) -> int:
        """How many commands wait to be taken."""
        return len(self._waiting)

    def refuse(self, waiting: Waiting, error: AllibeError) -> None:
        """Say of a command that it may not even wait."""
        if (told := waiting.fail(error)) is not None:
            self._tell(told, 1, 0.0)

    def add(self, waiting: Waiting) -> bool:
        """Let a command wait; False when there is no space."""
        if not self._space.fits(waiting):
            return False
        self._space.commands -= 1
        self._space.bytes -= waiting.size
        loop = asyncio.get_running_loop()
        waiting.deadline = loop.time() + self._patience
        self._waiting.append(waiting)
        self._arrived.set()
        if self._expiry is None:
            self._expiry = loop.call_at(waiting.deadline, self._expire)
        return True

    async def arrived(self) -> None:
        """Return once something waits, or was taken and is not settled, or the line is closed."""
        if not self._taken:
            await self._arrived.wait()

    def take(self, most: int) -> list[Waiting]:
        """Return the commands at the head; those that were taken and are not settled come again.

        Up to `most`, and up to `DELIVERY_BYTES` of content, or one that is longer.
        """
        if not self._taken:
            self._taken = self._head(most)
            self._rest()
        return self._taken

    def settle(self, outcomes: Sequence[Outcome | None]) -> None:
        """Say what became of those that were taken, and forget them."""
        taken, self._taken = self._taken, []
        told = []
        for waiting, outcome in zip(taken, outcomes, strict=True):
            self._space.bytes += waiting.size
            told.append(waiting.settle(outcome))
        self._count(told, taken)

    def fail(self, error: Callable[[], AllibeError]) -> None:
        """Say that those that were taken failed, and forget them."""
        taken, self._taken = self._taken, []
        told = []
        for waiting in taken:
            self._space.bytes += waiting.size
            told.append(waiting.fail(error()))
        self._count(told, taken)

    def sort_out(self, is_unfit: Callable[[Waiting], bool], outcome: Rejected) -> None:
        """Reject some of those that were taken, and forget them; the others stay taken."""
        taken, self._taken = self._taken, []
        told = []
        for waiting in taken:
            if is_unfit(waiting):
                self._space.bytes += waiting.size
                told.append(waiting.settle(outcome))
            else:
                self._taken.append(waiting)
        self._count(told, taken)

    def forget_late(self) -> None:
        """Forget those that were taken and whose senders have been told that their time is over."""
        now = asyncio.get_running_loop().time()
        late = [waiting for waiting in self._taken if waiting.deadline <= now]
        self._taken = self._taken[len(late) :]  # by deadline: all have the same patience
        told = []
        for waiting in late:
            self._space.bytes += waiting.size
            told.append(waiting.fail(NotConfirmed()))
        self._count(told, late)

    def close(self) -> None:
        """Tell everyone who still waits, and wake who waits for commands."""
        everyone = [*self._taken, *self._waiting]
        self._count([waiting.fail(ShuttingDown()) for waiting in everyone], everyone)
        self._waiting.clear()
        if self._expiry is not None:
            self._expiry.cancel()
        self._arrived.set()

    def _head(self, most: int) -> list[Waiting]:
        """Remove and return the first ones: up to `most`, and up to `DELIVERY_BYTES` or one."""
        head: list[Waiting] = []
        room = DELIVERY_BYTES
        while self._waiting and len(head) < most:
            room -= utf8_bytes(self._waiting[0].command.content)
            if head and room < 0:
                break
            head.append(self._waiting.popleft())
        self._space.commands += len(head)
        return head

    def _rest(self) -> None:
        if not self._waiting:
            self._arrived.clear()

    def _expire(self) -> None:
        """Tell those whose time is over. Who was not taken yet is withdrawn."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        over = [waiting for waiting in self._taken if waiting.deadline <= now]
        told = [waiting.fail(NotConfirmed()) for waiting in over]
        while self._waiting and self._waiting[0].deadline <= now:
            late = self._waiting.popleft()
            self._space.commands += 1
            self._space.bytes += late.size
            over.append(late)
            told.append(late.fail(self._withdrawn()))
        self._count(told, over)
        self._rest()
        self._expiry = self._next_expiry(loop, now)

    def _count(self, told: Iterable[str | None], of: Sequence[Waiting]) -> None:
        """Tell of a batch what its senders were told; the first of it has waited longest."""
        for result, count in Counter(told).items():
            if result is not None:
                since = of[0].deadline - self._patience
                self._tell(result, count, asyncio.get_running_loop().time() - since)

    def _next_expiry(
        self, loop: asyncio.AbstractEventLoop, now: float
    ) -> asyncio.TimerHandle | None:
        everyone = chain(self._taken, self._waiting)  # by deadline: all have the same patience
        later = next((one.deadline for one in everyone if one.deadline > now), None)
        return None if later is None else loop.call_at(later, self._expire)


def utf8_bytes(text: str) -> int:
    """Return how many bytes a text takes in UTF-8; lone surrogates count too."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
