"""What is measured of a cluster: RabbitMQ, PostgreSQL, gateways, workers and the load, together.

Everything shares the machine's cores, and PostgreSQL and RabbitMQ wait for the disk.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.cluster import RunningCluster, running_cluster
from bench.crowd import ROOM_PREFIX, Crowd
from bench.scenarios import Measurement, Report, Scenario, Setting, output, replaced
from bench.server import running

USER = "alice"
"""The embedded server's demo user, and the only one where the two are compared."""


@dataclass(frozen=True, kw_only=True)
class ClusterLoad(Scenario):
    """A fresh cluster under load; any delivery that is lost, repeated or out of order fails it."""

    gateways: int
    workers: int
    crowd: Crowd
    quick: str
    figure: Callable[[Report], float]

    def as_run(self, quick: bool) -> str:
        return replaced(self.command, self.quick) if quick else self.command

    def measure(self, setting: Setting) -> Measurement:
        with running_cluster(gateways=self.gateways, workers=self.workers) as cluster:
            cluster.admit(self.crowd, ROOM_PREFIX)
            words = self.as_run(setting.quick).split()[1:]
            words += cluster.options(self.crowd, ROOM_PREFIX)
            report = _load(setting.generator, None, words)
        return Measurement(self.figure(report), report)


@dataclass(frozen=True, kw_only=True)
class FanOutRatio(Scenario):
    """What a CPU-second of a gateway delivers, as a part of what the embedded server's does.

    One after the other under the same load, each on one core, with all else on the other. The
    embedded server also stores, the gateway talks to RabbitMQ instead: what a message costs either
    without an audience is measured as well, and `without_storing` is the ratio of the rest.
    """

    subscribers: int
    messages: int

    def as_run(self, quick: bool) -> str:
        return f"{self.command} --messages {self.messages // 5 if quick else self.messages}"

    def measure(self, setting: Setting) -> Measurement:
        with running(setting.server_command, setting.server_core) as server:
            server.create_rooms(1)
            embedded = [
                *("--port", str(server.port), "--token", server.token),
                *("--pid", str(server.pid)),
            ]
            alone, crowded = self._pair(setting, embedded)
        crowd = Crowd(rooms=1, subscribers=self.subscribers, publishers=1, only_user=USER)
        with running_cluster(gateways=1, workers=1) as cluster:
            cluster.admit(crowd, ROOM_PREFIX)
            options = cluster.options(crowd, ROOM_PREFIX)
            _separate(cluster, setting)
            lonely, report = self._pair(setting, options)
        ratio = report["deliveries_per_cpu_second"] / crowded["deliveries_per_cpu_second"]
        report["without_storing"] = _fan_out(lonely, report) / _fan_out(alone, crowded)
        report["embedded_deliveries_per_cpu_second"] = crowded["deliveries_per_cpu_second"]
        return Measurement(ratio, report)

    def _pair(self, setting: Setting, options: list[str]) -> tuple[Report, Report]:
        """Return what a lone subscriber gave, and what all of them did."""
        words = [*self.as_run(setting.quick).split()[1:], *options]
        words += ["--rooms", "1", "--room-prefix", ROOM_PREFIX, "--publishers", "1"]
        load = partial(_load, setting.generator, setting.load_core)
        return load([*words, "--subscribers", "1"]), load(words + self._everybody())

    def _everybody(self) -> list[str]:
        return ["--subscribers", str(self.subscribers)]


def _separate(cluster: RunningCluster, setting: Setting) -> None:
    """Give the gateway the core that the embedded server had, and the rest the other."""
    cluster.pin({"gateway": setting.server_core}, setting.load_core)


def _fan_out(lone: Report, report: Report) -> float:
    """Deliveries per CPU-second that is not spent whoever listens."""
    storing = lone["server_cpu_seconds"] / lone["messages"] * report["messages"]
    return float(report["deliveries"] / (report["server_cpu_seconds"] - storing))


def _load(generator: Path, core: int | None, words: list[str]) -> Report:
    report: Report = json.loads(output(core, [str(generator), *words]))
    return report


def _milliseconds(quantile: str) -> Callable[[Report], float]:
    return lambda report: float(report["latency_us"][quantile]) / 1000


def _latency(quantile: str, target: float) -> ClusterLoad:
    return ClusterLoad(
        name=f"distributed-latency-{quantile}",
        title=f"2 gateways, 2 workers: SEND to delivery at 200 msg/s to 10 subscribers, {quantile}",
        unit="ms",
        target=target,
        more_is_better=False,
        gateways=2,
        workers=2,
        crowd=Crowd(rooms=1, subscribers=10, publishers=1),
        command="load --rate 200 --messages 4000 --receipts 1",
        quick="--messages 600",
        figure=_milliseconds(quantile),
    )


def _durable(
    rooms: int, each: int, *, window: int, messages: int, target: float | None = None
) -> ClusterLoad:
    """Return one with as many gateways as workers, and as many senders as rooms."""
    many = "1 gateway, 1 worker" if each == 1 else f"{each} gateways, {each} workers"
    return ClusterLoad(
        name=f"distributed-{rooms}-rooms" + ("" if each == 1 else f"-{each}"),
        title=f"{many}: durable messages over {rooms:,} rooms, SEND to delivery and RECEIPT",
        unit="messages a second",
        target=target,
        gateways=each,
        workers=each,
        crowd=Crowd(rooms=rooms, subscribers=rooms, publishers=rooms),
        command=f"load --window {window} --messages {messages} --receipts 1",
        quick="--messages 20000",
        figure=lambda report: float(report["messages"] / report["elapsed_seconds"]),
    )


DISTRIBUTED: tuple[Scenario, ...] = (
    _latency("p50", 5.0),
    _latency("p99", 30.0),
    _durable(100, 1, window=5000, messages=150_000, target=12_000),
    _durable(100, 2, window=5000, messages=150_000),
    _durable(1000, 1, window=5000, messages=100_000, target=5_000),
    _durable(1000, 2, window=5000, messages=100_000),
    ClusterLoad(
        name="distributed-paced",
        title="1 gateway, 1 worker: SEND to delivery, p99, at 4,000 msg/s over 100 rooms",
        unit="ms",
        more_is_better=False,
        gateways=1,
        workers=1,
        crowd=Crowd(rooms=100, subscribers=100, publishers=100),
        command="load --rate 4000 --messages 60000 --receipts 1",
        quick="--messages 12000",
        figure=_milliseconds("p99"),
    ),
    FanOutRatio(
        name="distributed-fan-out-8",
        title="deliveries per CPU-second of a gateway, as a part of the embedded server's:"
        " 1,000 subscribers of one room, 8 in flight",
        unit="ratio",
        target=0.9,
        subscribers=1000,
        messages=3000,
        command="load --window 8",
    ),
    FanOutRatio(
        name="distributed-fan-out-1",
        title="the same, 1 in flight",
        unit="ratio",
        target=0.9,
        subscribers=1000,
        messages=1000,
        command="load --in-flight 1",
    ),
)
