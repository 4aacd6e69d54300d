"""What a local cluster consists of, and in which order it starts and stops.

First the servers, side by side; the load balancer; the database's tables; then Allibe's own
processes, side by side. Stopping goes the other way round, so that nobody loses what it works with.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import IO, TypeVar

from deploy.cluster.servers import (
    HAProxy,
    Nginx,
    PostgreSQL,
    PrivateServer,
    Prometheus,
    RabbitMQ,
    RabbitMQCluster,
    Redis,
    ServerFailed,
    close_all,
    reserve_port,
    start_all,
)
from deploy.cluster.servers.base import take_folder
from deploy.cluster.servers.ports import release_port
from deploy.cluster.servers.private_files import secret, write_private
from deploy.cluster.servers.programs import run
from deploy.cluster.service import ALLIBE, Service, answer

_Part = TypeVar("_Part", PrivateServer, PrivateServer | RabbitMQCluster)

HAPROXY = Path(__file__).resolve().parents[1] / "haproxy"
NGINX = HAPROXY.parent / "nginx" / "nginx.conf.template"
DATABASE = "allibe"
BALANCER_SECONDS = 10.0

_URLS = ("BUS", "DATABASE", "REDIS")
_OURS = ("ALLIBE_BUS_URL", "ALLIBE_DATABASE_URL", "ALLIBE_REDIS_URL", "ALLIBE_JWT_")
"""Settings that the cluster makes itself: others' would lead elsewhere, or to other tokens."""


