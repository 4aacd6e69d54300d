"""A port that is reserved is nobody else's, in this process and in others."""

import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cluster.servers.ports import is_free, release_port, reserve_port

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def port() -> Iterator[int]:
    port = reserve_port()
    yield port
    release_port(port)


class Wishes:
    """Chance that is none: ports come in this order."""

    def __init__(self, *ports: int) -> None:
        self._ports = iter(ports)

    def randrange(self, _low: int, _high: int) -> int:
        return next(self._ports)


def test_another_reservation_in_this_process_takes_another(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = Wishes(port, port, *range(port + 1, port + 100))
    monkeypatch.setattr(random, "SystemRandom", lambda: wishes)
    other = reserve_port()
    assert other != port
    release_port(other)


def test_another_process_does_not_get_it_until_this_one_ends_or_releases_it(port: int) -> None:
    assert not _gets(port)
    release_port(port)
    assert _gets(port)
    assert _gets(port)


def test_a_port_that_someone_listens_on_is_not_free(port: int) -> None:
    assert is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert is_free(port)


def test_it_is_none_of_those_that_the_kernel_gives_to_connections(port: int) -> None:
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert port < int(ephemeral[0])


def _gets(port: int) -> bool:
    """Tell whether a new process that wants this port, and no other, can have it."""
    program = (
        "from deploy.cluster.servers import ports;"
        f"print(ports._reserve({port}) is not None)"  # it ends with the process
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout == "True\n"
