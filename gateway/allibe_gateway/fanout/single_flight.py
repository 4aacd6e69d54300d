"""Reads that several ask for at once run once: a reconnect storm costs per room, not per client."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from allibe_services.contracts.errors import StoreUnavailable

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class SingleFlight(Generic[_Key, _Value]):
    """Shares the result, or the error, of a call among all who ask while it runs."""

    def __init__(self) -> None:
        self._running: dict[_Key, asyncio.Task[_Value]] = {}

    async def run(self, key: _Key, call: Callable[[], Coroutine[Any, Any, _Value]]) -> _Value:
        """Return the call's result; who waits may be cancelled without harm to the others.

        Raises what the call raises, and `StoreUnavailable` when `close` ended it.
        """
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(call(), name="shared-read")
            task.add_done_callback(lambda done: self._ended(key, done))
        await asyncio.wait((task,))  # cancelled, it leaves the task alone
        if task.cancelled():
            raise StoreUnavailable
        return task.result()

    def close(self) -> None:
        """Cancel what runs."""
        for task in tuple(self._running.values()):
            task.cancel()

    def _ended(self, key: _Key, task: asyncio.Task[_Value]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # retrieved: all who waited may be gone
