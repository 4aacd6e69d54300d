"""Fixtures for tests against real processes; the conftest of a folder imports what it needs."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.clients import Clients
from tests.support.server import Server, running

WEB = Path(__file__).resolve().parents[2] / "scripts" / "web.sh"


class StartServer(Protocol):
    """Starts a server of the test's own; settings as `ALLIBE_HEART_BEAT_SECONDS="0.5"`."""

    def __call__(self, *, demo: bool = True, **environment: str) -> Server: ...


@pytest.fixture(scope="session")
def built_page() -> None:
    """The chat page, built from what its sources are now. Without Node the tests fail and say so.

    Servers that started earlier may not know it.
    """
    done = subprocess.run([WEB, "page"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stderr.strip(), pytrace=False)


@pytest.fixture(scope="session")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(scope="session")
def shared_private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("private"), demo=False) as server:
        yield server


@pytest.fixture
def server(shared_demo: Server) -> Iterator[Server]:
    """`allibe serve --demo`, shared by tests that do it no harm: make rooms of your own."""
    since = shared_demo.log_size()
    yield shared_demo
    shared_demo.check_log(since)


@pytest.fixture
def private_server(shared_private: Server) -> Iterator[Server]:
    """`allibe serve` with a secret and an audience, shared likewise; `sign` makes its tokens."""
    since = shared_private.log_size()
    yield shared_private
    shared_private.check_log(since)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers of the test's own, which it may break; gone at its end, their logs checked."""
    with ExitStack() as stack:

        def start(*, demo: bool = True, **environment: str) -> Server:
            folder = tmp_path / f"server-{len(list(tmp_path.iterdir()))}"
            return stack.enter_context(running(folder, demo=demo, environment=environment))

        yield start


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    """Make clients; they are closed at the test's end."""
    async with Clients() as made:
        yield made
