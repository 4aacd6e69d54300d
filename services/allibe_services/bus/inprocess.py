"""The bus inside one process: commands wait in memory until the worker has committed them.

A command's future ends when its delivery is acked, so a RECEIPT means stored. Nothing survives
the process, and nothing needs to: what was not acked was never confirmed to anyone.
"""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from itertools import chain

import structlog

from allibe_services.bus.base import DELIVERY_BYTES, EventHandler
from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.errors import (
    AllibeError,
    CommandRejected,
    NotConfirmed,
    Overloaded,
    ShuttingDown,
)
from allibe_services.contracts.events import Event, key_of

WAITING_COMMANDS = 20_000
"""Most commands that wait: a few seconds of a busy process, about 20 MB of short messages."""

HELD_BYTES = 64 << 20
"""Most memory of contents that wait or are with the worker, in bytes.

20,000 of the longest messages would be 160 MB, and four times that with an emoji in each. So
8,000 of them fit, or 2,000 with emoji; short messages meet the bound on their number first.
"""

PUBLISH_SECONDS = 5.0
"""How long a command may wait before its sender is told to try again."""

log = structlog.get_logger(__name__)


class InProcessBus:
    """`Bus` for one process. One shard: one writer at the database gains nothing from more."""

    shards = 1

    def __init__(
        self,
        *,
        publish_seconds: float = PUBLISH_SECONDS,
        most_waiting: int = WAITING_COMMANDS,
        most_bytes: int = HELD_BYTES,
    ) -> None:
        self._line = _Line(publish_seconds, most_waiting, most_bytes)
        self._bound: dict[str, list[_Listening]] = {}
        self._closed = False

    def post(self, command: PostMessage) -> "asyncio.Future[Stored | None]":
        future: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(command, future)
        if self._closed:
            waiting.fail(ShuttingDown())
        elif not self._line.add(waiting):
            waiting.fail(Overloaded(retry_after_ms=1000))
        return future

    async def deliveries(self, shard: int, *, most: int) -> "AsyncIterator[_Delivery]":
        if shard != 0:
            raise ValueError(f"shard {shard}: this bus has one shard, 0")
        async with self._line.consuming:  # the others wait until this one has ended
            while not self._closed:
                taken = await self._line.take(most)
                if taken:
                    yield _Delivery(self._line, taken)

    async def publish(self, events: Sequence[Event]) -> None:
        per_listening: dict[_Listening, list[Event]] = {}
        for event in events:
            for listening in self._bound.get(key_of(event), ()):
                per_listening.setdefault(listening, []).append(event)
        for listening, wanted in per_listening.items():
            listening.hand_over(wanted)

    async def listen(self, handler: EventHandler) -> "_Listening":
        return _Listening(handler, self._bound)

    async def ping(self) -> None:
        if self._closed:
            raise ShuttingDown

    async def close(self) -> None:
        self._closed = True
        self._line.close()


