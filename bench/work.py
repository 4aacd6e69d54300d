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
    def command(self, quick: bool = False) -> str:
        """Return the generator's options that are the same for all systems."""

    def phase_titles(self) -> Sequence[str]:
        """Return what each phase of a report is to be called."""
        return ()

    def given(self, quick: bool) -> Crowd:
        """Return who takes part in it."""
        return self.quick_crowd if quick else self.crowd

    def measure(self, system: System, setting: Setting) -> Report:
        """Return what the generator tells. BenchError where there is nothing to tell."""
        crowd = self.given(setting.quick)
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

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.count:,g} {'msg/s' if self.kind == 'rate' else 'in flight'}"

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

    def command(self, quick: bool = False) -> str:
        return " ".join(["load", *self._words(quick)])

    def phase_titles(self) -> Sequence[str]:
        return [phase.title for phase in self.phases]

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

    def command(self, quick: bool = False) -> str:
        return f"load --idle {0.2 if quick else self.seconds:g}"

    def load(self, running: Running, crowd: Crowd, setting: Setting) -> Report:
        return _told(setting, [*running.options(), *self.command(setting.quick).split()[1:]])


@dataclass(frozen=True, kw_only=True)
class Storm(Work):
    """What clients connect to restarts; all come back at once, and have missed messages."""

    missed: int

    def is_offered_by(self, system: System) -> bool:
        return system.resumes

    def command(self, quick: bool = False) -> str:
        many, missed = self.given(quick).subscribers, self._missed(quick)
        return f"load --resume FILE --connecting {many} ({missed} missed)"

    def load(self, running: Running, crowd: Crowd, setting: Setting) -> Report:
        missed = self._missed(setting.quick)
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

    def _missed(self, quick: bool) -> int:
        return 3 if quick else self.missed


def _told(setting: Setting, words: list[str]) -> Report:
    command = [str(setting.generator), *words, *PATIENCE]
    report: Report = json.loads(output(setting.load_core, command, GENERATOR_SECONDS + 60))
    return report
