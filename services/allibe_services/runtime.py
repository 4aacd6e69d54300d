"""What a process needs to live and die well: owned tasks, readiness, stop signals.

A background task that fails ends its process (the platform starts another): a worker or a hub
that silently stopped would be worse than a restart.
"""

import asyncio
import gc
import resource
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog

from allibe_services.contracts.errors import AllibeError, ShuttingDown, Unavailable

CHECK_SECONDS = 2.0
"""How long a readiness check may take before it counts as failed."""

COLLECT_AFTER = 10_000
"""New objects after which Python looks for unreachable cycles. After 700, its default, a busy
gateway does nothing else for a tenth of its time; in so many there are 2 MB of garbage at most."""

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[None]]


def collect_garbage_less() -> None:
    """Look for unreachable cycles now and then, and not among what was there at the start."""
    with _ctrl_c_afterwards():
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)


@contextmanager
def _ctrl_c_afterwards() -> Iterator[None]:
    """Heed a Ctrl-C once the work is done: what its handler raises in a finalizer is lost."""
    came = []
    former = signal.signal(signal.SIGINT, lambda *_: came.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if came:
        signal.raise_signal(signal.SIGINT)


def allow_many_connections() -> None:
    """Raise the limit of open files, of which a connection is one, as far as the system lets it.

    Systems give processes a soft limit of 1,024, for the sake of programs that use `select`.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems say "unlimited", and take no such thing
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Readiness:
    """Named checks; ready when all pass. A check passes by returning, fails by raising."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._draining = False

    def add(self, name: str, check: Check) -> None:
        """Ask this check from now on."""
        self._checks[name] = check

    def remove(self, name: str) -> None:
        """Ask this check no longer; an unknown one is ignored."""
        self._checks.pop(name, None)

    def drain(self) -> None:
        """Be unready from now on: the process is going away."""
        self._draining = True

    async def report(self) -> dict[str, str]:
        """Return `ok`, the error's code, `timeout` or `failed` for each check; all at once."""
        if self._draining:
            return {"process": ShuttingDown.code}
        names = list(self._checks)
        results = await asyncio.gather(*(_ask(self._checks[name]) for name in names))
        return dict(zip(names, results, strict=True))


async def _ask(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except TimeoutError:
        return "timeout"
    except AllibeError as error:
        return error.code
    except Exception:
        log.exception("readiness_check_failed")
        return "failed"
    return "ok"


class Tasks:
    """Owns background tasks. `failed` ends with the first error that one of them raises."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[None, None, None], *, name: str) -> asyncio.Task[None]:
        """Run the work; it is cancelled at the latest when `close` is called."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.failed.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or task.exception() is None:
            return
        log.error("task_failed", task=task.get_name(), exc_info=task.exception())
        if not self.failed.done():
            self.failed.set_exception(task.exception() or Unavailable())


def cancellations() -> int:
    """Return how often somebody wanted this task to end: libraries may swallow it."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def stop_requested(tasks: Tasks) -> None:
    """Wait for SIGTERM or SIGINT. Raises what a background task failed with, if one does."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    waiting = asyncio.create_task(stop.wait(), name="stop-signal")
    try:
        ends: set[asyncio.Future[Any]] = {waiting, tasks.failed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        # A second signal means: at once.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    if tasks.failed.done():
        tasks.failed.result()
