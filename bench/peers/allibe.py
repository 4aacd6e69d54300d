"""Allibe itself: one process over SQLite, and a cluster over RabbitMQ, PostgreSQL and Redis."""

import asyncio
import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from allibe_services.contracts.ids import RoomId
from allibe_services.rates.policy import NO_LIMITS
from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from bench.cluster import RunningCluster, running_cluster
from bench.crowd import ROOM_PREFIX, Crowd, create_rooms, write_tokens
from bench.metrics import metric
from bench.peers.base import (
    Promises,
    Running,
    System,
    reached,
    room_names,
    started_on,
    talking,
)
from deploy.cluster.servers.private_files import secret
from deploy.cluster.service import Service

_STORES = "every message, on disk before it is receipted or shown"
_ORDERS = "one order in each room, the same for everybody, with numbers"
_AUTHENTICATES = "a JWT at the connection; membership at each subscription and message"
_BRINGS_BACK = "all of it, in order and once, from any point of the history"


class _Running(Running):
    """What both have in common: a store that remembers."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    def before_storm(self, missed: int) -> list[list[str]]:
        messages = self._crowd.rooms * (1 + missed)
        return [[*self.options(), *talking(self._crowd, messages)]]

    def missed_from(self) -> int:
        return self._crowd.rooms  # the first of each room was seen

    def restart(self) -> list[str]:
        self._restart()
        return asyncio.run(self._seen())

    def database_reads(self) -> int:
        return sum(
            int(metric(one, "allibe_database_call_seconds_count", kind="read"))
            for one in self._services()
        )

    @abstractmethod
    def _services(self) -> Sequence[Service]:
        """Return what clients are connected to."""

    @abstractmethod
    def _restart(self) -> None: ...

    @abstractmethod
    def _store(self) -> SqlStore: ...

    async def _seen(self) -> list[str]:
        """Return the id of each room's first message."""
        store = self._store()
        try:
            names = [RoomId(name) for name in room_names(self._crowd)]
            heads = await store.log.heads(names)
        finally:
            await store.close()
        return [f"{name}.{heads[name].epoch}.1" for name in names]


class RunningEmbedded(_Running):
    """`allibe serve`, which can be given more crowds than one."""

    def __init__(self, service: Service, folder: Path, url: str, crowd: Crowd) -> None:
        super().__init__(crowd)
        self._service = service
        self._folder = folder
        self._url = url

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._service.pid

    def options(self) -> list[str]:
        return self._options(self._crowd, ROOM_PREFIX)

    def admit(self, crowd: Crowd, prefix: str) -> list[str]:
        """Make rooms and tokens for another crowd; return the generator's options for it."""
        create_rooms(self._store(), crowd, prefix)
        return self._options(crowd, prefix)

    def subscriptions(self) -> int:
        """Return how many there are now."""
        return int(metric(self._service, "allibe_gateway_subscriptions"))

    def _options(self, crowd: Crowd, prefix: str) -> list[str]:
        signing = secret(self._folder / "secret")
        tokens = write_tokens(self._folder / f"{prefix}tokens", crowd.users(), signing)
        told = reached("allibe", [self._service.port], [self._service.pid])
        return [*told, "--tokens", str(tokens), *crowd.options(prefix)]

    def _services(self) -> Sequence[Service]:
        return [self._service]

    def _restart(self) -> None:
        self._service.restart()

    def _store(self) -> SqlStore:
        return SqlStore(SqliteDatabase(self._url))


class Embedded(System):
    """`allibe serve`."""

    name = "embedded"
    title = "Allibe embedded"
    durable = True
    resumes = True
    promises = Promises(
        stores=f"{_STORES} (SQLite, `synchronous=FULL`)",
        orders=_ORDERS,
        authenticates=_AUTHENTICATES,
        brings_back=_BRINGS_BACK,
        processes="1",
    )
    program: Sequence[str] = ()
    """What `allibe` is given to, where it is not run itself."""
    settings: Mapping[str, str] = MappingProxyType({})
    """Those that are not as they are by default."""

    def version(self) -> str:
        return f"allibe {version('allibe')}, aiohttp {version('aiohttp')}"

    @contextmanager
    def running(
        self, crowd: Crowd, *, core: int, durable: bool = False
    ) -> Iterator[RunningEmbedded]:
        with started_on(core) as folder:
            url = f"sqlite:///{folder / 'allibe.db'}"
            migrate(url)
            create_rooms(SqlStore(SqliteDatabase(url)), crowd)
            signing = folder / "secret"
            secret(signing)
            settings = {"ALLIBE_DATABASE_URL": url, "ALLIBE_JWT_SECRET_FILE": str(signing)}
            with Service(
                folder / "serve",
                ["serve"],
                NO_LIMITS | settings | dict(self.settings),
                name="serve",
                program=self.program,
            ) as one:
                yield RunningEmbedded(one, folder, url, crowd)


class OnUvloop(Embedded):
    """The same on uvloop: what that would be worth."""

    name = "embedded-uvloop"
    title = "Allibe embedded, on uvloop"
    program = (sys.executable, "-P", str(Path(__file__).parents[1] / "on_uvloop.py"))


class _Distributed(_Running):
    def __init__(self, cluster: RunningCluster, crowd: Crowd) -> None:
        super().__init__(crowd)
        self._cluster = cluster

    def options(self) -> list[str]:
        pids = ",".join(str(pid) for part in self._cluster.parts().values() for pid in part)
        words = ["--protocol", "allibe", *self._cluster.options(self._crowd, ROOM_PREFIX)]
        return [*words, "--pid", pids]  # of all parts, instead of the gateways' alone

    def _services(self) -> Sequence[Service]:
        return self._cluster.gateways

    def _restart(self) -> None:
        self._cluster.restart_gateways()

    def _store(self) -> SqlStore:
        return self._cluster.store()


class Distributed(System):
    """Two gateways and two workers, with what they stand on."""

    name = "distributed"
    title = "Allibe distributed"
    durable = True
    resumes = True
    promises = Promises(
        stores=f"{_STORES} (PostgreSQL; until then RabbitMQ's quorum queue)",
        orders=_ORDERS,
        authenticates=_AUTHENTICATES,
        brings_back=_BRINGS_BACK,
        processes="2 gateways, 2 workers, RabbitMQ, PostgreSQL, Redis",
    )

    def version(self) -> str:
        return f"allibe {version('allibe')}, aio-pika {version('aio-pika')}"

    @contextmanager
    def running(self, crowd: Crowd, *, core: int, durable: bool = False) -> Iterator[Running]:
        with started_on(core), running_cluster(gateways=2, workers=2) as cluster:
            cluster.admit(crowd, ROOM_PREFIX)
            yield _Distributed(cluster, crowd)


EMBEDDED, DISTRIBUTED, ON_UVLOOP = Embedded(), Distributed(), OnUvloop()
