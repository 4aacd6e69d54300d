"""`python -m deploy.cluster`, as `make cluster` runs it: up, kept up, and gone without a trace."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from deploy.cluster.servers.processes import MARK
from tests.support.server import WAIT_SECONDS, clean_environment, eventually, free_port
from tests.support.terminal import Open

ROOT = Path(__file__).resolve().parents[3]

PARTS = (
    "PostgreSQL",
    "Redis",
    "RabbitMQ",
    "HAProxy",
    "Prometheus",
    "gateway-1",
    "fanout-worker-1",
    "rooms-api-1",
)

QUICKLY = 15.0
"""Seconds for an end; it takes two or three. A start that was waited for would take longer."""

_open = build_opener(ProxyHandler({})).open


class Cluster:
    """The command in a process, and what it printed. A place for clients: the demo's tokens."""

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.data = folder / "data"
        self.port = free_port() if port is None else port
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = folder / f"output-{self.port}"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "deploy.cluster"),
                    *("--port", str(self.port), "--data", str(self.data), *options),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=clean_environment({}),
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def until(self, text: str) -> None:
        """Wait until it has printed this."""

        def is_there() -> bool:
            assert self.process.poll() is None or text in self.output, self.output
            return text in self.output

        eventually(is_there, f"it says {text!r}", log=lambda: self.output)

    def pid(self, part: str) -> int:
        """Return the pid that it says a part has now."""
        found = re.findall(rf"{part} (?: *|is up again \()pid (\d+)", self.output)
        return int(found[-1])

    def token(self, user: str, ttl: float | None = None) -> str:
        """As a place; the terminal asks the demo itself."""
        raise NotImplementedError

    def end(self, number: int) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)

    def left(self) -> list[str]:
        """Return the command lines of what runs in its folder."""
        found = []
        for process in Path("/proc").iterdir():
            try:
                marks = (process / "environ").read_bytes().split(b"\0")
                words = (process / "cmdline").read_bytes()
            except OSError:
                continue
            mark = f"{MARK}={self.data}".encode()
            if any(one.startswith(mark) for one in marks) or str(self.data).encode() in words:
                found.append(words.decode(errors="replace"))
        return [one for one in found if "deploy.cluster\0" not in one]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        eventually(lambda: not self.left(), "the guard has ended what is left")


Start = Callable[..., Cluster]


@pytest.fixture
def start(tmp_path: Path, built_page: None) -> Iterator[Start]:
    made: list[Cluster] = []

    def one(*options: str, port: int | None = None) -> Cluster:
        made.append(Cluster(tmp_path, *options, port=port))
        return made[-1]

    yield one
    for cluster in made:
        cluster.close()


@pytest.mark.timeout(180)
def test_what_dies_is_started_again_and_ctrl_c_leaves_nothing(start: Start, chat: Open) -> None:
    """Each kind of part, killed at once; then a message goes through, and history is whole."""
    cluster = start("--prometheus")
    cluster.until("Allibe is up")
    with _open(cluster.url) as page:
        assert page.status == 200
    (address,) = re.findall(r"^Prometheus, with all rules: (\S+)$", cluster.output, re.MULTILINE)
    with _open(address) as page:
        assert page.status == 200
    before = chat(cluster, "1", "alice")
    before.type("before")
    assert before.end() == 0
    pids = {part: cluster.pid(part) for part in PARTS}
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    for part in PARTS:
        cluster.until(f"{part} is up again")
        assert cluster.pid(part) != pids[part]
    alice, bob = chat(cluster, "1", "alice"), chat(cluster, "1", "bob")
    alice.type("after")
    bob.until("alice: before")
    bob.until("alice: after")
    assert alice.end() == bob.end() == 0
    assert cluster.end(signal.SIGINT) == 0
    assert cluster.left() == []
    assert "Traceback" not in cluster.output


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_folder_keeps_its_history_and_has_one_cluster(start: Start, chat: Open) -> None:
    """SIGTERM is a stop in order, too; kill -9 loses nothing, and leaves nothing running."""
    first = start()
    first.until("Allibe is up")
    second = start(port=free_port())
    assert second.process.wait(WAIT_SECONDS) == 1
    (line,) = second.output.splitlines()
    assert line == f"cluster: {first.data}/cluster is in use by another cluster"
    terminal = chat(first, "1", "alice")
    terminal.type("the first")
    assert terminal.end() == 0
    first.process.kill()
    first.process.wait()
    again = start(port=first.port)  # at once: what the guard has not ended is waited for
    again.until("Allibe is up")
    terminal = chat(again, "1", "bob")
    terminal.type("the second")
    assert terminal.end() == 0
    assert terminal.messages == ["the first", "the second"]
    assert again.end(signal.SIGTERM) == 0
    assert again.left() == []


@pytest.mark.long
@pytest.mark.parametrize("after", [0.0, 1.0])
def test_ctrl_c_while_it_starts_ends_it_soon(start: Start, after: float) -> None:
    """Whatever has started by then; 130 as for any command that was interrupted."""
    cluster = start()
    cluster.until("starting")
    time.sleep(after)
    began = time.monotonic()
    assert cluster.end(signal.SIGINT) == 130
    assert time.monotonic() - began < QUICKLY
    assert not (cluster.data / "cluster/gateway-1/server.log").exists(), "it went on starting"
    assert cluster.left() == []
    assert "Traceback" not in cluster.output


@pytest.mark.long
def test_a_second_ctrl_c_kills(start: Start) -> None:
    """Who does not want to wait for the end of a stop in order."""
    cluster = start()
    cluster.until("Allibe is up")
    cluster.process.send_signal(signal.SIGINT)
    cluster.until("stopping")
    assert cluster.end(signal.SIGINT) == 130
    assert cluster.left() == []
    assert "Traceback" not in cluster.output


def test_a_taken_port_is_one_line_before_anything_starts(start: Start) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        cluster = start(port=taken.getsockname()[1])
        assert cluster.process.wait(WAIT_SECONDS) == 1
    (line,) = cluster.output.splitlines()
    assert line == f"cluster: HAProxy: port {cluster.port} is taken by another program"
    assert not (cluster.data / "cluster" / "rabbitmq").exists()


@pytest.mark.long
def test_what_cannot_start_is_one_line_that_says_where_to_look(
    start: Start, tmp_path: Path
) -> None:
    """Here data that PostgreSQL refuses: its log has several lines, the terminal one."""
    (tmp_path / "data/cluster/postgresql/data").mkdir(parents=True)
    (tmp_path / "data/cluster/postgresql/data/PG_VERSION").write_text("7\n")
    cluster = start()
    assert cluster.process.wait(WAIT_SECONDS) == 1
    _, line = cluster.output.splitlines()
    log = cluster.data / "cluster/postgresql/server.log"
    assert line == f"cluster: PostgreSQL ended before it took connections; why: {log}"
    assert log.read_text().strip()
    assert cluster.left() == []
