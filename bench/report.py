"""Writes results down: on the terminal while they come, and into docs/benchmarks.md at the end."""

import os
import platform
import re
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.scenarios import Measurement, Report, Scenario, Setting
from deploy.cluster.servers import ProgramMissing
from deploy.cluster.servers.programs import find_program

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PACKAGES = ("allibe", "aiohttp", "uvloop", "msgspec", "aio-pika", "asyncpg", "redis")
PROGRAMS = (("rabbitmqctl", "version"), ("postgres", "--version"))

INTRODUCTION = f"""# Benchmarks

`make bench` measures the server on one core with the load generator of `bench/load` on another,
and writes what it finds between the two markers below. Each scenario is repeated, each time
against a fresh server with an empty data folder; the best and the median are shown.

- **Deliveries per server CPU-second** counts the user and system time of the server's processes,
  storing included. All deliveries are checked: a lost, repeated or misrouted one fails the run.
- **8 in flight** sends while fewer than 8,000 deliveries (8 messages to 1,000 subscribers) are
  outstanding. *Until the last one has it* sends only while fewer than 8 messages are on their way
  to anybody: the sends then come in bursts, of which the server gathers fewer into one write.
- **Latency** is taken from the time at which a message was due (no coordinated omission).
- **Memory** is the growth of the server's resident set; the kernel's socket buffers are not in it.
- The generator is **saturated** above 90 % of its core; such a figure is not the server's alone.

*Distributed* scenarios measure a whole cluster on all cores, the load included: gateways, workers,
one RabbitMQ with quorum queues, a PostgreSQL that waits for the disk, Redis. Each connection has a
user of its own; clients go to the gateways in turn, and who sends to a room is never on the gateway
of its first listener where there are two. Each message is receipted and delivered exactly once, and
those of a sender to a room in their order, or the run fails. The CPU column says how much of a core
each part used, and `machine` all that ran: what is more than the sum was somebody else's.

- **Durable messages** keep 5,000 on their way, a listener and a sender in each room: latency is
  then what 5,000 take to pass, `distributed-paced` has it at a steady rate.
- **Gateway against embedded** runs the same load against both, one after the other, in each
  repetition: the process that does the fan-out on one core, all else on the other. Deliveries per
  CPU-second of that process, all it does counted: the embedded one stores as well, the gateway
  talks AMQP instead. *Without storing* takes off what as many messages cost with one subscriber.

Scenarios of *growth*, and of the event loop, measure two cases in each run, one after the other or
in turn, and the figure is their ratio; the last column says what it was made of.

- **History**: both rooms are in one database, filled at once, and asked in turn, in a random order
  of pages, as rooms-api asks, without HTTP. The newest page, one before, and one after some offset:
  the worst of the three counts.
- **A message among others**: ten rooms are loaded twice on one server, without and with 10,000
  other rooms, each with a member who is connected and silent. Heart-beats are off.
- **uvloop against asyncio**: Allibe runs on asyncio's loop. `bench/on_uvloop.py` puts uvloop in its
  place, and nothing else.

{BEGIN}
{END}
"""


QUICK = (
    "**A quick run, which shows that all works, no more: its figures mean nothing and are not held"
    " against targets. Titles are those of the full run; the commands are as they were run.**"
)


@dataclass(frozen=True)
class Outcome:
    """A scenario and its repetitions, or why there are none."""

    scenario: Scenario
    runs: Sequence[Measurement]
    failure: str = ""
    quick: bool = False

    @property
    def target(self) -> float | None:
        """None where there is none, or a quick run says nothing about it."""
        return None if self.quick else self.scenario.target

    @property
    def best(self) -> Measurement:
        """The repetition that was disturbed least."""
        choose = max if self.scenario.more_is_better else min
        return choose(self.runs, key=lambda run: run.figure)

    @property
    def median(self) -> float:
        """Of the figures."""
        return statistics.median(run.figure for run in self.runs)

    @property
    def verdict(self) -> str:
        """Judged by the median: a lucky run proves nothing."""
        if self.failure or self.target is None:
            return "failed" if self.failure else ""
        value, target = self.median, self.target
        met = value >= target if self.scenario.more_is_better else value <= target
        return "met" if met else "missed"


