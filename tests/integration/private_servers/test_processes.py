"""All processes of a server are found, and nobody else's."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.cluster.servers.processes import (
    MARK,
    Process,
    end,
    freeze,
    identify,
    is_alive,
    processes_of,
    send,
)
from tests.support.server import eventually

Start = Callable[[str, str | None], "subprocess.Popen[bytes]"]


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """One that no other run on this machine has."""
    return str(tmp_path)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a shell script, with a mark or without."""
    started: list[subprocess.Popen[bytes]] = []

    def run(script: str, mark: str | None) -> "subprocess.Popen[bytes]":
        environment = {"PATH": os.defpath} | ({} if mark is None else {MARK: mark})
        started.append(subprocess.Popen(["sh", "-c", script], env=environment))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_a_mark_finds_its_own_and_none_whose_mark_only_begins_so(start: Start, mark: str) -> None:
    mine = start("exec sleep 60", mark)
    start("exec sleep 60", f"{mark}b")
    start("exec sleep 60", None)
    assert {process.pid for process in processes_of(mark)} == {mine.pid}


def test_descendants_are_found_without_a_mark(start: Start, mark: str) -> None:
    """As PostgreSQL's, whose titles are written over their environment."""
    parent = start("env -i sleep 60 & wait", None)
    main = identify(parent.pid)
    eventually(lambda: len(processes_of(mark, main)) == 2, "the child is there")


def test_a_pid_that_was_given_anew_is_another_process(start: Start, mark: str) -> None:
    process = identify(start("exec sleep 60", None).pid)
    assert process is not None
    earlier = Process(process.pid, process.started - 1)
    assert is_alive(process)
    assert not is_alive(earlier)
    assert processes_of(mark, earlier) == set()
    send([earlier], signal.SIGKILL)
    assert is_alive(process)


def test_what_ended_and_was_not_waited_for_is_not_there(start: Start, mark: str) -> None:
    process = start("exit 0", mark)
    eventually(lambda: identify(process.pid) is None, "it has ended")
    assert processes_of(mark) == set()


def test_all_stand_still_once_they_are_frozen(start: Start, mark: str) -> None:
    """A signal takes effect when its receiver is next scheduled, which is not at once."""
    for _ in range(5):
        start("while :; do :; done & while :; do :; done", mark)
    eventually(lambda: len(processes_of(mark)) == 10, "all are there")
    freeze(mark)
    assert {_state(process.pid) for process in processes_of(mark)} == {"T"}


def test_even_those_are_ended_that_fork_all_the_time(start: Start, mark: str) -> None:
    start("while :; do sh -c 'sleep 0.01 & sleep 0.01' & wait; done", mark)
    eventually(lambda: len(processes_of(mark)) > 2, "it forks")
    end(mark)
    assert processes_of(mark) == set()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
