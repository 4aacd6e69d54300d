"""The keys that a queue is to be bound to, the calls that make it so, and who waits for them.

Calls on one channel come one after the other, so several channels share the work. For a key there
is never more than one call under way, and when it has ended the wish is looked at again: the last
one is what stands.
"""

import asyncio
from collections.abc import Collection

from allibe_services.bus.rabbitmq.calls import call
from allibe_services.bus.rabbitmq.connection import Channel
from allibe_services.bus.rabbitmq.topology import EVENTS

BIND_SECONDS = 10.0
"""For one bind-ok, from a broker that restores the bindings of all gateways."""


class Bindings:
    """Wishes outlive the queue: `attach` binds the next one to what is wanted then."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._bound: set[str] = set()
        self._under_way: set[str] = set()
        self._waiters: dict[str, asyncio.Future[None]] = {}
        self._work: asyncio.Queue[str] | None = None

    async def want(self, keys: Collection[str]) -> None:
        """Return once the queue is bound to the keys; without a queue, to the next one."""
        self.wanted.update(keys)
        await self._settled(keys)

    async def drop(self, keys: Collection[str]) -> None:
        """Return once the queue is not bound to the keys any more."""
        self.wanted.difference_update(keys)
        await self._settled(keys)

    def attach(self) -> None:
        """Begin with a new queue, bound to nothing: `work` is to run over each channel for it."""
        self._bound.clear()
        self._work = asyncio.Queue()

    async def restore(self) -> None:
        """Return once the queue is bound to all that is wanted now."""
        await self._settled(tuple(self.wanted))

    def detach(self) -> None:
        """The queue is gone, with its bindings."""
        self._bound.clear()
        self._under_way.clear()
        self._work = None
        for key in self._waiters.keys() - self.wanted:
            self._tell(key)

    async def work(self, channel: Channel, queue: str) -> None:
        """Bind and unbind keys over one channel until cancelled. Raises `Lost`."""
        work = self._work
        while work is not None:
            key = await work.get()
            while (wanted := key in self.wanted) != (key in self._bound):
                if wanted:
                    await call(channel.queue_bind(queue, EVENTS, key), seconds=BIND_SECONDS)
                    self._bound.add(key)
                else:
                    self._bound.discard(key)
                    await call(channel.queue_unbind(queue, EVENTS, key), seconds=BIND_SECONDS)
            self._under_way.discard(key)
            self._tell(key)

    async def _settled(self, keys: Collection[str]) -> None:
        """Return once what is wanted and what the queue has are the same for all the keys."""
        waiters = []
        for key in keys:
            if key in self._under_way or (key in self.wanted) != (key in self._bound):
                self._start(key)
                waiter = self._waiters.get(key)
                if waiter is None:
                    waiter = self._waiters[key] = asyncio.get_running_loop().create_future()
                waiters.append(waiter)
            else:
                self._tell(key)  # another's wish that this one has overtaken
        if waiters:
            await asyncio.wait(waiters)

    def _start(self, key: str) -> None:
        if self._work is not None and key not in self._under_way:
            self._under_way.add(key)
            self._work.put_nowait(key)

    def _tell(self, key: str) -> None:
        waiter = self._waiters.pop(key, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
