"""The order in which systems are measured, and what becomes of those that fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bench.comparison import WORKS, brief, compare
from bench.crowd import Crowd
from bench.errors import BenchError
from bench.peers.base import Running, System
from bench.scenarios import Report, Setting
from bench.work import Work

SETTING = Setting(Path("load"), "serve", 0, 1, quick=False)
NOBODY = Crowd(rooms=1, subscribers=1, publishers=1)
REPORT = {"connects_per_second": 1, "kib_per_connection": 1.0}


class Fake(System):
    """One that is measured without being there."""

    def __init__(self, name: str, failures: tuple[int, ...] = (), error: type = BenchError):
        """Fail at the attempts of these numbers, from 1 on."""
        self.name = self.title = name
        self.attempts = 0
        self._failures = failures
        self._error = error

    def version(self) -> str:
        return self.name

    @contextmanager
    def running(self, crowd: Crowd, *, core: int, durable: bool = False) -> Iterator[Running]:
        self.attempts += 1
        if self.attempts in self._failures:
            raise self._error(f"attempt {self.attempts}")
        yield _Nothing()


class _Nothing(Running):
    def options(self) -> list[str]:
        return []


@dataclass(frozen=True, kw_only=True)
class Nap(Work):
    """Work that is done at once."""

    def command(self, quick: bool = False) -> str:
        return ""

    def load(self, running: Running, crowd: Crowd, setting: Setting) -> Report:
        return REPORT


def nap(*, durable: bool = False) -> Nap:
    return Nap(name="nap", title="", crowd=NOBODY, quick_crowd=NOBODY, durable=durable)


def test_systems_take_turns_in_each_repetition(capsys: pytest.CaptureFixture[str]) -> None:
    """What the machine does meanwhile then meets all of them alike."""
    compare([nap()], [Fake("one"), Fake("two")], replace(SETTING, repeat=2))
    told = [line.split(":")[0].strip() for line in capsys.readouterr().out.splitlines()]
    assert told == ["nap", "one", "two", "one", "two"]


def test_each_phase_is_told_by_its_title() -> None:
    (work,) = (one for one in WORKS if one.name == "room-10000")
    phase = {
        "latency_us": {"p50": 1000, "p99": 2000},
        "saturated": False,
        "deliveries_per_cpu_second": 5000,
    }
    report = {"connects_per_second": 1, "phases": [phase] * 3}
    told = [words.partition(": ")[0] for words in brief(report, work.phase_titles()).split("; ")]
    assert told == ["1 connections/s", "8 in flight", "1 in flight", "0.6 msg/s"]


def test_who_fails_at_once_is_not_tried_again() -> None:
    broken, sound = Fake("broken", (1,)), Fake("sound")
    results = compare([nap()], [broken, sound], replace(SETTING, repeat=3))
    assert (broken.attempts, sound.attempts) == (1, 3)
    assert results["nap", "broken"].failures == ["attempt 1"]
    assert len(results["nap", "sound"].reports) == 3


@pytest.mark.parametrize("error", [BenchError, RuntimeError])
def test_a_later_failure_costs_one_repetition(error: type) -> None:
    """Whatever it is: an hour of figures is not lost for it."""
    results = compare([nap()], [Fake("one", (2,), error)], replace(SETTING, repeat=3))
    assert len(results["nap", "one"].reports) == 2
    assert len(results["nap", "one"].failures) == 1


def test_what_a_system_does_not_offer_is_not_asked_of_it() -> None:
    fake = Fake("one")
    assert compare([nap(durable=True)], [fake], SETTING) == {}
    assert fake.attempts == 0
