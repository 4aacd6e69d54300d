"""RabbitMQ's Web STOMP: a broker that browsers talk to, as Debian packages it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.crowd import Crowd
from bench.peers.base import Promises, Running, System, reached, started_on, talking
from deploy.cluster.servers import RabbitMQ, reserve_port
from deploy.cluster.servers.ports import accepts, release_port
from deploy.cluster.servers.programs import find_program
from deploy.cluster.servers.rabbitmq import USER

_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
stomp.listeners.tcp = none
web_stomp.tcp.listener = 127.0.0.1:{port}
web_stomp.cowboy_opts.idle_timeout = 3600000
web_stomp.ws_opts.idle_timeout = 3600000
vm_memory_high_watermark.absolute = 12GB
"""
# Ten thousand connections need more than the memory that the tests' nodes are given, and they are
# idle for longer than a minute while others connect.


class _Node(RabbitMQ):
    name = "RabbitMQ"

    def __init__(self, folder: Path) -> None:
        self.web_port = reserve_port()
        super().__init__(folder, plugins=("rabbitmq_web_stomp",))
        self._more_configuration = _CONFIGURATION.format(amqp=self.port, port=self.web_port)

    @property
    def token(self) -> str:
        """Its only user and password."""
        return f"{USER}:{self._secret('password')}"

    def close(self) -> None:
        super().close()
        release_port(self.web_port)

    def _is_ready(self) -> bool:
        return super()._is_ready() and accepts(self.web_port)


class _Running(Running):
    def __init__(self, node: _Node, crowd: Crowd, protocol: str) -> None:
        self._node = node
        self._crowd = crowd
        self._protocol = protocol

    def options(self) -> list[str]:
        told = reached(self._protocol, [self._node.web_port], [self._node.pid])
        return [*told, "--token", self._node.token, *self._crowd.options()]

    def before_storm(self, missed: int) -> list[list[str]]:
        makes_queues = [*self.options(), "--idle", "0.1"]
        talk = talking(self._crowd, self._crowd.rooms * missed)
        return [makes_queues, [*self.options(), "--protocol", "rabbitmq-persistent", *talk]]

    def missed_from(self) -> int:
        return 0  # its queues begin with the first one

    def restart(self) -> list[str]:
        self._node.restart()
        return ["-"] * self._crowd.rooms  # it remembers for them


class WebStomp(System):
    """One node. Durable: a durable queue for each subscriber, persistent messages, confirmed."""

    name = "rabbitmq"
    title = "RabbitMQ Web STOMP"
    durable = True
    resumes = True
    promises = Promises(
        stores="nothing; in the durable work each subscriber's queue, until it is delivered",
        orders="each sender's messages; subscribers need not agree",
        authenticates="one name and password at the connection; no membership",
        brings_back="what its own durable queue holds, if it has one; no history",
        processes="1 node",
    )

    def version(self) -> str:
        done = subprocess.run(
            [find_program("rabbitmqctl"), "version"], capture_output=True, text=True, check=False
        )
        return f"RabbitMQ {done.stdout.strip()} with rabbitmq_web_stomp"

    @contextmanager
    def running(self, crowd: Crowd, *, core: int, durable: bool = False) -> Iterator[Running]:
        protocol = "rabbitmq-durable" if durable else "rabbitmq"
        with started_on(core) as folder, _Node(folder / "rabbitmq") as node:
            yield _Running(node, crowd, protocol)


RABBITMQ = WebStomp()
