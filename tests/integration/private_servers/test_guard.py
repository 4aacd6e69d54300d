"""Nothing outlives the process that started it, however that ends."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.private_servers.looks import mentions
from tests.support.server import eventually

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from deploy.cluster.servers import PostgreSQL, Redis, guard, start_all
folder = Path(sys.argv[1])
redis, postgres = Redis(folder / "redis"), PostgreSQL(folder / "postgres", durable=False)
"""


def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    """The frozen ones of all users too, and PostgreSQL's memory that is shared by the machine."""
    with _owner(tmp_path, "start_all([redis, postgres]); postgres.freeze()") as owner:
        _say(owner, "sys.stdin.read()")
        assert len(mentions(tmp_path)) > 2
        owner.kill()
        eventually(lambda: not mentions(tmp_path), "the guard has ended all")
        eventually(lambda: not _has_shared_memory(tmp_path), "their memory is gone")


def test_nothing_is_left_when_the_owner_ends_and_has_closed_nothing(tmp_path: Path) -> None:
    with _owner(tmp_path, "redis.start()") as owner:
        _say(owner, "raise SystemExit(3)")
        assert owner.wait(30) == 3
        assert mentions(tmp_path) == []


def test_ctrl_c_is_for_the_owner_alone(tmp_path: Path) -> None:
    """A terminal sends it to the whole group; the owner stops its servers in its own order."""
    with _owner(tmp_path, "signal.signal(signal.SIGINT, lambda *_: None); redis.start()") as owner:
        _say(owner, "os.killpg(0, signal.SIGINT); time.sleep(0.2); print(redis.command('PING'))")
        assert owner.stdout is not None
        assert owner.stdout.read() == "PONG\n"
        assert owner.wait(30) == 0
        assert mentions(tmp_path) == []


def test_a_guard_that_was_killed_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    start = "redis.start(); guard._guards[0].kill(); guard._guards[0].wait(); postgres.start()"
    with _owner(tmp_path, start) as owner:
        _say(owner, "sys.stdin.read()")
        owner.kill()
        eventually(lambda: not mentions(tmp_path), "the new guard has ended both")


def test_a_folder_that_is_gone_already_does_not_end_the_guard(tmp_path: Path) -> None:
    """A server may be closed, and its folder removed, before the guard has started to read."""
    gone = f'["{tmp_path / "gone"}", true, null]\n["{tmp_path / "gone"}", false, null]\n'
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cluster.servers.guard_process"],
        input=gone,
        text=True,
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")


@contextmanager
def _owner(folder: Path, start: str) -> "Iterator[subprocess.Popen[str]]":
    """Give a process that has started servers and waits for what it is told."""
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{PROGRAM}{start}; print('ready', flush=True); exec(input())",
            folder,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        try:
            yield owner
        finally:
            owner.kill()


def _say(owner: "subprocess.Popen[str]", program: str) -> None:
    assert owner.stdin is not None
    owner.stdin.write(f"{program}\n")
    owner.stdin.flush()


def _has_shared_memory(folder: Path) -> bool:
    number = (folder / "postgres/data/postmaster.pid").read_text().splitlines()[6].split()[1]
    table = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return number in {line.split()[1] for line in table}
