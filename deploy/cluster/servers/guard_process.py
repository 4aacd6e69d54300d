"""The guard itself: see guard. Started by it, never by hand.

python -m deploy.cluster.servers.guard_process
"""

import fcntl
import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from deploy.cluster.servers.guard import LOCK
from deploy.cluster.servers.processes import Process, end


def main() -> None:
    """Keep what standard input tells until it ends; then end what is still watched."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[str, Process | None] = {}
    held: dict[str, IO[bytes]] = {}
    for line in sys.stdin:
        mark, is_watched, process = json.loads(line)
        watched.pop(mark, None)
        if is_watched:
            watched[mark] = Process(*process) if process else None
            with suppress(FileNotFoundError):  # closed, and its folder gone, before we had started
                held[mark] = held.get(mark) or _held(mark)
        elif mark in held:
            held.pop(mark).close()
    for mark, known in watched.items():
        end(mark, known)


def _held(mark: str) -> IO[bytes]:
    """Hold a server's folder until its processes have ended: see `guard.await_others`."""
    lock = Path(mark, LOCK).open("ab")  # noqa: SIM115 - until it is forgotten
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


if __name__ == "__main__":
    main()
