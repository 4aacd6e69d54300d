"""The work that all systems are given: how many connect, what is sent, which figures come of it."""

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from bench.crowd import Crowd
from bench.peers.base import Running, System
from bench.scenarios import Report, Setting, output

GENERATOR_SECONDS = 600.0
"""For one run of the generator: ten thousand connections take the slowest system two minutes."""

PATIENCE = ["--time-limit", f"{GENERATOR_SECONDS:.0f}", "--stall", "30"]


@dataclass(frozen=True, kw_only=True)
class Work(ABC):
    """Something that a system can be given. Each time it is started for it anew."""

    name: str
    title: str
    crowd: Crowd
    quick_crowd: Crowd
    durable: bool = False

    def is_offered_by(self, system: System) -> bool:
        """Whether it can do that at all."""
        return system.durable or not self.durable

    @abstractmethod
    def command(self) -> str:
        """Return the generator's options that are the same for all systems."""

    def measure(self, system: System, setting: Setting) -> Report:
        """Return what the generator tells. BenchError where there is nothing to tell."""
        crowd = self.quick_crowd if setting.quick else self.crowd
        with system.running(crowd, core=setting.server_core, durable=self.durable) as running:
            return self.load(running, crowd, setting)

    @abstractmethod
    def load(self, running: Running, crowd: Crowd, setting: Setting) -> Report:
        """Return what the generator tells of a system that runs."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A kind of load for a while: as the generator's `--phases` has it."""

    kind: str
    count: float
    seconds: float

    def text(self, quick: bool) -> str:
        """Return it for the generator; a quick one takes half a second."""
        return f"{self.kind}={self.count:g}/{0.5 if quick else self.seconds:g}"


@dataclass(frozen=True, kw_only=True)
class Talk(Work):
    """Messages, in one phase after another."""

    phases: Sequence[Phase]
    most: int
    """Messages of one phase."""
    receipts: bool = False

    def command(self) -> str:
        return " ".join(["load", *self._words(quick=False)])

    def load(self, running: Running, crowd: Crowd, setting: Setting) -> Report:
        return _told(setting, [*running.options(), *self._words(setting.quick)])

    def _words(self, quick: bool) -> list[str]:
        phases = ",".join(phase.text(quick) for phase in self.phases)
        receipts = ["--receipts", "1"] if self.receipts else []
        return ["--phases", phases, "--messages", str(self.most), *receipts]


@dataclass(frozen=True, kw_only=True)
class Idle(Work):
    """Everybody comes, and says nothing."""

    seconds: float

    def command(self) -> str:
        return f"load --idle {self.seconds:g}"

    def load(self, running: Running, crowd: Crowd, setting: Setting) -> Report:
        seconds = 0.2 if setting.quick else self.seconds
        return _told(setting, [*running.options(), "--idle", f"{seconds:g}"])


@dataclass(frozen=True, kw_only=True)
class Storm(Work):
    """What clients connect to restarts; all come back at once, and have missed messages."""

    missed: int

    def is_offered_by(self, system: System) -> bool:
        return system.resumes

    def command(self) -> str:
        return f"load --resume FILE --connecting {self.crowd.subscribers} ({self.missed} missed)"

    def load(self, running: Running, crowd: Crowd, setting: Setting) -> Report:
        missed = 3 if setting.quick else self.missed
        for words in running.before_storm(missed):
            _told(setting, words)
        seen = running.restart()
        before = running.database_reads()
        messages = running.missed_from() + crowd.rooms * missed
        with tempfile.NamedTemporaryFile("w", prefix="allibe-bench-", suffix=".seen") as file:
            file.write("".join(f"{line}\n" for line in seen))
            file.flush()
            storm = [
                *("--resume", file.name, "--connecting", str(crowd.subscribers)),
                *("--messages", str(messages), "--missed-from", str(running.missed_from())),
            ]
            report = _told(setting, [*running.options(), *storm])
        after = running.database_reads()
        if before is not None and after is not None:
            report |= {"database_reads": after - before, "rooms": crowd.rooms}
        return report


def _told(setting: Setting, words: list[str]) -> Report:
    command = [str(setting.generator), *words, *PATIENCE]
    report: Report = json.loads(output(setting.load_core, command, GENERATOR_SECONDS + 60))
    return report
