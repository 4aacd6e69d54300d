"""The processes of a private server, found in /proc.

Neither a process group nor a session holds them all: PostgreSQL gives each backend a session of
its own, and Erlang's port programs leave the group. So every process is started with a mark in
its environment, which children inherit; and because PostgreSQL's write their title over it, and
because a container's root may not read another user's environment, descent counts as well.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MARK = "PRIVATE_SERVER_FOLDER"
"""The environment variable. Its value is the server's folder, which one server has at a time."""

END_SECONDS = 15.0
"""For a signal to take effect, which waits for a slow disk at most."""


class Process(NamedTuple):
    """A process, told from a later one that was given the same pid."""

    pid: int
    started: int
    """In clock ticks since the machine started."""


class _Stat(NamedTuple):
    parent: int
    started: int


def identify(pid: int) -> Process | None:
    """Return the living process of this pid."""
    stat = _stat(pid)
    return None if stat is None else Process(pid, stat.started)


def is_alive(process: Process) -> bool:
    """Tell whether it still runs. One that ended and was not waited for does not."""
    return identify(process.pid) == process


def processes_of(mark: str, main: Process | None = None) -> set[Process]:
    """Return all that bear the mark, the main one, and their descendants."""
    table = {pid: stat for pid in _pids() if (stat := _stat(pid)) is not None}
    found = {pid for pid in table if _has_mark(pid, mark)}
    if main is not None and main.pid in table and table[main.pid].started == main.started:
        found.add(main.pid)
    while children := {pid for pid in table if table[pid].parent in found} - found:
        found |= children
    return {Process(pid, table[pid].started) for pid in found}


def send(processes: Iterable[Process], number: int) -> None:
    """Send a signal to those that still run."""
    for process in processes:
        if is_alive(process):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)


def freeze(mark: str, main: Process | None = None) -> None:
    """Stop them all where they are, and return once each of their threads stands still.

    TimeoutError when one does not.
    """
    left = {process.pid for process in _stop(mark, main)}
    deadline = time.monotonic() + END_SECONDS
    while left := {pid for pid in left if _runs(pid)}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(left)} processes of {mark} are not stopped by SIGSTOP")
        time.sleep(0.005)


def end(mark: str, main: Process | None = None) -> None:
    """End them all at once, as a power cut would. TimeoutError when one does not go.

    They are stopped first: what is killed one by one can fork, or tidy up, in between.
    """
    left = ended = _stop(mark, main)
    send(left, signal.SIGKILL)
    deadline = time.monotonic() + END_SECONDS
    while left := {process for process in left if is_alive(process)}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(left)} processes of {mark} outlive SIGKILL")
        time.sleep(0.005)
    _remove_shared_memory({process.pid for process in ended})


def await_burial(pid: int) -> None:
    """Wait until a process that has ended is also gone: until its parent has asked for its end.

    For an orphan that is the system's first process, which may take a moment, or never do it.
    """
    deadline = time.monotonic() + END_SECONDS
    while _is_zombie(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def _stop(mark: str, main: Process | None) -> set[Process]:
    """Send SIGSTOP to them all, those too that were forked meanwhile; return them."""
    stopped: set[Process] = set()
    while new := processes_of(mark, main) - stopped:
        send(new, signal.SIGSTOP)
        stopped |= new
    return stopped


def _runs(pid: int) -> bool:
    """Tell whether a thread of it has not been stopped yet: each stops when it is next noticed."""
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if task.read_bytes().rpartition(b")")[2].split()[0] not in b"TtZX":
                return True
    return False


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): "pid (name) state ppid …"; the name may hold anything, brackets too.
    state, parent, *fields = text.rpartition(b")")[2].split()
    return None if state in (b"Z", b"X") else _Stat(int(parent), int(fields[17]))


def _is_zombie(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(b")")[2].split()[0] == b"Z"


def _has_mark(pid: int, mark: str) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return f"{MARK}={mark}".encode() in environment.split(b"\0")


def _remove_shared_memory(pids: set[int]) -> None:
    """Remove what these processes have made and nobody uses: PostgreSQL's lock, 56 bytes.

    It outlives a SIGKILL, for PostgreSQL's next start to find and remove, which may never come.
    """
    if not pids:
        return
    for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
        _key, number, _mode, _size, maker, _user, users, *_ = line.split()
        if int(maker) in pids and users == "0":
            # Where even root may not, it stays: next to nothing.
            subprocess.run(["ipcrm", "-m", number], capture_output=True, check=False)
