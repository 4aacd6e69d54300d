"""Signals as events: what runs is never broken off half-way, but told, and then waited for."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, an operator's stop, and a terminal that was closed."""

_DONE = 0
"""No signal has this number."""


class Signals:
    """Keeps the signals that come from now on, for the main thread to take."""

    def __init__(self) -> None:
        # A pipe: a handler in Python runs only when the main thread moves, which it does not
        # where another thread was given the signal and the main one waits for a lock.
        self._events, self._told = os.pipe()
        os.set_blocking(self._told, False)
        signal.set_wakeup_fd(self._told)
        for number in NUMBERS:
            signal.signal(number, lambda *_: None)

    def wait(self) -> None:
        """Return when a signal has come that nothing was told of."""
        self._next()

    def run(self, work: Callable[[], object], interrupted: Callable[[], object]) -> bool:
        """Do the work in another thread and wait for its end; tell whether no signal came.

        `interrupted` is called for each signal meanwhile; it should make the work end. Raises
        what the work raises, unless it was interrupted.
        """
        calm = True
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(work)
            done.add_done_callback(lambda _: os.write(self._told, bytes([_DONE])))
            while self._next() != _DONE:
                calm = False
                interrupted()
        if calm:
            done.result()
        return calm

    def _next(self) -> int:
        return os.read(self._events, 1)[0]
