"""Starts again what has ended by itself, as Kubernetes would: soon, then less and less soon."""

import threading
import time
from collections.abc import Callable, Iterable

from deploy.cluster.servers import PrivateServer

POLL_SECONDS = 0.2

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
"""Seconds before it is started again; doubled each time."""

STEADY_SECONDS = 30.0
"""What ran for so long was well: the next pause is the first again."""


class Keeper:
    """Keeps parts running from now on, one thread for each; `say` gets a line when one ends."""

    def __init__(self, parts: Iterable[PrivateServer], say: Callable[[str], None]) -> None:
        self._parts = tuple(parts)
        self._say = say
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(part,), name=part.name, daemon=True)
            for part in self._parts
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Start nothing any more; a start that is under way fails soon, and is waited for."""
        self._stopping.set()
        for part in self._parts:
            part.give_up()
        for thread in self._threads:
            thread.join()

    def _keep(self, part: PrivateServer) -> None:
        pause, began = FIRST_PAUSE, time.monotonic()
        while not self._stopping.wait(POLL_SECONDS):
            if part.is_running:
                continue
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self._say(f"{part.name} has ended; it is started again in {pause:.1f} s")
            if self._stopping.wait(pause):
                return
            pause = min(2 * pause, LONGEST_PAUSE)
            self._start(part)
            began = time.monotonic()

    def _start(self, part: PrivateServer) -> None:
        try:
            part.start()
        except (RuntimeError, OSError) as error:  # ServerFailed, ProgramMissing; a full disk
            if not self._stopping.is_set():
                self._say(str(error).partition("\n")[0])
        else:
            self._say(f"{part.name} is up again (pid {part.pid})")
