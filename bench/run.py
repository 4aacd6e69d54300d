"""The command line of the benchmark."""

import argparse
import os
import resource
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from bench.build import load_generator
from bench.distributed import DISTRIBUTED
from bench.errors import BenchError
from bench.report import Outcome, line, write
from bench.scenarios import SCENARIOS, Measurement, Scenario, Setting
from bench.server import DEFAULT_COMMAND

RECORD = Path("docs/benchmarks.md")
ALL = (*SCENARIOS, *DISTRIBUTED)


def main(words: Sequence[str] | None = None) -> int:
    """Returns 1 when a scenario could not be measured; a missed target is a result like any."""
    options = _parser().parse_args(words)
    raise_open_files()
    try:
        setting = _setting(options)
    except BenchError as error:
        print(f"bench: {error}")
        return 1
    chosen = [one for one in ALL if fnmatch(one.name, options.scenario or "*")]
    if not chosen:
        print(f"bench: no scenario is called {options.scenario}")
        return 1
    outcomes = [_repeat(one, setting, options.repeat) for one in chosen]
    partial = options.quick or options.scenario is not None
    if options.output or not partial:
        path = options.output or RECORD
        write(path, outcomes, setting)
        print(f"written to {path}")
    return 1 if any(outcome.failure for outcome in outcomes) else 0


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
        " with its load on all cores.",
        epilog=f"A full run is recorded in {RECORD}; a part of it only where --output says.",
    )
    names = ", ".join(scenario.name for scenario in ALL)
    parser.add_argument(
        "--scenario", metavar="NAME", help=f"only this one, or those like it ('fan-out*'): {names}"
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
