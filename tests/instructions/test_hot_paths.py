"""No hot path does much more than it did: instructions are counted, nothing is timed.

Callgrind, which counts the processor's, took 40 to 100 s for each run of a path: most of it for
imports. Here all paths take two seconds.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RECORDED = {"send": 2141, "event": 1463, "delivery": 38, "command": 1063, "connection": 21500}
"""SEND to RECEIPT; an event of one message, and what it costs for each subscriber more; a command
that is stored in a batch; a connection from its handshake to its end. Of Python 3.11."""

MARGIN = 1.25

GROWTH = 1.05


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    """Count in a process of its own: coverage traces this one."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.instructions.paths"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


@pytest.mark.parametrize("path", RECORDED)
def test_a_hot_path_does_no_more_than_it_did(path: str, counted: dict[str, float]) -> None:
    assert counted[path] < MARGIN * RECORDED[path]


@pytest.mark.parametrize("path", RECORDED)
def test_what_was_won_is_recorded(path: str, counted: dict[str, float]) -> None:
    """Or it could be lost again, and nobody would see it."""
    assert counted[path] > RECORDED[path] / MARGIN, "record the new figure here"


@pytest.mark.parametrize("path", ["event", "command"])
def test_a_message_costs_no_more_among_many_rooms_and_users(
    path: str, counted: dict[str, float]
) -> None:
    """Which have nothing to do with it; `bench/publishing.py` measures the same in CPU."""
    assert counted[f"{path} among others"] < GROWTH * counted[path]
