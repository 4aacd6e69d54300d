"""What faults act on: a cluster, networks between parts of it, and processes that take orders.

Gateways and workers run under the saboteur, which without orders changes nothing. `gateway-2` and
`fanout-worker-2` reach RabbitMQ and PostgreSQL through proxies.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from allibe_services.rates.policy import NO_LIMITS
from deploy.cluster.parts import Cluster
from deploy.cluster.servers import ProgramMissing
from deploy.cluster.service import Service
from tests.chaos.saboteur import ORDERS
from tests.support.cluster import place
from tests.support.places import SignedPlace
from tests.support.server import check_text
from tests.support.tcp_proxy import TcpProxy

ROOT = Path(__file__).resolve().parents[2]
SABOTEUR = [sys.executable, "-P", str(ROOT / "tests" / "chaos" / "saboteur.py")]

RECOVERY_MESSAGES = 100_000
"""No gap is too long here, so that every recovery must be complete."""

SETTINGS = NO_LIMITS | {
    "ALLIBE_RECOVERY_MESSAGES": str(RECOVERY_MESSAGES),
    # A handful of messages: most recoveries read pages of the log as well as the tail.
    "ALLIBE_TAIL_BYTES": "4096",
    # A gateway that is frozen is noticed soon.
    "ALLIBE_HEART_BEAT_SECONDS": "2",
}

SETTLE_SECONDS = 2.0
"""RabbitMQ 3.10 may lose a quorum queue when it is killed in its first second."""

LOG_TAIL = 2500


class Stage:
    """A cluster that is ready to suffer."""

    def __init__(self, cluster: Cluster, proxies: dict[str, TcpProxy]) -> None:
        self.cluster = cluster
        self.proxies = proxies
        """By what they lie between: `gateway-bus`, `gateway-database`, `worker-bus`, …"""
        self.places: list[SignedPlace] = [
            *(place(cluster, gateway.url) for gateway in cluster.gateways),
            place(cluster),
        ]
        self._logs_checked: dict[str, int] = {}

    @property
    def front(self) -> SignedPlace:
        """The load balancer."""
        return self.places[-1]

    def order(self, *what: str, service: Service) -> None:
        """Order faults of a gateway or worker (see `saboteur`); none: it is to do as it should."""
        path = service.folder / ORDERS
        new = path.with_suffix(".new")
        new.write_text("\n".join(what))
        new.replace(path)

    def check_logs(self) -> None:
        """Fail when a service's log holds, since the last look, what no log may hold."""
        tokens = {token for one in self.places for token in one.tokens}
        for service in self.cluster.services:
            since = self._logs_checked.get(service.name, 0)
            self._logs_checked[service.name] = service.log_size()
            try:
                check_text(service.log(since), tokens)
            except AssertionError as fault:
                raise AssertionError(f"{service.name}: {fault}") from None

    def tails(self) -> str:
        """Return the ends of all logs, for people."""
        return "\n".join(
            f"--- {part.name}, {part.log_path}\n{part.log()[-LOG_TAIL:]}"
            for part in self.cluster.services
        )


@contextmanager
def staged(
    folder: Path,
    template: Path,
    *,
    nodes: int = 1,
    clocks_apart: bool = False,
) -> Iterator[Stage]:
    """Give a stage that is ready; at the end it is gone and its logs were looked at.

    With `clocks_apart` the second gateway is an hour ahead and the second worker an hour behind.
    """
    cluster = Cluster(folder, nodes=nodes, durable=False, template=template, settings=SETTINGS)
    with ExitStack() as stack:
        stack.callback(cluster.close)
        bus_port = int(cluster.bus_url().rpartition(":")[2].partition("/")[0])
        proxies = {}
        for short, service in (("gateway", cluster.gateways[1]), ("worker", cluster.workers[1])):
            bus = proxies[f"{short}-bus"] = stack.enter_context(TcpProxy(bus_port))
            cluster.use(service, "BUS", cluster.bus_url(bus.port))
            database = TcpProxy(cluster.postgres.port)
            proxies[f"{short}-database"] = stack.enter_context(database)
            cluster.use(service, "DATABASE", cluster.database_url(database.port))
        for service in cluster.services:
            for ours in ("ALLIBE_CHAOS_SEED", "ALLIBE_CHAOS_ROUNDS"):
                service.settings.pop(ours, None)  # a cluster hands on what is set in a shell
        for service in (*cluster.gateways, *cluster.workers):
            service.program = SABOTEUR
        if clocks_apart:
            cluster.gateways[1].settings |= clock(3600)
            cluster.workers[1].settings |= clock(-3600)
        try:
            cluster.start()
        except ProgramMissing as missing:
            pytest.fail(str(missing), pytrace=False)
        stage = Stage(cluster, proxies)
        yield stage
        stage.check_logs()


def clock(seconds: int) -> dict[str, str]:
    """Return the settings of a process whose clock is so much ahead, or behind.

    What the program `faketime` sets; that stays as a parent of the process, which signals then
    would not reach. The monotonic clock, by which timers go, is left alone.
    """
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.fail("needs Debian's package faketime: scripts/servers.sh", pytrace=False)
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def seed_of_this_run() -> str:
    """Return the seed that was asked for, or a new one."""
    return os.environ.get("ALLIBE_CHAOS_SEED") or os.urandom(4).hex()