def number(value: float) -> str:
    """Four digits or so: more would be noise."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"


def line(outcome: Outcome) -> str:
    """For the terminal."""
    scenario = outcome.scenario
    if outcome.failure:
        return f"{scenario.name}: FAILED: {outcome.failure}"
    target = "" if outcome.target is None else f", target {number(outcome.target)}: "
    best, median = number(outcome.best.figure), number(outcome.median)
    text = f"{scenario.name}: best {best}, median {median} {scenario.unit}"
    return f"{text}{target}{outcome.verdict}{_saturation(outcome)}"


def write(path: Path, outcomes: Sequence[Outcome], setting: Setting) -> None:
    """Replaces what stands between the markers and leaves the rest as it is."""
    replace_section(path, BEGIN, END, section(outcomes, setting))


def replace_section(path: Path, begin: str, end: str, text: str) -> None:
    """Puts text between two markers, which are added where they are missing."""
    document = path.read_text() if path.exists() else INTRODUCTION
    if begin not in document or end not in document:
        document = f"{document.rstrip()}\n\n{begin}\n{end}\n"
    before, _, rest = document.partition(begin)
    after = rest.partition(end)[2]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def section(outcomes: Sequence[Outcome], setting: Setting) -> str:
    """Return what is written: on which machine, the table, the commands."""
    rows = [
        "| scenario | unit | target | best | median | | p50 / p99 / p99.9 ms | CPU, in cores |",
        "|---|---|--:|--:|--:|---|---|---|",
        *map(_row, outcomes),
    ]
    commands = [
        f"- {one.scenario.name}: `{one.scenario.as_run(setting.quick)}`" for one in outcomes
    ]
    lines = [
        *machine(setting, "best and median are the same run"),
        f"- Python {platform.python_version()}, {', '.join(map(_version, PACKAGES))}",
        f"- cluster, on all cores: {', '.join(map(_program, PROGRAMS))}",
        f"- server: `{setting.server_command}`",
    ]
    mark = ["", QUICK] if setting.quick else []
    return "\n".join([*lines, *mark, "", *rows, "", "Commands:", "", *commands])


def _row(outcome: Outcome) -> str:
    scenario = outcome.scenario
    target = "" if outcome.target is None else number(outcome.target)
    cells = [scenario.title, scenario.unit, target]
    if outcome.failure:
        return f"| {' | '.join([*cells, '', '', outcome.failure, '', ''])} |"
    cells += [number(outcome.best.figure), number(outcome.median), outcome.verdict]
    report = outcome.best.report
    latency = report.get("latency_us", {})
    cells.append(" / ".join(number(latency[q] / 1000) for q in ("p50", "p99", "p99.9") if latency))
    cells.append(_busy(report) + _saturation(outcome))
    return f"| {' | '.join(cells)} |"


def _busy(report: Report) -> str:
    """How much of a core each part used, of a cluster all that ran on the machine too.

    Of what is a ratio, the two that were compared.
    """
    parts = report.get("part_cpu_seconds")
    if "told" in report:
        return str(report["told"])
    if not parts:
        names = {"server_cpu": "server", "generator_cpu": "load"}
        return ", ".join(
            f"{name} {report[key]:.0%}" for key, name in names.items() if key in report
        )
    shares = {name: seconds / report["elapsed_seconds"] for name, seconds in parts.items()}
    shares |= {"load": report["generator_cpu"], "machine": report["machine_cpu"]}
    shown = [f"{name} {share:.0%}" for name, share in shares.items()]
    if "without_storing" in report:
        embedded = report["embedded_deliveries_per_cpu_second"]
        shown.append(
            f"{report['deliveries_per_cpu_second']:,.0f} a CPU-second against {embedded:,.0f};"
            f" without storing {report['without_storing']:.2f}"
        )
    return ", ".join(shown)


def _saturation(outcome: Outcome) -> str:
    return " (generator saturated)" if outcome.best.report.get("saturated") else ""


def machine(setting: Setting, alone: str) -> list[str]:
    """When, of which commit, on what and how often the figures were taken: lines of a list.

    `alone` says what one repetition makes of the figures.
    """
    cores = os.cpu_count() or 1
    shared = ", **the same core**" if setting.server_core == setting.load_core else ""
    load = os.getloadavg()[0]
    return [
        f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        f"- {_cpu_model()}, {cores} cores (server on {setting.server_core}, load on "
        f"{setting.load_core}{shared}), Linux {platform.release()}, load average {load:.1f}; "
        f"data folders on {_filesystem(Path(tempfile.gettempdir()))}",
        f"- one repetition: {alone}" if setting.repeat == 1 else f"- {setting.repeat} repetitions",
    ]


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} (not installed)"


def _program(command: tuple[str, str]) -> str:
    """A program and the version that it tells."""
    try:
        words = [find_program(command[0]), command[1]]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except ProgramMissing:
        return f"{command[0]} (not installed)"
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout)
    return f"{command[0]} {found[0] if found else '(unknown)'}"


def _cpu_model() -> str:
    for entry in Path("/proc/cpuinfo").read_text().splitlines():
        if entry.startswith("model name"):
            return entry.partition(":")[2].strip()
    return platform.machine()


def _filesystem(folder: Path) -> str:
    """Of the longest mount point above the folder: a commit on tmpfs costs nothing."""
    mounts = [entry.split()[1:3] for entry in Path("/proc/mounts").read_text().splitlines()]
    return max((point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point))[1]


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"
