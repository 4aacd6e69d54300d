"""The guard itself: see guard. Started by it, never by hand.

python -m deploy.cluster.servers.guard_process
"""

import json
import signal
import sys

from deploy.cluster.servers.processes import Process, end


def main() -> None:
    """Keep what standard input tells until it ends; then end what is still watched."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[str, Process | None] = {}
    for line in sys.stdin:
        mark, is_watched, process = json.loads(line)
        watched.pop(mark, None)
        if is_watched:
            watched[mark] = Process(*process) if process else None
    for mark, known in watched.items():
        end(mark, known)


if __name__ == "__main__":
    main()
