"""A private PostgreSQL keeps its data, and does what tests need."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cluster.servers import PostgreSQL, ServerFailed
from deploy.cluster.servers.programs import find_program, run
from tests.integration.private_servers.looks import check_loopback, mentions
from tests.support.server import eventually


@pytest.fixture
def own(tmp_path: Path, postgres_template: Path) -> Iterator[PostgreSQL]:
    """One that the test may stop and kill."""
    with PostgreSQL(tmp_path / "own", template=postgres_template) as own:
        yield own


def test_psql_talks_to_it_by_its_url(postgres: PostgreSQL, postgres_url: str) -> None:
    done = run([find_program("psql"), "-XAtc", "SELECT 6 * 7", postgres_url], environment={})
    assert (done.stdout, done.returncode) == ("42\n", 0)


def test_nobody_gets_in_without_the_password(postgres: PostgreSQL) -> None:
    url = postgres.url().replace(":", ":no", 2).replace("no", "", 1)
    done = run([find_program("psql"), "-wXAtc", "SELECT 1", url], environment={})
    assert "password authentication failed" in done.stderr


def test_it_listens_on_loopback_alone(postgres: PostgreSQL) -> None:
    check_loopback(postgres.processes(), postgres.port)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody else to be")
def test_under_root_it_runs_as_another_user_in_a_folder_that_only_root_can_enter(
    own: PostgreSQL,
) -> None:
    own.folder.parent.chmod(0o700)
    own.restart()
    assert Path(f"/proc/{own.pid}").stat().st_uid != 0
    assert own.data.stat().st_mode & 0o077 == 0


def test_what_is_committed_survives_a_kill_even_where_it_does_not_wait_for_the_disk(
    tmp_path: Path, postgres_template: Path
) -> None:
    with PostgreSQL(tmp_path / "own", durable=False, template=postgres_template) as server:
        server.sql("CREATE TABLE kept (number int)")
        for number in range(3):
            server.sql(f"INSERT INTO kept VALUES ({number})")
            server.kill()
            server.start()
        assert server.sql("SELECT number FROM kept ORDER BY 1") == "0\n1\n2"


def test_data_survive_a_restart_and_a_kill(own: PostgreSQL) -> None:
    own.sql("CREATE TABLE kept (number int)")
    for number, end in enumerate((own.stop, own.kill)):
        own.sql(f"INSERT INTO kept VALUES ({number})")
        end()
        assert mentions(own.folder) == []
        own.start()
    assert own.sql("SELECT number FROM kept ORDER BY 1") == "0\n1"


def test_a_frozen_one_answers_after_the_thaw(own: PostgreSQL) -> None:
    answers: list[str] = []
    own.freeze()
    asking = threading.Thread(target=lambda: answers.append(own.sql("SELECT 'a'")))
    asking.start()
    time.sleep(0.3)
    assert answers == []
    own.thaw()
    asking.join(10)
    assert answers == ["a"]


def test_backends_stand_still_too(own: PostgreSQL) -> None:
    """Each has a session of its own, so that a signal to a group would miss it."""
    with _sleeper(own, "postgres"):
        backend = own.sql("SELECT pid FROM pg_stat_activity WHERE query LIKE '%sleep(60)'")
        own.freeze()
        assert _state(int(backend)) == "T"
        own.thaw()
        own.terminate_backends()


def test_it_waits_for_the_disk_unless_it_need_not(own: PostgreSQL, postgres: PostgreSQL) -> None:
    assert (own.sql("SHOW fsync"), postgres.sql("SHOW fsync")) == ("on", "off")


def test_backends_are_terminated_all_or_those_of_a_database(postgres: PostgreSQL) -> None:
    urls = {name: postgres.create_database(name) for name in ("one", "two")}
    with _sleeper(postgres, "one") as one, _sleeper(postgres, "two") as two:
        assert postgres.terminate_backends("one") == 1
        one.join(10)
        assert two.is_alive()
        assert postgres.terminate_backends() == 1
        two.join(10)
    for name in urls:
        postgres.drop_database(name)


def test_a_database_is_made_once_and_dropped_under_its_users(postgres: PostgreSQL) -> None:
    url = postgres.create_database("mine")
    postgres.sql("CREATE TABLE kept ()", "mine")
    assert postgres.create_database("mine") == url
    assert postgres.sql("SELECT count(*) FROM kept", "mine") == "0"
    with _sleeper(postgres, "mine"):
        postgres.drop_database("mine")
    with pytest.raises(ServerFailed, match='database "mine" does not exist'):
        postgres.sql("SELECT 1", "mine")


def test_names_that_would_need_quotes_are_refused(postgres: PostgreSQL) -> None:
    with pytest.raises(ValueError, match="not a name of a database"):
        postgres.create_database('x"; DROP DATABASE postgres; --')


class _sleeper(threading.Thread):  # noqa: N801 (used as a context manager)
    """A connection to a database that does nothing until it is cut."""

    def __init__(self, server: PostgreSQL, database: str) -> None:
        super().__init__()
        self.server, self.database = server, database

    def run(self) -> None:
        with pytest.raises(ServerFailed, match="terminating connection"):
            self.server.sql("SELECT pg_sleep(60)", self.database)

    def __enter__(self) -> "_sleeper":
        self.start()
        eventually(lambda: self.database in _activity(self.server), "it is connected")
        return self

    def __exit__(self, *_: object) -> None:
        self.join(10)
        assert not self.is_alive()


def _activity(server: PostgreSQL) -> str:
    return server.sql(
        "SELECT datname, query FROM pg_stat_activity"
        " WHERE state = 'active' AND pid <> pg_backend_pid()"
    )


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
