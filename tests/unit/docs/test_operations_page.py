"""docs/operations.md: its steps are walked by tests that are there."""

import re
from pathlib import Path

import pytest

from tests.support.runbook import PAGE, steps

TEXT = PAGE.read_text()
TESTS = Path(__file__).resolve().parents[2]


def test_every_fence_says_who_runs_it() -> None:
    """A step is run by a test, as it stands; the others were run by hand, and the page says so."""
    marked = re.findall(r"^<!-- (?:step: [a-z-]+|by hand) -->\n```sh$", TEXT, re.MULTILINE)
    assert len(marked) == len(re.findall(r"^```\S", TEXT, re.MULTILINE))


@pytest.mark.parametrize("step", steps())
def test_every_step_is_walked(step: str) -> None:
    walks = "".join(path.read_text() for path in (TESTS / "e2e").rglob("*.py"))
    what, _, where = step.rpartition("-")
    assert f'walk, "{step}"' in walks or f'walk("{step}"' in walks or f'walk, f"{what}-{{' in walks
    assert where


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[\w/.]+)`", TEXT))))
def test_a_test_that_it_names_is_there(name: str) -> None:
    assert (TESTS.parent / name).exists()
