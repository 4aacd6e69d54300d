"""Scripts of tests/e2e/node, which use what JavaScript clients use, and what they tell."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import Place
from tests.support.server import WAIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "tests" / "e2e" / "node"

Event = dict[str, Any]


def install(folder: Path, *options: str) -> None:
    """Bring a folder's packages to what its lock says; quick when they are so."""
    command = [str(ROOT / "scripts" / "npm.sh"), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stderr.strip(), pytrace=False)


@pytest.fixture(scope="session")
def node_packages() -> None:
    """Node and the packages. Without Node the tests fail and say what to install."""
    install(NODE)


class Script:
    """A running script and the events that it tells."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[Event] = []

    async def event(self, name: str, **fields: object) -> Event:
        """Return the next event of this name and with these fields; all are kept in `told`."""
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            while line := await self._process.stdout.readline():
                event: Event = json.loads(line)
                self.told.append(event)
                if event["event"] == name and event.items() >= fields.items():
                    return event
        raise AssertionError(f"the script ended without {name}; it told {self.told[-5:]}")

    def all(self, name: str) -> list[Event]:
        """Return the events of this name that were told so far."""
        return [event for event in self.told if event["event"] == name]

    def last(self, name: str) -> Event:
        """Return the newest event of this name that was told."""
        return self.all(name)[-1]

    async def write(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    def stop(self) -> None:
        """Freeze it: its sockets stay open, and nothing moves."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it move again."""
        self._process.send_signal(signal.SIGCONT)

    async def end(self) -> None:
        """Let it end by itself; it must do so in order."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        output, errors = await asyncio.wait_for(self._process.communicate(), WAIT_SECONDS)
        self.told += [json.loads(line) for line in output.splitlines()]
        assert self._process.returncode == 0, errors.decode()
        assert errors == b""


@asynccontextmanager
async def running_script(name: str, place: Place, **parameters: object) -> AsyncIterator[Script]:
    """Run a script of `node/` with alice's token."""
    told = {
        "url": f"{place.url}/allibe-ws".replace("http", "ws"),
        "token": place.token("alice"),
    }
    process = await asyncio.create_subprocess_exec(
        "node",
        str(NODE / name),
        json.dumps(told | parameters),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