class Cluster:
    """Private servers and Allibe's processes in one folder. Everything blocks, with bounds.

    Each part may be stopped, killed, frozen and started by itself meanwhile, and the settings of
    a service changed while it is stopped.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        workers: int = 2,
        nodes: int = 1,
        secret_file: Path | None = None,
        durable: bool = True,
        template: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`port` is the load balancer's; `nodes` is RabbitMQ's: 1 or 3.

        `secret_file` holds the secret of tokens and is made where it is missing; `durable` and
        `template` are PostgreSQL's; `settings` are for all of Allibe's processes.
        """
        if nodes not in (1, 3):
            raise ValueError("RabbitMQ runs as one node or as three")
        self.folder = folder.resolve()
        self.postgres = PostgreSQL(self.folder / "postgresql", durable=durable, template=template)
        self.redis = Redis(self.folder / "redis")
        self.rabbitmq = _rabbitmq(self.folder, nodes)
        self._amqp_port = reserve_port() if isinstance(self.rabbitmq, RabbitMQCluster) else None
        self._secret_file = (secret_file or self.folder / "secret").resolve()
        self._lock: IO[bytes] | None = None
        common = self._common_settings() | dict(settings or {})
        self.gateways = [self._service("gateway", common, number) for number in (1, 2)]
        self.workers = [
            self._service("fanout-worker", common, number) for number in range(1, workers + 1)
        ]
        self.rooms_api = self._service("rooms-api", common, 1, "--demo")
        self.balancer = self._balancer(port)
        self.prometheus: Prometheus | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.balancer.url

    @property
    def services(self) -> list[Service]:
        """Allibe's own processes."""
        return [*self.gateways, *self.workers, self.rooms_api]

    @property
    def nodes(self) -> list[RabbitMQ]:
        """RabbitMQ's nodes."""
        one_or_more = self.rabbitmq
        return one_or_more.nodes if isinstance(one_or_more, RabbitMQCluster) else [one_or_more]

    def parts(self) -> Iterator[PrivateServer]:
        """Return every server and process."""
        yield from (self.postgres, self.redis, *self.nodes, self.balancer, *self.services)
        yield from self._watchers()

    def watch(self) -> None:
        """Let Prometheus watch it; to be called before the start."""
        self.prometheus = self.new_prometheus(self.folder / "prometheus")

    def new_prometheus(self, folder: Path, *, interval: str = "15s") -> Prometheus:
        """Return a Prometheus for all of Allibe's processes, not started."""
        targets = {
            "gateway": [one.ops_address for one in self.gateways],
            "fanout-worker": [one.ops_address for one in self.workers],
            "rooms-api": [self.rooms_api.ops_address],
        }
        return Prometheus(folder, targets, interval=interval)

    def new_nginx(self, folder: Path) -> Nginx:
        """Return a second load balancer, not started: it leads to the same as the first."""
        return Nginx(folder, NGINX.read_text(), values=self._led_to())

    def claim(self) -> None:
        """Take the folder, and see that the load balancer's port is free, before anything runs.

        `start` does so too. ServerFailed when another cluster has the folder.
        """
        if self._lock is None:
            self._lock = take_folder(self.folder, "cluster")
        self.balancer.claim()
        self._write_settings()

    def start(self) -> None:
        """Start everything; return once a client could use it. ServerFailed when it does not."""
        try:
            self.claim()
            self.start_servers()
            self._migrate()
            start_all(self.services)
            self.until_served()
        except BaseException:
            self.close()
            raise

    def start_servers(self) -> None:
        """Start all but Allibe's own processes."""
        start_all([self.rabbitmq, self.postgres, self.redis, self.balancer, *self._watchers()])
        self.postgres.create_database(DATABASE)

    def until_served(self) -> None:
        """Return once all services are ready and the load balancer leads to them."""
        for service in self.services:
            service.until_ready()
        expected = {"/api/demo/users": HTTPStatus.OK, "/allibe-ws/info": HTTPStatus.OK}
        self.balancer.until(
            lambda: all(answer(self.url + path) == code for path, code in expected.items()),
            "led to rooms-api and to a gateway",
            seconds=BALANCER_SECONDS,
        )

    def stop(self) -> None:
        """Stop everything in order: who has work in hand ends it first."""
        _stop_all([*self.gateways, self.rooms_api])
        _stop_all(self.workers)
        _stop_all([self.balancer, self.rabbitmq, self.postgres, self.redis, *self._watchers()])
        self.close()

    def give_up(self) -> None:
        """Let a start that is under way in another thread fail soon."""
        for part in self.parts():
            part.give_up()

    def kill(self) -> None:
        """End everything at once. A stop that is under way in another thread ends soon."""
        _all_at_once(PrivateServer.kill, self.parts())

    def close(self) -> None:
        """Kill what runs and give up folders and ports."""
        servers = [self.rabbitmq, self.postgres, self.redis, self.balancer, *self._watchers()]
        close_all([*servers, *self.services])
        if self._amqp_port is not None:
            release_port(self._amqp_port)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def bus_url(self, port: int | None = None) -> str:
        """Return RabbitMQ's address; through another port, such as a proxy's, where one is given.

        With three nodes it is the load balancer's, which leads to one that runs.
        """
        return _at(self.nodes[0].url(), self.nodes[0].port, port or self._amqp_port)

    def database_url(self, port: int | None = None) -> str:
        """Return PostgreSQL's address; through another port where one is given."""
        return _at(self.postgres.url(DATABASE), self.postgres.port, port)

    def redis_url(self, port: int | None = None) -> str:
        """Return Redis' address; through another port where one is given."""
        return _at(self.redis.url(), self.redis.port, port)

    def secret(self) -> str:
        """Return the secret that tokens are signed with."""
        return secret(self._secret_file)

    def use(self, service: Service, variable: str, url: str) -> None:
        """Give a stopped service another URL: `variable` is `BUS`, `DATABASE` or `REDIS`."""
        path = write_private(service.folder / f"{variable.lower()}-url", url)
        service.settings[f"ALLIBE_{variable}_URL_FILE"] = str(path)

    def _watchers(self) -> list[Prometheus]:
        return [] if self.prometheus is None else [self.prometheus]

    def _common_settings(self) -> dict[str, str]:
        """Return what all processes have in common: the user's own settings, and where ours are."""
        given = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("ALLIBE_") and not name.startswith(_OURS)
        }
        files = {f"ALLIBE_{name}_URL_FILE": str(self._url_file(name)) for name in _URLS}
        return (
            given
            | files
            | {"ALLIBE_JWT_SECRET_FILE": str(self._secret_file), "ALLIBE_LOG_FORMAT": "console"}
        )

    def _write_settings(self) -> None:
        # In files: the environment of a process can be read by other processes of its user.
        self.secret()
        urls = (self.bus_url(), self.database_url(), self.redis_url())
        for name, url in zip(_URLS, urls, strict=True):
            write_private(self._url_file(name), url)

    def _url_file(self, name: str) -> Path:
        return self.folder / f"{name.lower()}-url"

    def _service(
        self, command: str, settings: Mapping[str, str], number: int, *options: str
    ) -> Service:
        name = f"{command}-{number}"
        return Service(self.folder / name, [command, *options], settings, name=name)

    def _balancer(self, port: int | None) -> HAProxy:
        configuration = (HAPROXY / "haproxy.cfg").read_text()
        values = self._led_to()
        if self._amqp_port is not None:
            configuration += (HAPROXY / "amqp.cfg").read_text()
            values["AMQP_PORT"] = str(self._amqp_port)
            for number, node in enumerate(self.nodes, start=1):
                values[f"RABBITMQ_{number}"] = f"127.0.0.1:{node.port}"
        return HAProxy(self.folder / "haproxy", configuration, port=port, values=values)

    def _led_to(self) -> dict[str, str]:
        """Return what load balancers are told of gateways and rooms-api."""
        values = {
            "BIND": "127.0.0.1",
            "ROOMS_API": self.rooms_api.address,
            "ROOMS_API_OPS": str(self.rooms_api.ops_port),
        }
        for number, gateway in enumerate(self.gateways, start=1):
            values[f"GATEWAY_{number}"] = gateway.address
            values[f"GATEWAY_{number}_OPS"] = str(gateway.ops_port)
        return values

    def _migrate(self) -> None:
        service = self.workers[0]
        environment = {"PATH": os.environ.get("PATH", os.defpath)} | service.settings
        done = run([str(ALLIBE), "migrate"], environment=environment)
        if done.returncode:
            raise ServerFailed(f"the tables were not made: {done.stderr.strip()}")


def _rabbitmq(folder: Path, nodes: int) -> RabbitMQ | RabbitMQCluster:
    if nodes == 1:
        return RabbitMQ(folder / "rabbitmq")
    return RabbitMQCluster(folder / "rabbitmq", nodes=nodes)


def _at(url: str, port: int, other: int | None) -> str:
    return url if other is None else url.replace(f"@127.0.0.1:{port}/", f"@127.0.0.1:{other}/")


def _stop_all(parts: Iterable[PrivateServer | RabbitMQCluster]) -> None:
    """Stop them side by side."""
    _all_at_once(lambda part: part.stop(), parts)


def _all_at_once(do: Callable[[_Part], object], parts: Iterable[_Part]) -> None:
    """Do it to all of them side by side."""
    them = list(parts)
    with ThreadPoolExecutor(len(them)) as threads:
        for future in [threads.submit(do, one) for one in them]:
            future.result()
