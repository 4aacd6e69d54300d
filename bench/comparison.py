"""The comparison: each work, each repetition, each system in turn, and what came of it.

The systems take turns within a work, so that what the machine does meanwhile meets all of them.
"""

import traceback
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.crowd import Crowd
from bench.errors import BenchError
from bench.peers.base import System
from bench.scenarios import Report, Setting
from bench.work import Idle, Phase, Storm, Talk, Work

LOAD_SECONDS = 8.0
PACED_SECONDS = 15.0


@dataclass
class Result:
    """What a system made of a work: a report for each repetition, or why there is none."""

    reports: list[Report] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def is_hopeless(self) -> bool:
        """Whether it failed at once: then it is not tried again."""
        return bool(self.failures) and not self.reports


Results = dict[tuple[str, str], Result]
"""By the names of work and system. What a system does not offer is not there."""


def compare(works: Sequence[Work], systems: Sequence[System], setting: Setting) -> Results:
    """Measure them all. Who fails in the first repetition has no others of that work."""
    results: Results = defaultdict(Result)
    for work in works:
        print(f"{work.name}: {work.title}", flush=True)
        for _ in range(setting.repeat):
            for system in _offering(work, systems, results):
                _measure(work, system, setting, results[work.name, system.name])
    return dict(results)


def _offering(work: Work, systems: Iterable[System], results: Results) -> list[System]:
    return [
        one
        for one in systems
        if work.is_offered_by(one) and not results[work.name, one.name].is_hopeless
    ]


def _measure(work: Work, system: System, setting: Setting, result: Result) -> None:
    try:
        report = work.measure(system, setting)
    except BenchError as error:
        told = f"FAILED: {error}"
        result.failures.append(str(error))
    except Exception as error:  # an hour of figures is not lost for one system's trouble
        traceback.print_exc()
        told = f"FAILED: {error!r}"
        result.failures.append(repr(error))
    else:
        told = brief(report, work.phase_titles())
        result.reports.append(report)
    print(f"  {system.name}: {told}", flush=True)


def brief(report: Report, titles: Sequence[str]) -> str:
    """A report's figures in a line, each phase's behind its title: for the terminal."""
    words = [f"{report['connects_per_second']:,} connections/s"]
    if "elapsed_seconds" in report:
        again = report["dialled_again"]
        words.append(f"back in {report['elapsed_seconds']:.2f} s, {again:,} dialled again")
        if "database_reads" in report:
            words.append(f"{report['database_reads']:,} database reads")
    elif "phases" not in report:
        words.append(f"{report['kib_per_connection']:.1f} KiB each")
    for title, phase in zip(titles, report.get("phases", []), strict=True):
        p50, p99 = (phase["latency_us"][q] / 1000 for q in ("p50", "p99"))
        saturated = " (generator saturated)" if phase["saturated"] else ""
        efficiency = f"{phase['deliveries_per_cpu_second']:,} deliveries/CPU-s"
        words.append(f"{title}: {efficiency}, p50 {p50:.2f} p99 {p99:.2f} ms{saturated}")
    return "; ".join(words)


def _talk(name: str, title: str, crowd: Crowd, *phases: Phase, quick: Crowd, most: int) -> Talk:
    return Talk(name=name, title=title, crowd=crowd, quick_crowd=quick, phases=phases, most=most)


def _closed(kind: str, count: int) -> Phase:
    return Phase(kind=kind, count=count, seconds=LOAD_SECONDS)


def _paced(rate: float) -> Phase:
    return Phase(kind="rate", count=rate, seconds=PACED_SECONDS)


def _one_room(subscribers: int, rate: float) -> Talk:
    """8 in flight, 1 in flight, and a rate that makes some 5,000 deliveries a second."""
    return _talk(
        f"room-{subscribers}",
        f"one room with {subscribers:,} subscribers",
        Crowd(rooms=1, subscribers=subscribers, publishers=1),
        _closed("window", 8),
        _closed("in-flight", 1),
        _paced(rate),
        quick=Crowd(rooms=1, subscribers=20, publishers=1),
        most=40_000_000 // subscribers,
    )


WORKS: tuple[Work, ...] = (
    _one_room(100, 50),
    _one_room(1_000, 5),
    _one_room(10_000, 0.6),
    _talk(
        "rooms-100x10",
        "100 rooms of 10, a sender for each",
        Crowd(rooms=100, subscribers=1_000, publishers=100),
        _closed("window", 100),
        _paced(200),
        quick=Crowd(rooms=5, subscribers=20, publishers=5),
        most=2_000_000,
    ),
    _talk(
        "rooms-1000x2",
        "1,000 rooms of 2, everybody talks",
        Crowd(rooms=1_000, subscribers=2_000, publishers=0),
        _closed("window", 1_000),
        _paced(500),
        quick=Crowd(rooms=10, subscribers=20, publishers=0),
        most=2_000_000,
    ),
    Idle(
        name="idle-connect",
        title="10,000 connect, authenticate, subscribe to one of 100 rooms, and are idle",
        crowd=Crowd(rooms=100, subscribers=10_000, publishers=0),
        quick_crowd=Crowd(rooms=5, subscribers=50, publishers=0),
        seconds=5.0,
    ),
    Storm(
        name="storm",
        title="10,000 in 100 rooms come back at once after a restart, 50 messages missed by each",
        crowd=Crowd(rooms=100, subscribers=10_000, publishers=0),
        quick_crowd=Crowd(rooms=5, subscribers=20, publishers=0),
        durable=True,
        missed=50,
    ),
    Talk(
        name="durable",
        title="100 rooms, a sender and a listener in each: stored, receipted and delivered",
        crowd=Crowd(rooms=100, subscribers=100, publishers=100),
        quick_crowd=Crowd(rooms=5, subscribers=5, publishers=5),
        durable=True,
        receipts=True,
        phases=(_closed("window", 1_000), _paced(200)),
        most=2_000_000,
    ),
)
