"""The whole benchmark in its quick mode: small crowds, half a second each, every system once.

The figures are worth nothing; that there are some says that the harness works.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.comparison import WORKS
from bench.peers import SYSTEMS

ROOT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 900.0

pytestmark = pytest.mark.usefixtures("generator")


def run(output: Path, *words: str) -> str:
    """Return what a quick run writes down; what fails in it fails the test."""
    command = [sys.executable, "-m", "bench", "--quick", "--repeat", "1", "--output", str(output)]
    done = subprocess.run(
        [*command, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return output.read_text()


@pytest.mark.parametrize(
    ("work", "system", "title"),
    [
        ("rooms-1000x2", "floor", "1,000 rooms of 2, all talk, 1,000 in flight"),
        ("storm", "embedded", "database reads in that time, for each of the 100 rooms"),
        ("durable", "rabbitmq", "durable messages a second, 1,000 in flight"),
    ],
)
def test_a_system_is_given_its_work(tmp_path: Path, work: str, system: str, title: str) -> None:
    """One of each kind, which needs no packages."""
    text = run(tmp_path / "benchmarks.md", "--scenario", work, "--system", system)
    assert re.search(rf"^\| {title} \| (\*\*)?[\d.,]+", text, re.MULTILINE)
    assert "A quick run" in text


@pytest.mark.timeout(RUN_SECONDS)
@pytest.mark.parametrize(
    "scenario",
    [
        "history-sqlite",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in ("history-postgresql", "publish-among-10000", "loop-fan-out-8")
        ),
    ],
)
def test_a_ratio_is_recorded_with_both_its_sides(tmp_path: Path, scenario: str) -> None:
    text = run(tmp_path / "benchmarks.md", "--part", "targets", "--scenario", scenario)
    (row,) = (line for line in text.splitlines() if line.startswith("|") and " ratio" in line)
    assert re.search(r"\d.* against [\d.,]+", row)
    assert f"- {scenario}: `" in text


@pytest.mark.long
@pytest.mark.timeout(RUN_SECONDS)
def test_all_systems_are_given_all_work(tmp_path: Path) -> None:
    """Socket.IO comes from npm. Where a system does not offer something, the table says so."""
    text = run(tmp_path / "benchmarks.md", "--part", "peers")
    assert "not measured" not in text
    assert "failed" not in text
    for system in SYSTEMS:
        assert f"- {system.title}: " in text
    for work in WORKS:
        assert f"- {work.name}, " in text
    assert "not offered" in text
    images = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert images == [
        f"bench-{what}.svg" for what in ("connects", "deliveries", "latency", "memory")
    ]
    assert all(f"images/{name}" in text for name in images)
