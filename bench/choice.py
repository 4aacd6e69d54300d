"""What of the benchmark is asked for, by the names that the command line takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TypeVar

from bench.comparison import WORKS
from bench.distributed import DISTRIBUTED
from bench.errors import BenchError
from bench.history import HISTORIES
from bench.loops import LOOPS
from bench.peers import SYSTEMS
from bench.peers.base import System
from bench.publishing import PUBLISHING
from bench.scenarios import SCENARIOS, Scenario
from bench.work import Work

Named = Scenario | Work | System
One = TypeVar("One", Scenario, Work, System)

TARGETS, PEERS = "targets", "peers"
PARTS = (TARGETS, PEERS)
ALL: tuple[Scenario, ...] = (
    *SCENARIOS,
    *PUBLISHING,
    *HISTORIES,
    *LOOPS,
    *DISTRIBUTED,
)


@dataclass(frozen=True)
class Choice:
    """Scenarios of the targets; works of the peers, and who is given them."""

    scenarios: Sequence[Scenario]
    works: Sequence[Work]
    systems: Sequence[System]


def choose(part: str | None, scenario: str | None, system: str | None) -> Choice:
    """Return those whose names are like that; all where nothing is said.

    Raises BenchError where nothing is left: which name is wrong, or which do not go together, and
    the names that there are.
    """
    if system and part == TARGETS:
        raise BenchError(f"--system chooses among the peers: not with --part {TARGETS}")
    systems = _like(SYSTEMS, system)
    if not systems:
        raise BenchError(f"there is no system {system!r}, there are: {names(SYSTEMS)}")
    scenarios, works = _like(ALL, scenario), _like(WORKS, scenario)
    if not scenarios and not works:
        raise BenchError(f"there is no scenario {scenario!r}, there are: {names([*ALL, *WORKS])}")
    if part == TARGETS:
        _need(scenarios, scenario, "the targets have", ALL)
        return Choice(scenarios, [], [])
    if system:
        offered = [work for work in WORKS if _is_offered(work, systems)]
        asked_for = [work for work in works if work in offered]
        _need(asked_for, scenario, f"system {system!r} has", offered)
        return Choice([], works, systems)
    if part == PEERS:
        _need(works, scenario, "the peers have", WORKS)
        return Choice([], works, systems)
    return Choice(scenarios, works, systems if works else [])


def names(them: Iterable[Named]) -> str:
    """Return their names, for a sentence."""
    return ", ".join(one.name for one in them)


def _need(found: Sequence[Named], scenario: str | None, who: str, has: Iterable[Named]) -> None:
    if not found:
        raise BenchError(f"{who} no scenario {scenario!r}, but: {names(has)}")


def _is_offered(work: Work, systems: Iterable[System]) -> bool:
    return any(work.is_offered_by(one) for one in systems)


def _like(them: Sequence[One], pattern: str | None) -> list[One]:
    return [one for one in them if fnmatch(one.name, pattern or "*")]
