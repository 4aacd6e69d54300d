"""Whether a message costs more where there are many rooms and users that have no part in it."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE, Popen
from types import MappingProxyType

from bench.crowd import Crowd
from bench.errors import BenchError
from bench.peers.allibe import Embedded, RunningEmbedded
from bench.scenarios import Measurement, Report, Scenario, Setting, output

FEW = Crowd(rooms=10, subscribers=10, publishers=10)
OTHERS_PREFIX = "idle-"
CONNECT_SECONDS = 300.0


class Patient(Embedded):
    """Without heart-beats: what it costs to have users is not what a message costs."""

    settings = MappingProxyType({"ALLIBE_HEART_BEAT_SECONDS": "600"})


@dataclass(frozen=True, kw_only=True)
class PublishGrowth(Scenario):
    """The CPU of a message in ten rooms, with so many others, as a multiple of that without.

    The others have a member each, who is connected, subscribed, and silent. One server, which is
    loaded first without and then with them.
    """

    others: int
    quick_others: int
    messages: int
    quick_messages: int

    def as_run(self, quick: bool) -> str:
        return f"{self._load_command(quick)}, {self._others(quick):,} others"

    def _others(self, quick: bool) -> int:
        return self.quick_others if quick else self.others

    def _load_command(self, quick: bool) -> str:
        return f"{self.command} --messages {self.quick_messages if quick else self.messages}"

    def measure(self, setting: Setting) -> Measurement:
        count = self._others(setting.quick)
        others = Crowd(rooms=count, subscribers=count, publishers=0, of=OTHERS_PREFIX)
        with Patient().running(FEW, core=setting.server_core) as server:
            self._load(server, setting)  # what is done for the first time is done
            without = self._cost(server, setting)
            told = server.admit(others, OTHERS_PREFIX)
            with _connected(server, [str(setting.generator), *told], count, setting.load_core):
                among = self._cost(server, setting)
        told_costs = f"{among * 1e6:,.0f} against {without * 1e6:,.0f} µs of CPU for a message"
        return Measurement(among / without, {"told": told_costs})

    def _cost(self, server: RunningEmbedded, setting: Setting) -> float:
        """Return the seconds of CPU that a message takes."""
        report = self._load(server, setting)
        return float(report["server_cpu_seconds"] / report["messages"])

    def _load(self, server: RunningEmbedded, setting: Setting) -> Report:
        words = [*self._load_command(setting.quick).split()[1:], *server.options()]
        report: Report = json.loads(output(setting.load_core, [str(setting.generator), *words]))
        return report


@contextmanager
def _connected(
    server: RunningEmbedded, words: Sequence[str], count: int, core: int
) -> Iterator[None]:
    """Have the others there, until the end."""
    pinned = ["taskset", "-c", str(core), *words, "--idle", "3600", "--time-limit", "3600"]
    with Popen(pinned, stdout=PIPE, stderr=PIPE, text=True) as crowd:
        try:
            deadline = time.monotonic() + CONNECT_SECONDS
            while server.subscriptions() < count:
                if crowd.poll() is not None or time.monotonic() > deadline:
                    raise BenchError("the others did not connect")
                time.sleep(0.5)
            yield
            if crowd.poll() is not None:
                raise BenchError("the others did not stay")
        finally:
            crowd.kill()


PUBLISHING: tuple[Scenario, ...] = (
    PublishGrowth(
        name="publish-among-10000",
        title="CPU of a message in 10 rooms among 10,000 other rooms and users, as a multiple of"
        " that without them",
        unit="ratio",
        target=1.2,
        more_is_better=False,
        command="load --window 100 --receipts 1",
        others=10_000,
        quick_others=50,
        messages=50_000,
        quick_messages=1_000,
    ),
)
