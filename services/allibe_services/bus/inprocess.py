"""The bus inside one process: commands wait in memory until the worker has committed them.

A command's future ends when its delivery is acked, so a RECEIPT means stored. Nothing survives
the process, and nothing needs to: what was not acked was never confirmed to anyone.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence

import structlog

from allibe_services import tracing
from allibe_services.bus.base import EventHandler
from allibe_services.bus.line import (
    HELD_BYTES,
    PUBLISH_SECONDS,
    WAITING_COMMANDS,
    Line,
    Space,
    Tell,
    Waiting,
    nobody,
)
from allibe_services.contracts.commands import Outcome, PostMessage, Stored
from allibe_services.contracts.errors import Overloaded, ShuttingDown
from allibe_services.contracts.events import Event, key_of

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
        tell: Tell = nobody,
    ) -> None:
        self._line = Line(Space(most_waiting, most_bytes), patience=publish_seconds, tell=tell)
        self._consuming = asyncio.Lock()
        self._bound: dict[str, list[_Listening]] = {}
        self._closed = False

    def post(self, command: PostMessage) -> "asyncio.Future[Stored | None]":
        waiting = Waiting(command)
        if tracing.current is not None:
            tracing.current.posted(command, waiting.future)
        if self._closed:
            self._line.refuse(waiting, ShuttingDown())
        elif not self._line.add(waiting):
            self._line.refuse(waiting, Overloaded(retry_after_ms=1000))
        return waiting.future

    @property
    def posts_waiting(self) -> int:
        """How many commands the worker has not taken."""
        return self._line.length

    async def deliveries(self, shard: int, *, most: int) -> "AsyncGenerator[_Delivery, None]":
        if shard != 0:
            raise ValueError(f"shard {shard}: this bus has one shard, 0")
        async with self._consuming:  # the others wait until this one has ended
            while not self._closed:
                await self._line.arrived()
                if taken := self._line.take(most):
                    yield _Delivery(self._line, taken)

    async def lengths(self, shards: Collection[int]) -> dict[int, int]:
        return dict.fromkeys(shards, self._line.length)

    async def dead_letters(self) -> int:
        return 0

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


class _Delivery:
    """The commands that are with the worker, until they are acked."""

    def __init__(self, line: Line, taken: Sequence[Waiting]) -> None:
        self._line = line
        self.commands: Sequence[PostMessage] = [waiting.command for waiting in taken]

    async def ack(self, outcomes: Sequence[Outcome]) -> None:
        self._line.settle(outcomes)


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
