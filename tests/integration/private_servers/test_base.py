"""What all servers do, seen on Redis, which starts in no time, and on little shell scripts."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.cluster.servers import PrivateServer, ProgramMissing, Redis, ServerFailed
from deploy.cluster.servers import programs as programs_module
from deploy.cluster.servers.processes import is_alive
from tests.integration.private_servers.looks import exchange, mentions
from tests.support.server import eventually


class Script(PrivateServer):
    """A server that is a shell script, ready when it says so."""

    name = "script"
    stop_seconds = 0.3

    def __init__(self, folder: Path, script: str) -> None:
        super().__init__(folder)
        self.script = script

    def _command(self) -> list[str]:
        return ["sh", "-c", self.script]

    def _is_ready(self) -> bool:
        return "ready" in self.log()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with Redis(tmp_path / "redis") as redis:
        yield redis


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[[str], Script]]:
    made: list[Script] = []

    def make(text: str) -> Script:
        made.append(Script(tmp_path / f"script-{len(made)}", text))
        return made[-1]

    yield make
    for server in made:
        server.close()


def test_stop_leaves_no_process(redis: Redis) -> None:
    assert mentions(redis.folder)
    redis.stop()
    assert not redis.is_running
    assert mentions(redis.folder) == []


def test_kill_leaves_no_process(redis: Redis) -> None:
    redis.kill()
    assert not redis.is_running
    assert mentions(redis.folder) == []


def test_it_starts_again_on_the_same_port_after_a_kill_and_a_stop(redis: Redis) -> None:
    url, pid = redis.url(), redis.pid
    redis.kill()
    redis.start()
    redis.restart()
    assert redis.url() == url
    assert redis.pid != pid
    assert redis.command("PING") == "PONG"


def test_a_frozen_server_takes_connections_and_answers_after_the_thaw(redis: Redis) -> None:
    redis.freeze()
    assert redis.is_running
    with pytest.raises(TimeoutError):
        exchange(redis.port, b"PING\r\n", timeout=0.2)
    redis.thaw()
    assert exchange(redis.port, b"PING\r\n").startswith(b"-NOAUTH")


def test_a_frozen_server_can_be_stopped_and_killed(redis: Redis) -> None:
    redis.freeze()
    redis.stop()
    assert mentions(redis.folder) == []
    redis.start()
    redis.freeze()
    redis.kill()
    assert mentions(redis.folder) == []


def test_what_does_not_end_by_itself_is_killed_with_its_children(
    script: Callable[[str], Script],
) -> None:
    server = script("trap '' TERM; setsid sleep 60 & echo ready; wait; sleep 60")
    server.start()
    started = server.processes()
    assert len(started) == 2
    server.stop()
    assert not any(map(is_alive, started))


def test_children_that_outlive_their_parent_are_ended_too(
    script: Callable[[str], Script],
) -> None:
    """A daemon has left group, session and parent behind, but not its environment."""
    server = script("(setsid sh -c 'cd /; exec sleep 60' &); echo ready; exec sleep 60")
    server.start()
    eventually(lambda: len(server.processes()) == 2, "the shell between them has ended")
    started = server.processes()
    os.kill(server.pid, signal.SIGKILL)
    server.kill()
    assert not any(map(is_alive, started))


def test_a_server_that_ends_at_its_start_says_why(script: Callable[[str], Script]) -> None:
    with pytest.raises(ServerFailed, match=r"ended before it took connections\n.*no such room"):
        script("echo no such room").start()


def test_a_server_that_never_gets_ready_is_ended(
    script: Callable[[str], Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Script, "start_seconds", 0.2)
    server = script("echo busy; sleep 60")
    with pytest.raises(ServerFailed, match="busy"):
        server.start()
    assert mentions(server.folder) == []


def test_a_port_that_is_taken_is_an_error(redis: Redis, tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match="is taken by another program"),
        Redis(tmp_path / "other", port=redis.port),
    ):
        pass


def test_it_does_not_start_twice(redis: Redis) -> None:
    with pytest.raises(ServerFailed, match="runs already"):
        redis.start()
    assert redis.command("PING") == "PONG"


def test_a_folder_has_one_owner_and_others_do_it_no_harm(redis: Redis) -> None:
    other = Redis(redis.folder)
    with pytest.raises(ServerFailed, match="in use by another process"):
        other.start()
    other.freeze()
    other.stop()
    other.kill()
    other.close()
    assert redis.command("PING") == "PONG"


def test_a_folder_can_be_taken_over_after_a_close(redis: Redis) -> None:
    redis.close()
    with Redis(redis.folder) as other:
        assert other.command("PING") == "PONG"
        assert other.url().partition("@")[0] == redis.url().partition("@")[0]


def test_what_an_earlier_owner_left_running_is_ended_before_a_start(tmp_path: Path) -> None:
    """Both the owner and its guard were killed."""
    folder = tmp_path / "redis"
    environment = {"PRIVATE_SERVER_FOLDER": str(folder)}
    with subprocess.Popen(["sleep", "60"], env=environment) as left, Redis(folder):
        assert left.wait(10) == -signal.SIGKILL


def test_nothing_of_our_environment_gets_in(redis: Redis) -> None:
    told = Path(f"/proc/{redis.pid}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0] for entry in told if entry}
    assert names == {b"PATH", b"HOME", b"LANG", b"PRIVATE_SERVER_FOLDER"}


def test_passwords_can_be_read_by_us_alone(redis: Redis) -> None:
    for name in ("password", "redis.conf"):
        assert (redis.folder / name).stat().st_mode & 0o077 == 0
    password = redis.url().removeprefix("redis://:").partition("@")[0]
    assert all(password not in line for line in mentions(redis.folder))


def test_a_program_that_is_missing_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs_module, "_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing) as caught, Redis(tmp_path / "redis"):
        pass
    assert str(caught.value) == "redis-server is missing: run scripts/servers.sh"
