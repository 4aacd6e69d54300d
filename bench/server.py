"""Runs the server that is measured: one core, a free port, a data folder of its own."""

import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from allibe_services.rates.policy import NO_LIMITS
from bench.crowd import ROOM_PREFIX
from bench.errors import BenchError
from deploy.cluster.servers.ports import reserve_port

DEFAULT_COMMAND = ".venv/bin/allibe serve --demo --host 127.0.0.1 --port {port} --data {data}"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Server:
    """A server that is ready, and an access token for it."""

    port: int
    pid: int
    token: str

    def create_rooms(self, count: int) -> None:
        """Creates bench-1 to bench-<count>; the token's user is a member of each."""
        for number in range(1, count + 1):
            room = f"{ROOM_PREFIX}{number}"
            body = {"name": f"Benchmark {number}", "roomId": room}
            answer = _request(self.port, "/api/chat/rooms", body, self.token)
            if answer.get("roomId") != room:
                raise BenchError(f"asked for room {room}, the server answered {answer}")


@contextmanager
def running(command: str, core: int) -> Iterator[Server]:
    """Starts `command` ({port} and {data} are filled in) and stops it at the end."""
    with tempfile.TemporaryDirectory(prefix="allibe-bench-") as folder:
        port = reserve_port()
        words = shlex.split(command.format(port=port, data=Path(folder) / "data"))
        log = Path(folder) / "log"
        with log.open("wb") as sink:
            process = _start(["taskset", "-c", str(core), *words], sink.fileno())
        try:
            token = _wait_until_ready(process, port, log)
            yield Server(port, process.pid, token)
        finally:
            _stop(process)


def _start(words: list[str], log: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=dict(os.environ) | NO_LIMITS,  # one user sends what thousands would
        )
    except FileNotFoundError as error:
        raise BenchError("taskset is needed: apt-get install util-linux") from error


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> str:
    """Returns an access token for the demo's alice."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
            raise BenchError(f"the server ended with {process.returncode}; it said: {said[-1]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=REQUEST_SECONDS):
                break
        except OSError:  # not listening yet, or listening and not ready (503)
            time.sleep(0.05)
    else:
        raise BenchError(f"the server was not ready within {START_SECONDS:.0f} s")
    return _request(port, "/api/demo/token?user=alice")["token"]


def _request(
    port: int, path: str, body: dict[str, str] | None = None, token: str = ""
) -> dict[str, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
            answer: dict[str, str] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        said = error.read(300).decode(errors="replace")
        raise BenchError(f"{request.method or request.get_method()} {path}: {said}") from error
    except (OSError, ValueError) as error:
        raise BenchError(f"{request.get_method()} {path}: {error}") from error


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the whole process group: the command may be a wrapper."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
