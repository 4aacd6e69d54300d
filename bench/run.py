"""The command line of the benchmark."""

import argparse
import os
import resource
from collections.abc import Sequence
from pathlib import Path

from bench import comparison_report, recording, report
from bench.build import load_generator
from bench.choice import ALL, PARTS, Choice, choose, names
from bench.comparison import WORKS, compare
from bench.errors import BenchError
from bench.peers import SYSTEMS
from bench.report import Outcome, line
from bench.scenarios import Measurement, Scenario, Setting
from bench.server import DEFAULT_COMMAND

RECORD = Path("docs/benchmarks.md")


def main(words: Sequence[str] | None = None) -> int:
    """Returns 1 when something could not be measured; a missed target is a result like any."""
    options = _parser().parse_args(words)
    path = _record(options)
    try:
        choice = _checked(options, path)
        raise_open_files()
        setting = _setting(options)
    except BenchError as error:
        print(f"bench: {error}")
        return 1
    failures = [_targets(choice, setting, path)] if choice.scenarios else []
    failures += [_peers(choice, setting, path)] if choice.works else []
    print(f"written to {path}" if path else "not recorded: --output FILE writes it there")
    return 1 if any(failures) else 0


def _checked(options: argparse.Namespace, path: Path | None) -> Choice:
    """Return what is to be measured. BenchError for what would be found out hours later."""
    if options.repeat < 1:
        raise BenchError(f"--repeat {options.repeat}: once is the least")
    choice = choose(options.part, options.scenario, options.system)
    if path:
        recording.check(path, with_images=bool(choice.works))
    return choice


def _targets(choice: Choice, setting: Setting, path: Path | None) -> bool:
    """Measure our own targets; tell whether one could not be measured."""
    outcomes = [_repeat(one, setting) for one in choice.scenarios]
    if path:
        report.write(path, outcomes, setting)
    else:
        print(f"\n{report.section(outcomes, setting)}\n")
    return any(outcome.failure for outcome in outcomes)


def _peers(choice: Choice, setting: Setting, path: Path | None) -> bool:
    """Compare the systems; tell whether one could not be measured."""
    works, systems = choice.works, choice.systems
    results = compare(works, systems, setting)
    if path:
        comparison_report.write(path, works, systems, results, setting)
    else:
        print(f"\n{comparison_report.section(works, systems, results, setting)}\n")
    return any(result.failures for result in results.values())


def _record(options: argparse.Namespace) -> Path | None:
    """Return where to write: a part of a run is recorded only where --output says."""
    partial = options.quick or options.scenario or options.system
    found: Path | None = options.output or (None if partial else RECORD)
    return found


def raise_open_files() -> None:
    """For the server and the generator alike: they inherit it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _repeat(scenario: Scenario, setting: Setting) -> Outcome:
    print(f"{scenario.name}: {scenario.title}", flush=True)
    runs: list[Measurement] = []
    failure = ""
    try:
        for _ in range(setting.repeat):
            runs.append(scenario.measure(setting))  # noqa: PERF401 - the first failure ends it
    except BenchError as error:
        failure = str(error)
    outcome = Outcome(scenario, runs, failure, setting.quick)
    print(line(outcome), flush=True)
    return outcome


def _setting(options: argparse.Namespace) -> Setting:
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[min(1, len(cores) - 1)]
    command: str = options.server_command
    return Setting(load_generator(), command, server_core, load_core, options.quick, options.repeat)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures the server on one core, with the load on another, and a cluster"
        " with its load on all cores: the targets. Then compares it with its peers: each system on"
        " one core, the load on another.",
        epilog=f"What is run as a whole is recorded in {RECORD}; less only where --output says, and"
        " shown otherwise.",
    )
    scenarios = f"of the targets {names(ALL)}; of the peers {names(WORKS)}"
    parser.add_argument("--part", choices=PARTS, help="only the targets, or only the peers")
    parser.add_argument(
        "--scenario",
        metavar="NAME",
        help=f"only this one, or those like it ('fan-out*'): {scenarios}",
    )
    parser.add_argument(
        "--system",
        metavar="NAME",
        help=f"only peers, and of these only those like it: {names(SYSTEMS)}",
    )
    parser.add_argument("--quick", action="store_true", help="short runs: is it still working?")
    parser.add_argument(
        "--repeat", type=int, default=3, metavar="N", help="runs of each scenario (3)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the tables here, and the peers' plots into a folder images/ beside it",
    )
    parser.add_argument(
        "--server-command",
        default=DEFAULT_COMMAND,
        help="how to start the server; {port} and {data} are filled in (%(default)s)",
    )
    return parser
