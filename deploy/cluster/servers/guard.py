"""The guard: a small process that ends private servers when the process that started them is gone.

However that went: SIGKILL leaves no time for `atexit`. The guard reads a pipe that only its owner
writes to, and the end of the pipe is the end of the owner. PR_SET_PDEATHSIG would not do: it fires
when the *thread* that started the child ends (servers are started side by side, in threads), is
forgotten when the child changes its user (PostgreSQL, under root), and does not reach children's
children.

This is the owner's side; the guard itself is guard_process.
"""

import atexit
import fcntl
import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from deploy.cluster.servers.processes import Process

ROOT = Path(__file__).resolve().parents[3]

LOCK = "guard"
"""A file in a server's folder, locked while a guard watches it."""

OTHERS_SECONDS = 30.0

_lock = threading.Lock()
_watched: dict[str, Process | None] = {}
_guards: "list[subprocess.Popen[bytes]]" = []
"""None or one."""


def watch(mark: str, main: Process | None = None) -> None:
    """End all processes with this mark, and the descendants of `main`, when this process ends."""
    with _lock:
        _watched[mark] = main
        if not _guards or _guards[0].poll() is not None:
            _guards[:] = [_start()]
            for known in _watched:
                _tell(known)
        else:
            _tell(mark)


def forget(mark: str) -> None:
    """Watch this no longer: it has ended."""
    with _lock:
        if _watched.pop(mark, "unknown") != "unknown":
            # A guard that is gone has forgotten by itself.
            with suppress(BrokenPipeError):
                _tell(mark)


def await_others(mark: str) -> None:
    """Wait until the guard of an owner that is gone has done its work: it would end ours, too."""
    deadline = time.monotonic() + OTHERS_SECONDS
    with Path(mark, LOCK).open("ab") as lock:
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(0.02)


def _start() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", f"{__name__}_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C in a terminal is for the owner, who stops servers in order
    )


def _tell(mark: str) -> None:
    pipe = _guards[0].stdin
    assert pipe is not None
    pipe.write(json.dumps([mark, mark in _watched, _watched.get(mark)]).encode() + b"\n")
    pipe.flush()


@atexit.register
def _dismiss() -> None:
    """Let it end what is left, and wait: nothing is there once this process is gone."""
    for guard in _guards:
        with suppress(subprocess.TimeoutExpired):
            guard.communicate(timeout=30)
