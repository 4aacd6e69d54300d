"""What all private servers do: start, stop, kill, freeze, thaw, restart.

A subclass says what to run and how to see that it is ready. Everything blocks, with bounds, and
may be called from threads: one thread per server.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from deploy.cluster.servers import guard
from deploy.cluster.servers.ports import accepts, is_free, release_port, reserve_port
from deploy.cluster.servers.private_files import secret, write_private
from deploy.cluster.servers.processes import (
    MARK,
    Process,
    end,
    freeze,
    identify,
    processes_of,
    send,
)

POLL_SECONDS = 0.02

LOG_TAIL = 4000
"""Bytes of the log that an error shows."""


class ServerFailed(RuntimeError):
    """A server did not do what it was asked for; the text ends with the tail of its log.

    `log_path` is where that is, None where it has nothing to say of this.
    """

    log_path: Path | None = None


def take_folder(folder: Path, whose: str) -> IO[bytes]:
    """Make the folder and return a lock on it, which ends with the file or with this process.

    ServerFailed when another one, of the kind that `whose` says, has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ServerFailed(f"{folder} is in use by another {whose}") from None
    return lock


class PrivateServer:
    """One server: a folder, a log and a port, which it keeps over restarts, and its processes.

    Its passwords are in `home`: its folder, or one that several servers share.
    A folder has one owner at a time. What an owner left running that was killed together with
    its guard is ended before the next start.
    """

    name = "server"
    start_seconds = 60.0
    """Until it takes connections, on a machine that is overloaded."""
    stop_seconds = 20.0
    """Until it has ended by itself; then it is killed."""
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, port: int | None = None, home: Path | None = None) -> None:
        self.folder = folder.resolve()
        self.home = self.folder if home is None else home.resolve()
        self.port = reserve_port() if port is None else port
        self.log_path = self.folder / "server.log"
        self._mark = str(self.folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._main: Process | None = None
        self._lock: IO[bytes] | None = None
        self._given_up = False

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether its main process is there. A frozen one is."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The main process's."""
        if self._process is None:
            raise ServerFailed(f"{self.name} was never started")
        return self._process.pid

    def processes(self) -> set[Process]:
        """Return all of its processes that run, or are frozen."""
        return processes_of(self._mark, self._main) if self._lock else set()

    def start(self) -> None:
        """Start it, and return once it takes connections. ServerFailed when it does not."""
        if self.is_running:
            raise ServerFailed(f"{self.name} runs already")
        self.claim()
        try:
            self._prepare()
            self._check_wanted()
            self._launch()
            self._await_readiness()
        except BaseException:
            self.kill()
            raise

    def claim(self) -> None:
        """Take the folder, end what an owner before us left, and see that the port is free.

        `start` does so too; by itself it tells what is in the way before anything runs.
        """
        self._take_folder()
        self._check_port()

    def give_up(self) -> None:
        """Let a start that is under way in another thread fail soon, and each that is to come.

        Safe in a signal handler. Who started it kills it.
        """
        self._given_up = True

    def stop(self) -> None:
        """Ask it to end, and kill what has not ended in `stop_seconds`."""
        if self._process is not None and self.is_running:
            self.thaw()
            self._process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(self.stop_seconds)
        self.kill()

    def kill(self) -> None:
        """End all its processes as a power cut would: SIGKILL."""
        if self._lock is None:
            return  # what runs in this folder, if anything, is another owner's
        end(self._mark, self._main)
        if self._process is not None:
            self._process.wait()
        self._main = None

    def freeze(self) -> None:
        """Stop all its processes where they are: SIGSTOP."""
        if self._lock is not None:
            freeze(self._mark, self._main)

    def thaw(self) -> None:
        """Let them go on: SIGCONT."""
        send(self.processes(), signal.SIGCONT)

    def restart(self) -> None:
        """Stop it, if it runs, and start it again: same port, same folder."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Kill it and give up folder and port. What is to be kept is stopped first."""
        self.kill()
        guard.forget(self._mark)
        release_port(self.port)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def log(self, since: int = 0) -> str:
        """Return what it wrote, from a byte on."""
        try:
            return self.log_path.read_bytes()[since:].decode(errors="replace")
        except FileNotFoundError:
            return ""

    def log_size(self) -> int:
        """Return how much it wrote so far."""
        return self.log_path.stat().st_size

    def failure(self, what: str) -> ServerFailed:
        """Return an error that shows the end of the log."""
        failed = ServerFailed(f"{self.name} {what}\n{self.log()[-LOG_TAIL:]}")
        failed.log_path = self.log_path
        return failed

    def until(self, is_true: Callable[[], bool], what: str, *, seconds: float) -> None:
        """Return once it is true. ServerFailed when it does not become so, or the server ends."""
        deadline = time.monotonic() + seconds
        while not is_true():
            if not self.is_running:
                raise self.failure(f"ended before it {what}")
            self._check_wanted()
            if time.monotonic() > deadline:
                raise self.failure(f"had {seconds:.0f} s and has not {what}")
            time.sleep(POLL_SECONDS)

    def _prepare(self) -> None:
        """Write what it needs to start; its folder is there."""

    def _command(self) -> list[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        """Return its whole environment: nothing of ours that could configure it gets in."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            MARK: self._mark,
        }

    def _is_ready(self) -> bool:
        """Tell whether it takes connections and answers them."""
        return accepts(self.port)

    def _secret(self, name: str) -> str:
        """Return a password, made once and kept in `home`."""
        return secret(self.home / name)

    def _write(self, name: str, text: str) -> Path:
        """Write a file of the folder that only we can read."""
        return write_private(self.folder / name, text)

    def _take_folder(self) -> None:
        if self._lock is None:
            self._lock = take_folder(self.folder, "process")
            guard.await_others(self._mark)
        end(self._mark)

    def _check_port(self) -> None:
        """Refuse a port that is taken: the other's answers would look like our readiness."""
        if not is_free(self.port):
            raise ServerFailed(f"{self.name}: port {self.port} is taken by another program")

    def _check_wanted(self) -> None:
        if self._given_up:
            raise ServerFailed(f"{self.name} was given up")

    def _launch(self) -> None:
        guard.watch(self._mark)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C in a terminal is for the owner alone
            )
        self._main = identify(self._process.pid)
        guard.watch(self._mark, self._main)

    def _await_readiness(self) -> None:
        self.until(self._is_ready, "took connections", seconds=self.start_seconds)
