"""`start`: a signal that comes while the command is still importing its modules."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.server import ALLIBE, WAIT_SECONDS, clean_environment
from tests.support.until import until

AT_AN_IMPORT = """
import runpy, signal, sys

class Sender:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == module:
            signal.raise_signal(number)

module, number = sys.argv[1], int(sys.argv[2])
sys.argv = sys.argv[3:]
sys.meta_path.insert(0, Sender)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script; it gets a signal when it imports a certain module."""


def interrupted(module: str, number: int, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", AT_AN_IMPORT, module, str(number), ALLIBE, "check"],
        env=clean_environment(settings),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "number"),
    [
        ("click", signal.SIGINT),
        ("aiohttp", signal.SIGINT),
        ("allibe_standalone.terminal", signal.SIGINT),
        ("aiohttp", signal.SIGTERM),
    ],
)
def test_it_ends_at_once_and_quietly(module: str, number: signal.Signals) -> None:
    """With the code that shells give a program that died of the signal.

    Not by its default action: the first process of a container has none.
    """
    done = interrupted(module, int(number))
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


def test_afterwards_a_ctrl_c_is_the_commands_own_affair() -> None:
    """Else nothing that it has begun would be put in order."""
    traces = "http://127.0.0.1:9/v1/traces"
    done = interrupted("opentelemetry.exporter", int(signal.SIGINT), ALLIBE_TRACES_URL=traces)
    assert done.returncode == 1
    assert done.stderr.endswith("\nAborted!\n")
    assert "Traceback" not in done.stderr
    assert traces in done.stdout


async def test_sigterm_ends_a_command_that_waits_for_the_database(tmp_path: Path) -> None:
    """SQLite lets no handler of ours run before the other process is done, or a minute is over."""
    path = tmp_path / "chat.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        environment = clean_environment({"ALLIBE_DATABASE_URL": f"sqlite:///{path}"})
        migrating = await asyncio.create_subprocess_exec(ALLIBE, "migrate", env=environment)
        try:
            await until(lambda: path in files_of(migrating.pid), seconds=WAIT_SECONDS)
            await asyncio.sleep(0.1)  # it may not wait yet: then it ends as quickly
            migrating.terminate()
            async with asyncio.timeout(WAIT_SECONDS):
                assert await migrating.wait() == -signal.SIGTERM
        finally:
            with suppress(ProcessLookupError):
                migrating.kill()


def files_of(pid: int) -> set[Path]:
    """Return the files that a process has open."""
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            found.add(entry.readlink())
    return found
