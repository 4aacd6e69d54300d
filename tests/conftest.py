"""What holds for all tests: a busy machine is no failure, and what takes long comes first."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")

LONG = (
    "tests/chaos",
    "tests/e2e/cluster",
    "tests/e2e/browser",
    "tests/e2e",
    "tests/integration/shard_sharing",
    "tests/integration",
    "tests/fuzz",
    "tests/contract",
)
"""Folders whose files take long, the longest first: what is started last should end soon.

`make test` shares the files between several processes. Those of one folder are
taken one after the other, so its servers are stopped once it is through.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort for xdist, which hands out files in this order; a process by itself needs none."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    for turn, folder in enumerate(LONG):
        if item.nodeid.startswith(f"{folder}/"):
            return turn
    return len(LONG)
