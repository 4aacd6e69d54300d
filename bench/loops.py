"""What uvloop would be worth: the same work on Allibe embedded on it and as it is, on asyncio."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.crowd import Crowd
from bench.peers.allibe import EMBEDDED, ON_UVLOOP
from bench.report import number
from bench.scenarios import Measurement, Report, Scenario, Setting
from bench.work import Idle, Phase, Talk, Work


@dataclass(frozen=True, kw_only=True)
class LoopRatio(Scenario):
    """A figure on uvloop as a multiple of that on asyncio's loop, one after the other."""

    work: Work
    read: Callable[[Report], float]
    of: str = " a CPU-second"

    def as_run(self, quick: bool) -> str:
        return self.work.command(quick)

    def measure(self, setting: Setting) -> Measurement:
        asyncio, uvloop = (
            self.read(self.work.measure(system, setting)) for system in (EMBEDDED, ON_UVLOOP)
        )
        told = f"{number(uvloop)}{self.of} against {number(asyncio)}"
        return Measurement(uvloop / asyncio, {"told": told})


def _fan_out(kind: str, in_flight: int, seconds: float) -> LoopRatio:
    work = Talk(
        name=f"loop-{in_flight}",
        title="",
        crowd=Crowd(rooms=1, subscribers=1_000, publishers=1),
        quick_crowd=Crowd(rooms=1, subscribers=20, publishers=1),
        phases=(Phase(kind=kind, count=in_flight, seconds=seconds),),
        most=40_000,
    )
    return LoopRatio(
        name=f"loop-fan-out-{in_flight}",
        title="uvloop against asyncio: deliveries per CPU-second to 1,000 subscribers of one room,"
        f" {in_flight} in flight",
        unit="ratio",
        command=work.command(),
        work=work,
        read=lambda report: float(report["phases"][0]["deliveries_per_cpu_second"]),
    )


_CONNECTING = Idle(
    name="loop-connects",
    title="",
    crowd=Crowd(rooms=100, subscribers=5_000, publishers=0),
    quick_crowd=Crowd(rooms=5, subscribers=50, publishers=0),
    seconds=1.0,
)

LOOPS: tuple[Scenario, ...] = (
    _fan_out("window", 8, 8.0),
    _fan_out("in-flight", 1, 8.0),
    LoopRatio(
        name="loop-connects",
        title="uvloop against asyncio: connections per CPU-second, authenticated and subscribed",
        unit="ratio",
        command=_CONNECTING.command(),
        work=_CONNECTING,
        read=lambda report: float(report["connects_per_cpu_second"]),
    ),
    LoopRatio(
        name="loop-memory",
        title="uvloop against asyncio: memory of an idle connection",
        unit="ratio",
        more_is_better=False,
        command=_CONNECTING.command(),
        work=_CONNECTING,
        read=lambda report: float(report["kib_per_connection"]),
        of=" KiB",
    ),
)
