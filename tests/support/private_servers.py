"""Fixtures: private PostgreSQL, RabbitMQ and Redis, started when a test first asks for one.

    async def test_x(postgres_url: str, amqp_url: str, redis_url: str) -> None: ...

gets a new database, a new virtual host and an empty Redis database, on servers that all tests of
this process share. `postgres`, `rabbitmq` and `redis_server` are the servers themselves, for
tests that disturb them (`postgres.terminate_backends()`, `rabbitmq.set_memory_alarm(True)`) and
leave them as they were. A test that kills or freezes starts its own:

    with PostgreSQL(tmp_path / "postgres", template=postgres_template) as server: ...

Under xdist each worker has its own set: it takes 5 s, 9 s when both start at once, and tests that
raise an alarm or cut all connections then disturb nobody.
"""

import itertools
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from deploy.cluster.servers import (
    PostgreSQL,
    PrivateServer,
    ProgramMissing,
    RabbitMQ,
    Redis,
    close_all,
    start_all,
)
from deploy.cluster.servers.redis import DATABASES

_numbers = itertools.count(1)


class ServersOnDemand:
    """Starts what the first test that asks for one of them uses, side by side."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._make: dict[str, Callable[[], PrivateServer]] = {
            "postgres": lambda: PostgreSQL(folder / "postgres", durable=False, template=template),
            "rabbitmq": lambda: RabbitMQ(folder / "rabbitmq"),
            "redis_server": lambda: Redis(folder / "redis"),
        }
        self._started: dict[str, PrivateServer] = {}

    def take(self, name: str, wanted: Collection[str]) -> PrivateServer:
        """Return a server; start it with those of `wanted` that were not started yet."""
        if name not in self._started:
            names = (self._make.keys() & {name, *wanted}) - self._started.keys()
            servers = {other: self._make[other]() for other in names}
            _start(servers.values())
            self._started |= servers
        return self._started[name]

    def close(self) -> None:
        close_all(self._started.values())


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that PostgreSQL servers of this run, of all its workers, copy their data from."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    return shared / "postgres-template"


@pytest.fixture(scope="session")
def servers_on_demand(
    tmp_path_factory: pytest.TempPathFactory, postgres_template: Path
) -> Iterator[ServersOnDemand]:
    servers = ServersOnDemand(tmp_path_factory.mktemp("servers"), postgres_template)
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, servers_on_demand: ServersOnDemand) -> PostgreSQL:
    """PostgreSQL for all tests of this process. It does not wait for the disk: see `durable`."""
    server = servers_on_demand.take("postgres", request.fixturenames)
    assert isinstance(server, PostgreSQL)
    return server


@pytest.fixture(scope="session")
def rabbitmq(request: pytest.FixtureRequest, servers_on_demand: ServersOnDemand) -> RabbitMQ:
    """RabbitMQ for all tests of this process."""
    server = servers_on_demand.take("rabbitmq", request.fixturenames)
    assert isinstance(server, RabbitMQ)
    return server


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest, servers_on_demand: ServersOnDemand) -> Redis:
    """Redis for all tests of this process."""
    server = servers_on_demand.take("redis_server", request.fixturenames)
    assert isinstance(server, Redis)
    return server


@pytest.fixture
def postgres_url(postgres: PostgreSQL) -> Iterator[str]:
    """The address of a new database, which is dropped with whoever is connected at the end."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def amqp_url(rabbitmq: RabbitMQ) -> Iterator[str]:
    """The address of a new virtual host, which is deleted with its connections at the end."""
    name = f"test-{next(_numbers)}"
    yield rabbitmq.add_vhost(name)
    rabbitmq.delete_vhost(name)


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """The address of an empty database; the tests just before had others."""
    database = next(_numbers) % DATABASES
    redis_server.flush(database)
    return redis_server.url(database)


def _start(servers: Collection[PrivateServer]) -> None:
    try:
        start_all(servers)
    except ProgramMissing as missing:
        pytest.fail(str(missing), pytrace=False)
