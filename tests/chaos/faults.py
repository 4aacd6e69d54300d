"""What goes wrong, as small objects: begun, left alone for a while, ended.

Each ends so that all parts run and are ready again. Everything blocks: call it in a thread.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.cluster.servers import PrivateServer
from deploy.cluster.service import Service
from tests.chaos.stage import SETTLE_SECONDS, Stage

DIE_SECONDS = 30.0
"""Until a process that is ordered to die comes to where."""

STALL_SECONDS = 1.0

NETWORKS = ("gateway-bus", "gateway-database", "worker-bus", "worker-database")

Act = Callable[[Stage], None]


@dataclass(frozen=True)
class Fault:
    """`subject` is what it happens to: two faults of one subject are not begun together.

    `seconds` is how long the short suite leaves it alone, `longest` how long a walk may.
    """

    name: str
    subject: str
    begin: Act
    end: Act
    seconds: float = 1.0
    longest: float = 6.0

    def __str__(self) -> str:
        return self.name


def _nothing(_: Stage) -> None:
    """There is nothing to end."""


def _killed(name: str, subject: str, part: Callable[[Stage], PrivateServer]) -> Fault:
    return Fault(
        f"{name} killed",
        subject,
        lambda stage: part(stage).kill(),
        lambda stage: part(stage).start(),
        seconds=0.5,
    )


def _frozen(
    name: str, subject: str, part: Callable[[Stage], PrivateServer], longest: float = 8.0
) -> Fault:
    return Fault(
        f"{name} frozen",
        subject,
        lambda stage: part(stage).freeze(),
        lambda stage: part(stage).thaw(),
        seconds=2.0,
        longest=longest,
    )


def _restarted(name: str, subject: str, part: Callable[[Stage], PrivateServer]) -> Fault:
    return Fault(
        f"{name} stopped and started",
        subject,
        lambda stage: part(stage).stop(),
        lambda stage: part(stage).start(),
        seconds=1.0,
    )


def _a_worker_dies(where: str) -> Fault:
    """One of the workers, whichever comes there first; both may."""

    def begin(stage: Stage) -> None:
        for worker in stage.cluster.workers:
            stage.order(f"die {where}", service=worker)

    def end(stage: Stage) -> None:
        workers = stage.cluster.workers
        deadline = time.monotonic() + DIE_SECONDS
        while all(worker.is_running for worker in workers):
            if time.monotonic() > deadline:
                raise workers[0].failure(f"never came to die {where}")
            time.sleep(0.02)
        for worker in workers:
            stage.order(service=worker)
        for worker in workers:
            if not worker.is_running:
                worker.kill()
                worker.start()

    return Fault(f"a worker dies {where}", "worker", begin, end, seconds=0.0, longest=0.0)


def _ordered(what: str, subject: str, service: Callable[[Stage], Service]) -> Fault:
    return Fault(
        what,
        subject,
        lambda stage: stage.order(what, service=service(stage)),
        lambda stage: stage.order(service=service(stage)),
        seconds=1.5,
    )


def _network(between: str) -> Fault:
    """It stalls, flows for a moment, and is cut."""
    service, _, server = between.partition("-")

    def begin(stage: Stage) -> None:
        proxy = stage.proxies[between]
        proxy.stall()
        time.sleep(STALL_SECONDS)
        proxy.heal()
        time.sleep(STALL_SECONDS / 4)
        proxy.cut()

    return Fault(
        f"network between {service}-2 and {server} stalls and is cut",
        service,
        begin,
        lambda stage: stage.proxies[between].heal(),
        seconds=1.0,
        longest=20.0,
    )


def _stalled(between: str) -> Fault:
    service, _, server = between.partition("-")
    return Fault(
        f"network between {service}-2 and {server} stalls for long",
        service,
        lambda stage: stage.proxies[between].stall(),
        lambda stage: stage.proxies[between].heal(),
        longest=30.0,
    )


def rabbitmq(stage: Stage) -> PrivateServer:
    """RabbitMQ's (first) node."""
    return stage.cluster.nodes[0]


def _close_all_connections(stage: Stage) -> None:
    stage.cluster.nodes[0].close_all_connections()


def _terminate(stage: Stage) -> None:
    stage.cluster.postgres.terminate_backends()


def _alarm(on: bool) -> Act:
    return lambda stage: stage.cluster.nodes[0].set_memory_alarm(on)


DEATHS: list[Fault] = [
    _killed("a worker", "worker", lambda stage: stage.cluster.workers[1]),
    *map(_a_worker_dies, ("after insert", "after commit", "after publish", "before ack")),
]
"""Of a worker: at any moment, and between the steps of a batch."""

FAULTS: list[Fault] = [
    _killed("gateway", "gateway", lambda stage: stage.cluster.gateways[0]),
    _frozen("gateway", "gateway", lambda stage: stage.cluster.gateways[0]),
    _ordered("lose events", "gateway", lambda stage: stage.cluster.gateways[0]),
    # RabbitMQ gives its shards to the other one after 12 s; then it wakes, and goes on.
    _frozen("worker", "worker", lambda stage: stage.cluster.workers[1], longest=24.0),
    _ordered("hand over twice", "worker", lambda stage: stage.cluster.workers[0]),
    Fault("RabbitMQ closes all connections", "bus", _close_all_connections, _nothing, 0.5),
    Fault("RabbitMQ short of memory", "bus", _alarm(True), _alarm(False), 2.0),
    _killed("PostgreSQL", "database", lambda stage: stage.cluster.postgres),
    Fault(
        "PostgreSQL's backends terminated",
        "database",
        _terminate,
        _nothing,
        0.5,
    ),
    Fault("Redis flushed", "redis", lambda stage: stage.cluster.redis.flush(), _nothing, 0.5),
    _killed("Redis", "redis", lambda stage: stage.cluster.redis),
    _frozen("Redis", "redis", lambda stage: stage.cluster.redis),
    *map(_network, NETWORKS),
]
"""Faults of a cluster with one RabbitMQ node, `settle`d. RabbitMQ and PostgreSQL that are away have
tests of their own, which say more; so have the deaths."""

MORE_FAULTS: list[Fault] = [
    *FAULTS,
    *DEATHS,
    _killed("RabbitMQ", "bus", rabbitmq),
    _restarted("RabbitMQ", "bus", rabbitmq),
    _restarted("PostgreSQL", "database", lambda stage: stage.cluster.postgres),
    _frozen("RabbitMQ", "bus", rabbitmq),
    _frozen("PostgreSQL", "database", lambda stage: stage.cluster.postgres),
    *map(_stalled, NETWORKS),
]
"""What a walk may meet."""


def settle() -> None:
    """Wait until a new RabbitMQ may be killed."""
    time.sleep(SETTLE_SECONDS)