class _Waiting:
    """A command and who waits for its outcome; `deadline` is in loop time, `size` in bytes."""

    __slots__ = ("command", "deadline", "future", "size")

    def __init__(self, command: PostMessage, future: "asyncio.Future[Stored | None]") -> None:
        self.command = command
        self.future = future
        self.deadline = 0.0
        # Kept, because it grows when somebody encodes the content: CPython keeps the UTF-8.
        self.size = sys.getsizeof(command.content)

    def settle(self, outcome: Outcome) -> None:
        if isinstance(outcome, Rejected):
            self.fail(CommandRejected(outcome.reason))
        elif not self.future.done():
            self.future.set_result(outcome)

    def fail(self, error: AllibeError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class _Line:
    """Commands in the order in which they came: those with the worker, then those waiting."""

    def __init__(self, patience: float, most: int, most_bytes: int) -> None:
        self.consuming = asyncio.Lock()
        self._patience = patience
        self._most = most
        self._free_bytes = most_bytes
        self._taken: list[_Waiting] = []
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._expiry: asyncio.TimerHandle | None = None

    def add(self, waiting: _Waiting) -> bool:
        """Let a command wait; False when there is no room."""
        if len(self._waiting) >= self._most or waiting.size > self._free_bytes:
            return False
        self._free_bytes -= waiting.size
        loop = asyncio.get_running_loop()
        waiting.deadline = loop.time() + self._patience
        self._waiting.append(waiting)
        self._arrived.set()
        if self._expiry is None:
            self._expiry = loop.call_at(waiting.deadline, self._expire)
        return True

    async def take(self, most: int) -> list[_Waiting]:
        """Return the commands at the head, after waiting for one; unacked ones come again."""
        if not self._taken:
            await self._arrived.wait()
            self._taken = self._head(most)
            self._rest()
        return self._taken

    def ack(self, outcomes: Sequence[Outcome]) -> None:
        taken, self._taken = self._taken, []
        for waiting, outcome in zip(taken, outcomes, strict=True):
            self._free_bytes += waiting.size
            waiting.settle(outcome)

    def close(self) -> None:
        """Tell everyone who still waits, and wake who waits for commands."""
        for waiting in [*self._taken, *self._waiting]:
            waiting.fail(ShuttingDown())
        self._waiting.clear()
        if self._expiry is not None:
            self._expiry.cancel()
        self._arrived.set()

    def _head(self, most: int) -> list[_Waiting]:
        """Remove and return the first ones: up to `most`, and up to `DELIVERY_BYTES` or one."""
        head: list[_Waiting] = []
        room = DELIVERY_BYTES
        while self._waiting and len(head) < most:
            room -= _utf8_bytes(self._waiting[0].command.content)
            if head and room < 0:
                break
            head.append(self._waiting.popleft())
        return head

    def _rest(self) -> None:
        if not self._waiting:
            self._arrived.clear()

    def _expire(self) -> None:
        """Tell those whose time is over. Who is not with the worker yet is withdrawn."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for waiting in self._taken:
            if waiting.deadline <= now:
                waiting.fail(NotConfirmed())
        while self._waiting and self._waiting[0].deadline <= now:
            withdrawn = self._waiting.popleft()
            self._free_bytes += withdrawn.size
            withdrawn.fail(NotConfirmed())
        self._rest()
        self._expiry = self._next_expiry(loop, now)

    def _next_expiry(
        self, loop: asyncio.AbstractEventLoop, now: float
    ) -> asyncio.TimerHandle | None:
        everyone = chain(self._taken, self._waiting)  # by deadline: all have the same patience
        later = next((one.deadline for one in everyone if one.deadline > now), None)
        return None if later is None else loop.call_at(later, self._expire)


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


class _Delivery:
    """The commands that are with the worker, until they are acked."""

    def __init__(self, line: _Line, taken: Sequence[_Waiting]) -> None:
        self._line = line
        self.commands: Sequence[PostMessage] = [waiting.command for waiting in taken]

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        self._line.ack(outcomes)


class _Listening:
    """One handler's place: the keys it is bound to."""

    def __init__(self, handler: EventHandler, bound: dict[str, "list[_Listening]"]) -> None:
        self._handler = handler
        self._bound = bound
        self._keys: set[str] = set()

    def hand_over(self, events: Sequence[Event]) -> None:
        try:
            self._handler.on_events(events)
        except Exception:
            # The publisher is the worker: another's fault must not stop the log.
            log.exception("event_handler_failed")

    async def bind(self, keys: Collection[str]) -> None:
        for key in set(keys) - self._keys:
            self._bound.setdefault(key, []).append(self)
        self._keys.update(keys)

    async def unbind(self, keys: Collection[str]) -> None:
        for key in self._keys.intersection(keys):
            self._bound[key].remove(self)
            if not self._bound[key]:
                del self._bound[key]
        self._keys.difference_update(keys)

    async def close(self) -> None:
        await self.unbind(tuple(self._keys))
