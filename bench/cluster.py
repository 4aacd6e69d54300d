"""Runs the cluster that is measured: RabbitMQ, PostgreSQL, Redis and Allibe's processes, fresh.

PostgreSQL waits for the disk (`durable`). Nothing is pinned to a core: everything shares them all.
Clients connect to the gateways: the load balancer is no part of what is measured.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from allibe_services.rates.policy import NO_LIMITS
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from bench.crowd import Crowd, create_rooms, write_tokens
from bench.errors import BenchError
from deploy.cluster.parts import Cluster
from deploy.cluster.servers import ProgramMissing, ServerFailed

WARM_UP = 1.5
"""Seconds until the workers have shared the shards."""


class RunningCluster:
    """A cluster that is ready for a crowd."""

    def __init__(self, cluster: Cluster, gateways: int) -> None:
        self._cluster = cluster
        self.gateways = cluster.gateways[:gateways]
        self._tokens = cluster.folder / "tokens"

    def store(self) -> SqlStore:
        """Return its store, which the caller closes."""
        return SqlStore(PostgresqlDatabase(self._cluster.database_url()))

    def admit(self, crowd: Crowd, prefix: str) -> None:
        """Make rooms and tokens for a crowd."""
        create_rooms(self.store(), crowd, prefix)
        write_tokens(self._tokens, crowd.users(), self._cluster.secret())
        time.sleep(WARM_UP)

    def restart_gateways(self) -> None:
        """Restart what clients are connected to, one after the other."""
        for gateway in self.gateways:
            gateway.restart()

    def options(self, crowd: Crowd, prefix: str) -> list[str]:
        """Return the generator's options for a crowd that was admitted."""
        parts = [f"{name}={'+'.join(map(str, pids))}" for name, pids in self.parts().items()]
        return [
            *("--port", ",".join(str(gateway.port) for gateway in self.gateways)),
            *("--tokens", str(self._tokens), "--parts", ",".join(parts)),
            *("--pid", ",".join(str(gateway.pid) for gateway in self.gateways)),
            *crowd.options(prefix),
        ]

    def pin(self, cores: Mapping[str, int], others: int) -> None:
        """Keep parts to a core each, and all that is not named to one of theirs."""
        mine = {process.pid for part in self._cluster.parts() for process in part.processes()}
        for pid in mine:
            _pin(pid, others)
        for name, core in cores.items():
            for pid in self.parts()[name]:
                _pin(pid, core)

    def parts(self) -> Mapping[str, Sequence[int]]:
        """Return the main processes of each part; their children belong to them."""
        cluster = self._cluster
        return {
            "gateway": [gateway.pid for gateway in self.gateways],
            "worker": [worker.pid for worker in cluster.workers],
            "rabbitmq": [node.pid for node in cluster.nodes],
            "postgresql": [cluster.postgres.pid],
            "redis": [cluster.redis.pid],
        }


@contextmanager
def running_cluster(
    *, gateways: int, workers: int, settings: Mapping[str, str] | None = None
) -> Iterator[RunningCluster]:
    """Start a cluster in a folder of its own, and end it and the folder afterwards."""
    with tempfile.TemporaryDirectory(prefix="allibe-bench-") as folder:
        # A few users send what thousands would.
        settings = NO_LIMITS | dict(settings or {})
        cluster = Cluster(Path(folder), workers=workers, durable=True, settings=settings)
        try:
            cluster.start()
            for gateway in cluster.gateways[gateways:]:
                gateway.stop()
            yield RunningCluster(cluster, gateways)
        except (ServerFailed, ProgramMissing) as error:
            raise BenchError(str(error).partition("\n")[0]) from error
        finally:
            cluster.close()


def _pin(pid: int, core: int) -> None:
    """Keep a process, with all its threads, to a core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), {core})
