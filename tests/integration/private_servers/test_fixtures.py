"""The fixtures give every test a place of its own, and are there in seconds."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.cluster.servers import PostgreSQL, RabbitMQ, Redis, close_all, start_all
from tests.integration.private_servers.looks import mentions

ROOT = Path(__file__).resolve().parents[3]

SECONDS = 20.0
"""What the start of all three may take, on two cores."""

seen: dict[str, list[str]] = {"postgres": [], "rabbitmq": [], "redis": []}


@pytest.mark.parametrize("again", [False, True])
def test_each_test_has_a_place_of_its_own(
    again: bool,
    postgres: PostgreSQL,
    rabbitmq: RabbitMQ,
    redis_server: Redis,
    postgres_url: str,
    amqp_url: str,
    redis_url: str,
) -> None:
    """What a test before it had is gone, and its address is not given again."""
    database, vhost, number = (
        url.rpartition("/")[2] for url in (postgres_url, amqp_url, redis_url)
    )
    redis_server.command("SET", "left", "behind", database=int(number))
    assert database not in seen["postgres"]
    assert vhost not in seen["rabbitmq"]
    assert number not in seen["redis"]
    there = postgres.sql("SELECT datname FROM pg_database").splitlines()
    assert database in there
    assert not set(seen["postgres"]) & set(there)
    assert not [name for name in seen["rabbitmq"] if name in rabbitmq.eval("rabbit_vhost:list()")]
    for name, value in zip(seen, (database, vhost, number), strict=True):
        seen[name].append(value)


@pytest.mark.timeout(120)
def test_all_three_start_side_by_side_in_time_and_twice_at_once(
    tmp_path: Path, postgres_template: Path
) -> None:
    """Two runs on one machine, as two workers of xdist are: ports and folders do not collide."""

    def run(name: str) -> float:
        folder = tmp_path / name
        servers = [
            PostgreSQL(folder / "postgres", template=postgres_template),
            RabbitMQ(folder / "rabbitmq"),
            Redis(folder / "redis"),
        ]
        began = time.monotonic()
        start_all(servers)
        took = time.monotonic() - began
        close_all(servers)
        return took

    with ThreadPoolExecutor() as threads:
        took = list(threads.map(run, ("one", "two")))
    assert max(took) < 2 * SECONDS
    assert mentions(tmp_path) == []


def test_one_that_fails_takes_the_others_with_it(tmp_path: Path, redis_server: Redis) -> None:
    servers = [Redis(tmp_path / "good"), Redis(tmp_path / "bad", port=redis_server.port)]
    with pytest.raises(Exception, match="is taken by another program"):
        start_all(servers)
    assert mentions(tmp_path) == []


def test_without_the_programs_tests_fail_with_one_line(tmp_path: Path) -> None:
    """They never skip: a run that is green has tried everything."""
    (tmp_path / "test_it.py").write_text("def test_it(redis_url): ...\n")
    (tmp_path / "conftest.py").write_text(
        "from tests.support.private_servers import *\n"
        "from deploy.cluster.servers import programs\n"
        "programs._FOLDERS = ()\n"
    )
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "-o", f"pythonpath={ROOT}", tmp_path],
        env={"PATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "redis-server is missing: run scripts/servers.sh" in done.stdout
    assert "1 error" in done.stdout
    assert "Traceback" not in done.stdout
