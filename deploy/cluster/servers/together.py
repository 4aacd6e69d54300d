"""Several servers at a time."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Protocol


class Startable(Protocol):
    """A server, or several that are one."""

    def start(self) -> None: ...

    def close(self) -> None: ...


def start_all(servers: Iterable[Startable]) -> None:
    """Start servers side by side. When one fails all are closed, and its error is raised."""
    started = list(servers)
    with ExitStack() as stack, ThreadPoolExecutor(max(1, len(started))) as threads:
        stack.callback(close_all, started)
        for future in [threads.submit(server.start) for server in started]:
            future.result()
        stack.pop_all()


def close_all(servers: Iterable[Startable]) -> None:
    """Close servers, the last one first; all of them, whatever fails."""
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.close)
