"""Runs the cluster that is measured: RabbitMQ, PostgreSQL, Redis and Allibe's processes, fresh.

PostgreSQL waits for the disk (`durable`). Nothing is pinned to a core: everything shares them all.
Clients connect to the gateways: the load balancer is no part of what is measured.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import jwt

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.rates.policy import NO_LIMITS
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from bench.errors import BenchError
from deploy.cluster.parts import Cluster
from deploy.cluster.servers import ProgramMissing, ServerFailed

TOKEN_SECONDS = 3600
WARM_UP = 1.5
"""Seconds until the workers have shared the shards."""


@dataclass(frozen=True)
class Crowd:
    """Who connects: as many subscribers and publishers as said, spread over the rooms.

    Each connection has a user of its own, who is a member of the rooms that it listens or sends
    to: message n goes to room n mod rooms, from publisher n mod publishers. Or all have one.
    """

    rooms: int
    subscribers: int
    publishers: int
    only_user: str = ""

    def users(self) -> list[UserId]:
        """Return the user of each connection, in the generator's order."""
        names = [f"listener-{number}" for number in range(self.subscribers)]
        names += [f"sender-{number}" for number in range(self.publishers)]
        return [UserId(self.only_user or name) for name in names]

    def members(self, room: int) -> list[UserId]:
        """Return the users of the room, senders first."""
        period = self.publishers  # message room + k * rooms, for k up to here, then again
        senders = {(room + k * self.rooms) % self.publishers for k in range(period)}
        names = [f"sender-{number}" for number in sorted(senders)]
        names += [f"listener-{n}" for n in range(room, self.subscribers, self.rooms)]
        return [UserId(name) for name in ([self.only_user] if self.only_user else names)]


class RunningCluster:
    """A cluster that is ready for a crowd."""

    def __init__(self, cluster: Cluster, gateways: int) -> None:
        self._cluster = cluster
        self._gateways = cluster.gateways[:gateways]

    def options(self, crowd: Crowd, prefix: str) -> list[str]:
        """Make rooms and tokens for the crowd; return the generator's options that say so."""
        asyncio.run(_create_rooms(self._cluster.database_url(), crowd, prefix))
        tokens = self._cluster.folder / "tokens"
        tokens.write_text("".join(f"{_token(self._cluster, user)}\n" for user in crowd.users()))
        time.sleep(WARM_UP)
        parts = [f"{name}={'+'.join(map(str, pids))}" for name, pids in self.parts().items()]
        return [
            *("--port", ",".join(str(gateway.port) for gateway in self._gateways)),
            *("--tokens", str(tokens), "--parts", ",".join(parts)),
            *("--pid", ",".join(str(gateway.pid) for gateway in self._gateways)),
            *("--room-prefix", prefix, "--rooms", str(crowd.rooms)),
            *("--subscribers", str(crowd.subscribers), "--publishers", str(crowd.publishers)),
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
            "gateway": [gateway.pid for gateway in self._gateways],
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


async def _create_rooms(url: str, crowd: Crowd, prefix: str) -> None:
    store = SqlStore(PostgresqlDatabase(url))
    try:
        await asyncio.gather(
            *(
                _create_room(store, RoomId(f"{prefix}{room + 1}"), crowd.members(room))
                for room in range(crowd.rooms)
            )
        )
    finally:
        await store.close()


async def _create_room(store: SqlStore, room_id: RoomId, members: Collection[UserId]) -> None:
    owner, *others = members
    await store.rooms.create(f"Benchmark {room_id}", owner, members=others, room_id=room_id)


def _token(cluster: Cluster, user: UserId) -> str:
    claims = {"sub": user, "exp": int(time.time()) + TOKEN_SECONDS}
    return jwt.encode(claims, cluster.secret(), algorithm="HS256")
