"""Writes the comparison down: tables and plots, into docs/benchmarks.md and docs/images."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from bench import figures, svg
from bench.comparison import Results
from bench.errors import BenchError
from bench.figures import Figure
from bench.peers.base import System
from bench.recording import IMAGES
from bench.report import QUICK, machine, number, replace_section
from bench.scenarios import Setting
from bench.verdicts import verdicts
from bench.work import Work

BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"
FLOOR = "floor"

PLOTS: Mapping[str, tuple[str, Sequence[Figure]]] = {
    "bench-deliveries": ("Deliveries per CPU-second of the server", figures.DELIVERIES),
    "bench-latency": (
        "From SEND to delivery at a steady rate: p50, p99, p99.9",
        figures.LATENCIES,
    ),
    "bench-memory": ("Memory, KiB", [figures.MEMORY]),
    "bench-connects": ("Connections a second", [figures.CONNECTS]),
}


def write(
    path: Path,
    works: Sequence[Work],
    systems: Sequence[System],
    results: Results,
    setting: Setting,
) -> None:
    """Replace what stands between the markers, and the plots beside the document."""
    plots = _plots(systems, results, setting.quick)
    replace_section(path, BEGIN, END, section(works, systems, results, setting, plots))
    folder = path.parent / IMAGES
    folder.mkdir(exist_ok=True)
    for name, plot in plots.items():
        (folder / f"{name}.svg").write_text(plot)


def _plots(systems: Sequence[System], results: Results, quick: bool) -> dict[str, str]:
    """Return those in which there is something to see."""
    plots = {}
    for name, (title, rows) in PLOTS.items():
        groups = {
            row.title: [(system.title, row.of(results, system.name)) for system in systems]
            for row in rows
        }
        seen = {
            heading: found
            for heading, found in groups.items()
            if any(reading for _, reading in found)
        }
        if seen:
            plots[name] = _plot(f"{title}, a quick run" if quick else title, rows, seen)
    return plots


def _plot(title: str, rows: Sequence[Figure], groups: svg.Groups) -> str:
    if rows is figures.LATENCIES:
        return svg.spans(title, groups, "ms")
    return svg.bars(title, groups, ",.1f" if rows == [figures.MEMORY] else ",.0f")


def section(
    works: Sequence[Work],
    systems: Sequence[System],
    results: Results,
    setting: Setting,
    plots: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return what is written; `plots` are those that are shown in it."""
    names = {work.name for work in works}

    def image(name: str) -> list[str]:
        return ["", f"![{PLOTS[name][0]}]({IMAGES}/{name}.svg)"] if name in plots else []

    def table(rows: Sequence[Figure]) -> list[str]:
        shown = [row for row in rows if row.work in names]
        return _table(shown, works, systems, results) if shown else ["Not measured."]

    parts = [
        machine(setting, "no medians"),
        [f"- {system.title}: {_version(system)}" for system in systems],
        [f"- {_others(results)}"],
        _failures(results),
        ["", QUICK] if setting.quick else ["", "### Targets", "", *_verdict_rows(results)],
        ["", "### Deliveries per CPU-second", "", *table(figures.DELIVERIES)],
        image("bench-deliveries"),
        ["", "### Latency at a steady rate: p50 / p99 / p99.9, ms", "", *table(figures.LATENCIES)],
        image("bench-latency"),
        ["", "### Deliveries per CPU-second at a steady rate", ""],
        table(figures.PACED_DELIVERIES),
        ["", "### Connections, storm, durable messages", "", *table(figures.OTHERS)],
        [*image("bench-memory"), *image("bench-connects")],
        ["", "### What each does for it", "", *_promise_rows(systems)],
        ["", "### Commands", ""],
        [
            f"- {work.name}, {_crowd(work, setting.quick)}: `{work.command(setting.quick)}`"
            for work in works
        ],
    ]
    return "\n".join(line for part in parts for line in part)


def _table(
    rows: Sequence[Figure], works: Sequence[Work], systems: Sequence[System], results: Results
) -> list[str]:
    by_name = {work.name: work for work in works}
    lines = [
        f"| | {' | '.join(system.title for system in systems)} |",
        f"|---|{'--:|' * len(systems)}",
    ]
    for row in rows:
        best = _best(row, systems, results)
        cells = [_cell(row, by_name[row.work], one, results, one.name in best) for one in systems]
        lines.append(f"| {row.title} | {' | '.join(cells)} |")
    return lines


def _best(row: Figure, systems: Sequence[System], results: Results) -> set[str]:
    """Of those that are servers; the floor is none."""
    read = {one.name: row.of(results, one.name) for one in systems if one.name != FLOOR}
    values = {name: found[row.judged_by] for name, found in read.items() if found}
    choose: Callable[..., float] = max if row.more_is_better else min
    return {name for name, value in values.items() if value == choose(values.values())}


def _cell(row: Figure, work: Work, system: System, results: Results, is_best: bool) -> str:
    if not work.is_offered_by(system):
        return "not offered"
    result = results.get((work.name, system.name))
    if result is None:
        return "not measured"
    if result.is_hopeless:
        return "failed"
    text = " / ".join(number(value) for value in row.of(results, system.name)) or "not known"
    mark = " †" if row.is_saturated(results, system.name) else ""
    return f"**{text}**{mark}" if is_best else f"{text}{mark}"


def _verdict_rows(results: Results) -> list[str]:
    lines = ["| Allibe embedded | target | measured | |", "|---|--:|--:|---|"]
    for one in verdicts(results):
        target = f"{'≤' if one.is_ceiling else '≥'} {one.target:g}"
        measured = "" if one.value is None else number(one.value)
        lines.append(f"| {one.title} | {target} | {measured} | {one.word} |")
    return lines


def _promise_rows(systems: Sequence[System]) -> list[str]:
    lines = [
        "| | stores | orders | authenticates | who was away gets | processes |",
        "|---|---|---|---|---|---|",
    ]
    for system in systems:
        told = system.promises
        cells = (told.stores, told.orders, told.authenticates, told.brings_back, told.processes)
        lines.append(f"| {system.title} | {' | '.join(cells)} |")
    return lines


def _others(results: Results) -> str:
    """What else ran: more than a few per cent, and the figures are not to be trusted."""
    phases = [
        phase
        for result in results.values()
        for report in result.reports
        for phase in report.get("phases", [])
        if phase["elapsed_seconds"] > 1
    ]
    shares = [
        phase["machine_cpu"] - phase["server_cpu"] - phase["generator_cpu"] for phase in phases
    ]
    if not shares:
        return "what else ran on the machine was not measured"
    # The clocks of the machine and of processes tick apart: nothing can come out as less than that.
    mean, worst = (max(0.0, share) for share in (sum(shares) / len(shares), max(shares)))
    return (
        f"what else ran on the machine used {mean:.0%} of a core in the mean of all phases, "
        f"{worst:.0%} in the worst"
    )


def _failures(results: Results) -> list[str]:
    return [
        f"- **failed**: {system} in {work}, {len(one.failures)} of "
        f"{len(one.failures) + len(one.reports)}: {_plain(one.failures[-1])}"
        for (work, system), one in results.items()
        if one.failures
    ]


def _version(system: System) -> str:
    try:
        return system.version()
    except BenchError as error:
        return str(error)


def _crowd(work: Work, quick: bool) -> str:
    crowd = work.given(quick)
    senders = "" if crowd.everybody_talks else f", {crowd.publishers:,} who send"
    return f"{crowd.subscribers:,} in {crowd.rooms:,} rooms{senders}"


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:200]
