"""What the comparison writes down, from reports that are made up."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import comparison_report
from bench.comparison import WORKS, Result, Results
from bench.peers import SYSTEMS
from bench.scenarios import Setting
from bench.verdicts import verdicts

SETTING = Setting(Path("load"), "serve", 0, 1, quick=False)
TALKS = [work for work in WORKS if work.name.startswith("room")]


def phase(rate: float, *, saturated: bool = False, latency: float = 1000.0) -> dict[str, Any]:
    return {
        "messages": 10,
        "elapsed_seconds": 2.0,
        "deliveries_per_cpu_second": rate,
        "saturated": saturated,
        "machine_cpu": 1.5,
        "server_cpu": 1.0,
        "generator_cpu": 0.25,
        "latency_us": {"p50": latency, "p99": 2 * latency, "p99.9": 3 * latency},
    }


def talk(rate: float, **more: Any) -> Result:
    return Result([{"phases": [phase(rate, **more)] * 3}])


def section(results: Results, folder: Path) -> list[str]:
    path = folder / "benchmarks.md"
    comparison_report.write(path, TALKS, SYSTEMS, results, SETTING)
    return path.read_text().splitlines()


def row(title: str, lines: list[str]) -> list[str]:
    return next(line for line in lines if line.startswith(f"| {title} |")).split(" | ")[1:]


def test_the_best_server_is_shown_as_such_whoever_it_is(tmp_path: Path) -> None:
    """The floor is none; what was not measured, and what failed, is said."""
    results: Results = {
        ("room-100", "embedded"): talk(5000),
        ("room-100", "socketio"): talk(6000, saturated=True),
        ("room-100", "rabbitmq"): Result([], ["it was | too late"]),
        ("room-100", "floor"): talk(9000),
    }
    lines = section(results, tmp_path)
    cells = row("one room with 100 subscribers, 8 in flight", lines)
    assert cells == ["5,000", "not measured", "failed", "**6,000** †", "not measured", "9,000 |"]
    assert "- **failed**: rabbitmq in room-100, 1 of 1: it was \\| too late" in lines


def test_what_a_system_cannot_do_is_not_measured_as_nothing(tmp_path: Path) -> None:
    durable = [work for work in WORKS if work.name == "durable"]
    path = tmp_path / "benchmarks.md"
    comparison_report.write(path, durable, SYSTEMS, {}, SETTING)
    cells = row("durable messages a second, 1,000 in flight", path.read_text().splitlines())
    assert cells == [*["not measured"] * 3, *["not offered"] * 2, "not offered |"]


def test_the_median_of_the_repetitions_counts(tmp_path: Path) -> None:
    reports = [talk(rate).reports[0] for rate in (100, 900, 300)]
    results: Results = {("room-100", "embedded"): Result(reports)}
    cells = row("one room with 100 subscribers, 8 in flight", section(results, tmp_path))
    assert cells[0] == "**300.00**"


def test_a_repetition_that_failed_is_told_beside_those_that_did_not(tmp_path: Path) -> None:
    reports = talk(100).reports
    results: Results = {("room-100", "embedded"): Result(reports, ["no end after 600 s"])}
    lines = section(results, tmp_path)
    assert row("one room with 100 subscribers, 8 in flight", lines)[0] == "**100.00**"
    assert "- **failed**: embedded in room-100, 1 of 2: no end after 600 s" in lines


def test_targets_are_ratios_to_the_best_peer_and_to_the_floor() -> None:
    results: Results = {
        ("room-1000", "embedded"): talk(40_000),
        ("room-1000", "rabbitmq"): talk(8_000),
        ("room-1000", "socketio"): talk(10_000),
        ("room-1000", "floor"): talk(50_000),
        ("rooms-1000x2", "embedded"): talk(10_000),
        ("rooms-1000x2", "socketio"): talk(10_000),
    }
    lines = {one.title: f"{one.value} {one.word}" for one in verdicts(results)}
    floor = "one room with 1,000 subscribers, 1 in flight: times the floor's CPU for a delivery"
    assert lines[floor] == "1.25 met"
    eight = "one room with 1,000 subscribers, 8 in flight: times the best peer"
    assert lines[eight] == "4.0 met"
    pairs = "1,000 rooms of 2, all talk, 1,000 in flight: times the best peer"
    assert lines[pairs] == "1.0 missed"
    assert lines["KiB for each idle connection"] == "None not measured"


@pytest.mark.parametrize(("big", "word"), [(24_000, "0.6 met"), (23_000, "0.575 missed")])
def test_many_subscribers_are_to_cost_little_more_than_fewer(big: int, word: str) -> None:
    """Deliveries per CPU-second to 10,000 subscribers, and to 1,000, of the same run."""
    results: Results = {
        ("room-1000", "embedded"): talk(40_000),
        ("room-10000", "embedded"): talk(big),
    }
    lines = {one.title: f"{one.value} {one.word}" for one in verdicts(results)}
    title = "deliveries per CPU-second to 10,000 subscribers, as a part of those to 1,000"
    assert lines[title] == word


def test_reads_of_the_database_in_a_storm_are_told_for_each_room(tmp_path: Path) -> None:
    """And not of servers that have none, or that do not say."""
    report = {"elapsed_seconds": 9.0, "connect_generator_cpu": 0.1}
    results: Results = {
        ("storm", "embedded"): Result([report | {"database_reads": 450, "rooms": 100}]),
        ("storm", "rabbitmq"): Result([report]),
    }
    storm = [work for work in WORKS if work.name == "storm"]
    path = tmp_path / "benchmarks.md"
    comparison_report.write(path, storm, SYSTEMS, results, SETTING)
    title = "database reads in that time, for each of the 100 rooms"
    cells = row(title, path.read_text().splitlines())
    assert cells[:3] == ["**4.50**", "not measured", "not known"]
    judged = {one.title: f"{one.value} {one.word}" for one in verdicts(results)}
    assert judged["database reads in the storm, for each of the 100 rooms"] == "4.5 met"


def test_plots_are_well_formed_and_shown_where_they_have_something(tmp_path: Path) -> None:
    results: Results = {("room-100", "embedded"): talk(5000), ("room-100", "floor"): talk(9000)}
    text = "\n".join(section(results, tmp_path))
    plots = {path.name: path for path in (tmp_path / "images").iterdir()}
    assert set(plots) == {"bench-deliveries.svg", "bench-latency.svg"}
    for name, path in plots.items():
        assert f"images/{name}" in text
        ET.fromstring(path.read_text())
    bars = ET.fromstring(plots["bench-deliveries.svg"].read_text())
    widths = [float(bar.get("width", 0)) for bar in bars if bar.get("height") == "14"]
    assert max(widths) / min(widths) == pytest.approx(9 / 5, abs=0.01)


def test_other_work_on_the_machine_is_told(tmp_path: Path) -> None:
    """Of the 1.5 cores that were used, 0.25 were neither the server's nor the generator's."""
    text = "\n".join(section({("room-100", "embedded"): talk(5000)}, tmp_path))
    assert "used 25% of a core in the mean of all phases, 25% in the worst" in text


def test_other_work_is_never_told_as_less_than_none(tmp_path: Path) -> None:
    """As the clocks have it at times, which tick apart."""
    result = talk(5000)
    for one in result.reports[0]["phases"]:
        one["machine_cpu"] = 1.24
    text = "\n".join(section({("room-100", "embedded"): result}, tmp_path))
    assert "used 0% of a core in the mean of all phases, 0% in the worst" in text


def test_deliveries_are_told_of_the_steady_rate_too(tmp_path: Path) -> None:
    """Which is a phase of its own."""
    phases = [phase(rate) for rate in (3000, 2000, 1000)]
    lines = section({("room-100", "embedded"): Result([{"phases": phases}])}, tmp_path)
    steady = lines[lines.index("### Deliveries per CPU-second at a steady rate") :]
    assert row("100 subscribers, 50 msg/s", steady)[0] == "**1,000**"


def test_a_quick_run_is_marked_and_judged_by_nothing(tmp_path: Path) -> None:
    """Crowds and commands are those that it had."""
    path = tmp_path / "benchmarks.md"
    works = [work for work in WORKS if work.name in ("storm", "room-100")]
    results: Results = {("room-100", "embedded"): talk(5000)}
    comparison_report.write(path, works, SYSTEMS, results, replace(SETTING, quick=True))
    lines = path.read_text().splitlines()
    assert any(line.startswith("**A quick run") for line in lines)
    assert "### Targets" not in lines
    load = "load --phases window=8/0.5,in-flight=1/0.5,rate=50/0.5 --messages 400000"
    assert f"- room-100, 20 in 1 rooms, 1 who send: `{load}`" in lines
    assert "- storm, 20 in 5 rooms: `load --resume FILE --connecting 20 (3 missed)`" in lines
    assert "a quick run" in (tmp_path / "images" / "bench-deliveries.svg").read_text()
    assert "### Targets" in section(results, tmp_path)
    assert "a quick run" not in (tmp_path / "images" / "bench-deliveries.svg").read_text()


@pytest.mark.parametrize(
    ("repeat", "told"), [(3, "- 3 repetitions"), (1, "- one repetition: no medians")]
)
def test_it_is_told_how_often_was_measured(repeat: int, told: str) -> None:
    setting = replace(SETTING, repeat=repeat)
    assert told in comparison_report.section(TALKS, SYSTEMS, {}, setting).splitlines()
