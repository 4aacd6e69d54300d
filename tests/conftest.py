"""What holds for all tests: a busy machine is no failure, and what takes long comes first."""

import os

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

settings.register_profile(
    "busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")

CLUSTER = "tests/e2e/cluster"
"""All of it goes to one process: its tests share a cluster, which is a dozen processes itself."""

LONG = (
    "tests/chaos",
    CLUSTER,
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


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist tells no types
    """Hands out whole files, as `--dist loadfile` does, and `CLUSTER` as if it were one."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return CLUSTER if scope.startswith(f"{CLUSTER}/") else scope


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None
