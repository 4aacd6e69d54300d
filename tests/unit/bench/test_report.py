"""What the targets' table shows of a ratio, and that each target of the project is in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.choice import ALL
from bench.report import Outcome, line, write
from bench.scenarios import Measurement, Scenario, Setting

SETTING = Setting(Path("load"), "serve", 0, 1, quick=False)

TARGETS = {
    "distributed-latency-p50": 5.0,
    "distributed-100-rooms": 12_000,
    "distributed-1000-rooms": 5_000,
    "history-sqlite": 1.2,
    "history-postgresql": 1.2,
    "publish-among-10000": 1.2,
}


def ratio(target: float) -> Scenario:
    return Scenario(
        name="growth",
        title="large against small",
        unit="ratio",
        target=target,
        more_is_better=False,
        command="read",
    )


def test_both_sides_of_a_ratio_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    runs = [Measurement(1.1, {"told": "11 against 10 ms"})]
    write(path, [Outcome(ratio(1.2), runs)], SETTING)
    row = "| large against small | ratio | 1.20 | 1.10 | 1.10 | met |  | 11 against 10 ms |"
    assert row in path.read_text().splitlines()


@pytest.mark.parametrize(("target", "word"), [(1.2, "met"), (1.1, "missed")])
def test_growth_is_missed_above_its_target(target: float, word: str) -> None:
    """By the median of the repetitions."""
    runs = [Measurement(figure, {"told": ""}) for figure in (1.0, 1.15, 3.0)]
    assert line(Outcome(ratio(target), runs)).endswith(word)


def test_a_quick_run_is_marked_and_judged_by_nothing(tmp_path: Path) -> None:
    """The targets are those of the full run, whose commands it does not have either."""
    (scenario,) = (one for one in ALL if one.name == "fan-out-8")
    outcome = Outcome(scenario, [Measurement(500_000)], quick=True)
    assert "target" not in line(outcome)
    path = tmp_path / "benchmarks.md"
    write(path, [outcome], replace(SETTING, quick=True))
    text = path.read_text()
    assert "**A quick run" in text
    title = "1,000 subscribers of one room, 8 in flight"
    empty = "deliveries per server CPU-second |  | 500,000 | 500,000 |  |  |  |"
    assert f"| {title} | {empty}" in text
    assert "`load --subscribers 1000 --window 8 --messages 500`" in text
    write(path, [Outcome(scenario, [Measurement(500_000)])], SETTING)
    assert "**A quick run" not in path.read_text()
    assert "`load --subscribers 1000 --window 8 --messages 3000`" in path.read_text()


@pytest.mark.parametrize("scenario", ALL, ids=lambda one: one.name)
def test_each_scenario_tells_how_it_is_run_quickly(scenario: Scenario) -> None:
    """But for the one that is quick as it is."""
    same = scenario.as_run(quick=True) == scenario.as_run(quick=False)
    assert same == (scenario.name == "stomp-core")


@pytest.mark.parametrize(
    ("repeat", "told"),
    [(3, "- 3 repetitions"), (1, "- one repetition: best and median are the same run")],
)
def test_it_is_told_how_often_was_measured(repeat: int, told: str, tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.md"
    write(path, [Outcome(ratio(1.2), [Measurement(1.1)])], replace(SETTING, repeat=repeat))
    assert told in path.read_text().splitlines()


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_as_the_project_set_them(name: str) -> None:
    (scenario,) = (one for one in ALL if one.name == name)
    assert scenario.target == TARGETS[name]
