"""Each peer by itself: where it runs, where it listens, and that nothing of it is left."""

import os

import pytest

from bench.crowd import Crowd
from bench.peers.base import System
from bench.peers.floor import FLOOR
from bench.peers.rabbitmq import RABBITMQ
from bench.peers.socket_io import SOCKET_IO, SOCKET_IO_REDIS
from deploy.cluster.servers.processes import identify, is_alive
from tests.integration.private_servers.looks import listeners

CROWD = Crowd(rooms=1, subscribers=1, publishers=1)

pytestmark = pytest.mark.usefixtures("generator")


@pytest.mark.parametrize(
    "system",
    [
        FLOOR,
        pytest.param(RABBITMQ, marks=pytest.mark.long),
        pytest.param(SOCKET_IO, marks=pytest.mark.long),
        pytest.param(SOCKET_IO_REDIS, marks=pytest.mark.long),
    ],
    ids=lambda system: system.name,
)
@pytest.mark.timeout(300)
def test_it_has_a_core_of_its_own_and_listens_on_loopback_alone(system: System) -> None:
    """And we do not: the load that is started afterwards has the other."""
    allowed = os.sched_getaffinity(0)
    core = max(allowed)
    with system.running(CROWD, core=core) as running:
        words = running.options()
        pids = [int(pid) for pid in words[words.index("--pid") + 1].split(",")]
        processes = [process for pid in pids if (process := identify(pid)) is not None]
        assert len(processes) == len(pids)
        assert all(os.sched_getaffinity(pid) == {core} for pid in pids)
        found = listeners(processes)
        assert {int(port) for port in words[words.index("--port") + 1].split(",")} <= found.keys()
        assert all(address.is_loopback for addresses in found.values() for address in addresses)
    assert not any(is_alive(process) for process in processes)
    assert os.sched_getaffinity(0) == allowed
