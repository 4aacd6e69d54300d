"""Which figures are read off the comparison's reports, row by row, and what they are worth."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench.comparison import Result, Results
from bench.scenarios import Report

Reading = tuple[float, ...]
"""One value, or the quantiles of a latency in milliseconds; none where it is not known."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A row of a table: from which work, and how to read it."""

    title: str
    work: str
    read: Callable[[Report], Reading]
    more_is_better: bool = True
    judged_by: int = 0
    """Which of the values says who is best."""
    phase: int | None = None

    def of(self, results: Results, system: str) -> Reading:
        """Return the medians over the repetitions; empty where there are none."""
        result = results.get((self.work, system), Result())
        readings = [self.read(report) for report in result.reports]
        return tuple(statistics.median(values) for values in zip(*readings, strict=True))

    def is_saturated(self, results: Results, system: str) -> bool:
        """Tell whether the generator was at its limit in any repetition."""
        reports = results.get((self.work, system), Result()).reports
        return any(_was_saturated(report, self.phase) for report in reports)


SATURATED = 0.9


def _was_saturated(report: Report, phase: int | None) -> bool:
    if phase is not None:
        return bool(report["phases"][phase]["saturated"])
    return bool(max(report["connect_generator_cpu"], report.get("generator_cpu", 0)) > SATURATED)


def per_cpu_second(title: str, work: str, phase: int = 0) -> Figure:
    """Deliveries for each second of CPU that all processes of the server used."""
    return Figure(
        title=title,
        work=work,
        phase=phase,
        read=lambda report: (report["phases"][phase]["deliveries_per_cpu_second"],),
    )


def latency(title: str, work: str, phase: int, kind: str = "latency_us") -> Figure:
    """p50, p99 and p99.9 in ms, judged by p99."""

    def read(report: Report) -> Reading:
        quantiles = report["phases"][phase][kind]
        return tuple(quantiles[name] / 1000 for name in ("p50", "p99", "p99.9"))

    return Figure(title=title, work=work, phase=phase, read=read, more_is_better=False, judged_by=1)


def _of_report(title: str, work: str, key: str, more_is_better: bool) -> Figure:
    return Figure(
        title=title,
        work=work,
        read=lambda report: (float(report[key]),),
        more_is_better=more_is_better,
    )


def _rate(report: Report) -> Reading:
    phase = report["phases"][0]
    return (phase["messages"] / phase["elapsed_seconds"],)


ROOM_8 = {
    count: per_cpu_second(f"one room with {count:,} subscribers, 8 in flight", f"room-{count}")
    for count in (100, 1_000, 10_000)
}
ROOM_1 = {
    count: per_cpu_second(f"one room with {count:,} subscribers, 1 in flight", f"room-{count}", 1)
    for count in (100, 1_000, 10_000)
}
ROOMS_OF_10 = per_cpu_second("100 rooms of 10, 100 in flight", "rooms-100x10")
ROOMS_OF_2 = per_cpu_second("1,000 rooms of 2, all talk, 1,000 in flight", "rooms-1000x2")
DELIVERIES = [*ROOM_8.values(), *ROOM_1.values(), ROOMS_OF_10, ROOMS_OF_2]

PACED = [
    ("100 subscribers, 50 msg/s", "room-100", 2),
    ("1,000 subscribers, 5 msg/s", "room-1000", 2),
    ("10,000 subscribers, 0.6 msg/s", "room-10000", 2),
    ("100 rooms of 10, 200 msg/s", "rooms-100x10", 1),
    ("1,000 rooms of 2, 500 msg/s", "rooms-1000x2", 1),
    ("durable, 100 rooms, 200 msg/s", "durable", 1),
]
"""Title, work and phase of each steady rate."""
PACED_DELIVERIES = [per_cpu_second(*paced) for paced in PACED]
LATENCIES = [
    *(latency(*paced) for paced in PACED),
    latency("the same, until the RECEIPT", "durable", 1, "receipt_us"),
]

MEMORY = _of_report("KiB for each idle connection", "idle-connect", "kib_per_connection", False)
CONNECTS = _of_report(
    "connections a second, authenticated and subscribed",
    "idle-connect",
    "connects_per_second",
    True,
)
CONNECTS_PER_CPU = _of_report(
    "the same for each CPU-second", "idle-connect", "connects_per_cpu_second", True
)
STORM = _of_report(
    "seconds until 10,000 are back and have all of 50 messages", "storm", "elapsed_seconds", False
)
STORM_READS = Figure(
    title="database reads in that time, for each of the 100 rooms",
    work="storm",
    read=lambda report: (
        (report["database_reads"] / report["rooms"],) if "database_reads" in report else ()
    ),
    more_is_better=False,
)
DURABLE = Figure(title="durable messages a second, 1,000 in flight", work="durable", read=_rate)
DURABLE_PER_CPU = per_cpu_second("durable messages for each CPU-second", "durable")
OTHERS = [MEMORY, CONNECTS, CONNECTS_PER_CPU, STORM, STORM_READS, DURABLE, DURABLE_PER_CPU]
