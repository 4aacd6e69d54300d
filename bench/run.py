"""The command line of the benchmark."""

import argparse
import os
import resource
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

from bench import comparison_report
from bench.build import load_generator
from bench.comparison import WORKS, compare
from bench.distributed import DISTRIBUTED
from bench.errors import BenchError
from bench.history import HISTORIES
from bench.loops import LOOPS
from bench.peers import SYSTEMS
from bench.peers.base import System
from bench.publishing import PUBLISHING
from bench.report import Outcome, line, write
from bench.scenarios import SCENARIOS, Measurement, Scenario, Setting
from bench.server import DEFAULT_COMMAND
from bench.work import Work

One = TypeVar("One", Scenario, Work, System)

RECORD = Path("docs/benchmarks.md")
PARTS = ("targets", "peers")
ALL: tuple[Scenario, ...] = (
    *SCENARIOS,
    *PUBLISHING,
    *HISTORIES,
    *LOOPS,
    *DISTRIBUTED,
)


def main(words: Sequence[str] | None = None) -> int:
    """Returns 1 when something could not be measured; a missed target is a result like any."""
    options = _parser().parse_args(words)
    raise_open_files()
    try:
        setting = _setting(options)
    except BenchError as error:
        print(f"bench: {error}")
        return 1
    scenarios = [] if options.part == "peers" or options.system else _like(ALL, options.scenario)
    works = [] if options.part == "targets" else _like(WORKS, options.scenario)
    systems = _like(SYSTEMS, options.system)
    if not scenarios and not (works and systems):
        print("bench: there is no such scenario, or no such system: see --help")
        return 1
    failures = [_targets(scenarios, setting, options)] if scenarios else []
    failures += [_peers(works, systems, setting, options)] if works and systems else []
    return 1 if any(failures) else 0


def _targets(scenarios: Sequence[Scenario], setting: Setting, options: argparse.Namespace) -> bool:
    """Measure our own targets; tell whether one could not be measured."""
    outcomes = [_repeat(one, setting, options.repeat) for one in scenarios]
    if path := _record(options):
        write(path, outcomes, setting)
        print(f"written to {path}")
    return any(outcome.failure for outcome in outcomes)


def _peers(
    works: Sequence[Work],
    systems: Sequence[System],
    setting: Setting,
    options: argparse.Namespace,
) -> bool:
    """Compare the systems; tell whether one could not be measured."""
    results = compare(works, systems, setting, options.repeat)
    if path := _record(options):
        comparison_report.write(path, works, systems, results, setting)
        print(f"written to {path}")
    return any(result.failures for result in results.values())


def _record(options: argparse.Namespace) -> Path | None:
    """Return where to write: a part of a run is recorded only where --output says."""
    partial = options.quick or options.scenario or options.system
    found: Path | None = options.output or (None if partial else RECORD)
    return found


def _like(them: Sequence[One], pattern: str | None) -> list[One]:
    """Return those whose name is like that; all where nothing is said."""
    return [one for one in them if fnmatch(one.name, pattern or "*")]


def raise_open_files() -> None:
    """For the server and the generator alike: they inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _repeat(scenario: Scenario, setting: Setting, times: int) -> Outcome:
    print(f"{scenario.name}: {scenario.title}", flush=True)
    runs: list[Measurement] = []
    failure = ""
    try:
        for _ in range(times):
            runs.append(scenario.measure(setting))  # noqa: PERF401 - the first failure ends it
    except BenchError as error:
        failure = str(error)
    outcome = Outcome(scenario, runs, failure)
    print(line(outcome), flush=True)
    return outcome


def _setting(options: argparse.Namespace) -> Setting:
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[min(1, len(cores) - 1)]
    command: str = options.server_command
    return Setting(load_generator(), command, server_core, load_core, options.quick)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures the server on one core, with the load on another, and a cluster"
        " with its load on all cores: the targets. Then compares it with its peers: each system on"
        " one core, the load on another.",
        epilog=f"What is run as a whole is recorded in {RECORD}; less only where --output says.",
    )
    names = ", ".join([*(one.name for one in ALL), *(one.name for one in WORKS)])
    systems = ", ".join(one.name for one in SYSTEMS)
    parser.add_argument("--part", choices=PARTS, help="only the targets, or only the peers")
    parser.add_argument(
        "--scenario", metavar="NAME", help=f"only this one, or those like it ('fan-out*'): {names}"
    )
    parser.add_argument(
        "--system", metavar="NAME", help=f"only peers, and of these only those like it: {systems}"
    )
    parser.add_argument("--quick", action="store_true", help="short runs: is it still working?")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each scenario (3)")
    parser.add_argument("--output", type=Path, help="write the table here")
    parser.add_argument(
        "--server-command",
        default=DEFAULT_COMMAND,
        help="how to start the server; {port} and {data} are filled in (%(default)s)",
    )
    return parser
