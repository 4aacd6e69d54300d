"""A private Redis speaks its protocol, keeps nothing, and does what tests need."""

import pytest

from deploy.cluster.servers import Redis, ServerFailed
from tests.integration.private_servers.looks import check_loopback, exchange


def test_it_answers_over_its_protocol(redis_server: Redis) -> None:
    password = redis_server.url().removeprefix("redis://:").partition("@")[0]
    hello = f"*2\r\n$4\r\nAUTH\r\n${len(password)}\r\n{password}\r\n*1\r\n$4\r\nPING\r\n"
    assert exchange(redis_server.port, hello.encode()) == b"+OK\r\n+PONG\r\n"
    assert exchange(redis_server.port, b"PING\r\n").startswith(b"-NOAUTH")


def test_it_listens_on_loopback_alone(redis_server: Redis) -> None:
    check_loopback(redis_server.processes(), redis_server.port)


def test_it_forgets_on_request_one_database_or_all(redis_server: Redis) -> None:
    for database in (1, 2):
        redis_server.command("SET", "key", "value", database=database)
    redis_server.flush(1)
    assert [redis_server.command("EXISTS", "key", database=each) for each in (1, 2)] == ["0", "1"]
    redis_server.flush()
    assert redis_server.command("EXISTS", "key", database=2) == "0"


def test_a_restart_forgets_everything(redis_server: Redis) -> None:
    redis_server.command("SET", "key", "value")
    redis_server.restart()
    assert redis_server.command("GET", "key") == ""
    assert list(redis_server.folder.glob("*.rdb")) == []


def test_a_command_that_is_refused_is_an_error(redis_server: Redis) -> None:
    with pytest.raises(ServerFailed, match="unknown command"):
        redis_server.command("NONSENSE")
