"""What the targets' table shows of a ratio, and that each target of the project is in it."""

from pathlib import Path

import pytest

from bench.report import Outcome, line, write
from bench.run import ALL
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


@pytest.mark.parametrize("name", TARGETS)
def test_targets_are_as_the_project_set_them(name: str) -> None:
    (scenario,) = (one for one in ALL if one.name == name)
    assert scenario.target == TARGETS[name]
