"""Threads that no hung disk can turn into a process that does not end.

Those of `ThreadPoolExecutor` are joined when the interpreter exits, however long they take.
These are daemons: whoever wants them to finish waits for them, for as long as it likes.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

R = TypeVar("R")


class Threads:
    """A number of daemon threads that run what is submitted, in the order in which it came.

    They start with the first of it. Not to be used from several threads at once.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, function: Callable[[], R]) -> "Future[R]":
        """Run the function on one of the threads. Cancelled before its turn, it never runs."""
        future: Future[R] = Future()
        self._work.put(lambda: _settle(future, function))
        if not self._threads:
            self._threads = [_started(self._run, self._name) for _ in range(self._count)]
        return future

    def finish(self) -> None:
        """Block until all that was submitted has run and the threads have ended."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            del work  # it holds the result, which nobody else may want any more


def in_daemon_thread(function: Callable[[], R], name: str) -> "Future[R]":
    """Run a function on a daemon thread of its own."""
    future: Future[R] = Future()
    _started(lambda: _settle(future, function), name)
    return future


def _started(function: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=function, name=name, daemon=True)
    thread.start()
    return thread


def _settle(future: "Future[R]", function: Callable[[], R]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # the caller gets it; the thread goes on
        future.set_exception(error)
        del future  # else the error's traceback would hold what holds the error
    else:
        future.set_result(result)
