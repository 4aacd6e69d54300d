"""The alert rules, judged by promtool: each fires on its fault, on nothing else, and not before."""

import json
import re
import subprocess
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from allibe_services import settings
from deploy.cluster.servers.programs import find_program
from tests.unit.monitoring.alert_cases import CASES, DAY, HEALTHY, Case, Series

PROMETHEUS = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
OBJECTIVES = [path for path in RULES if path.stem == "objectives"]

FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def alerts() -> list[dict[str, Any]]:
    return [
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [find_program("promtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def whole(values: str, count: int) -> str:
    """Return so many values: `5` and `0+60` go on, a list of them stands."""
    if " " in values:
        return values
    return f"{values}x{count}" if "+" in values else f"{values}+0x{count}"


def promtool_test(changed: Series, minutes: int, firing: Collection[str]) -> dict[str, Any]:
    """Return a test of promtool's: all alerts that fire in the end are these."""
    step = 10 if minutes >= DAY else 1
    series = {one: values for one, values in (HEALTHY | changed).items() if values}
    return {
        "interval": f"{step}m",
        "input_series": [
            {"series": one, "values": whole(values, minutes // step)}
            for one, values in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": FIRING,
                "eval_time": f"{minutes}m",
                "exp_samples": [
                    {"labels": f'{{alertname="{one}"}}', "value": 1} for one in sorted(firing)
                ],
            }
        ],
    }


def both(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """Return two tests for each: its fault sets it off alone, what is close to it does not."""
    return [
        one
        for case in cases
        for one in (
            promtool_test(case.fault, case.minutes, {case.alert, *case.also}),
            promtool_test(case.close, case.minutes, case.less),
        )
    ]


def run(
    tests: list[dict[str, Any]],
    folder: Path,
    *,
    rules: Sequence[Path] = RULES,
    interval: str = "1m",
) -> None:
    """Let promtool run tests; fail with what it says."""
    content = {
        "rule_files": [str(path) for path in rules],
        "evaluation_interval": interval,
        "tests": tests,
    }
    (folder / "tests.yaml").write_text(json.dumps(content))
    done = promtool("test", "rules", folder / "tests.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_nothing_wrong() -> None:
    config = PROMETHEUS / "prometheus.yml"
    for what, files in (("rules", RULES), ("config", [config])):
        done = promtool("check", what, *files)
        assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_fires_while_all_is_well(tmp_path: Path) -> None:
    run([promtool_test({}, 90, ())], tmp_path)


def test_nothing_fires_while_nobody_is_there_nor_after_a_restart(tmp_path: Path) -> None:
    """A rate by a rate of nothing is no number; counters begin again at 0."""
    counters = [one for one, values in HEALTHY.items() if "+" in values]
    nobody = dict.fromkeys(counters, "0")
    restarted = {one: f"{HEALTHY[one]}x86 {HEALTHY[one]}x3" for one in counters}
    run([promtool_test(one, 90, ()) for one in (nobody, restarted)], tmp_path)


def test_each_fires_on_its_fault_alone(tmp_path: Path) -> None:
    cases = [case for case in CASES if "Budget" not in case.alert]
    run(both(cases), tmp_path, rules=[path for path in RULES if path not in OBJECTIVES])


def test_a_budget_that_burns_fast_is_told_of_within_the_hour(tmp_path: Path) -> None:
    run(both(case for case in CASES if case.alert.endswith("Fast")), tmp_path, rules=OBJECTIVES)


def test_one_that_burns_slowly_is_told_of_within_days(tmp_path: Path) -> None:
    cases = [case for case in CASES if case.alert.endswith("Burns")]
    assert all(case.minutes >= DAY for case in cases)
    run(both(cases), tmp_path, rules=OBJECTIVES, interval="10m")


def test_every_alert_has_a_case() -> None:
    assert {one["alert"] for one in alerts()} == {case.alert for case in CASES}


@pytest.mark.parametrize("alert", alerts(), ids=lambda one: one["alert"])
def test_each_says_how_urgent_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert alert["annotations"].keys() == {"summary", "description"}
    assert alert["annotations"]["summary"].endswith(".")
    variables = {variable for variable, _, _ in settings.table()}
    text = "".join(alert["annotations"].values())
    assert set(re.findall(r"ALLIBE_[A-Z_]+", text)) <= variables
    others = set(re.findall(r"Allibe[A-Z]\w+", text))
    assert others <= {one["alert"] for one in alerts()}
