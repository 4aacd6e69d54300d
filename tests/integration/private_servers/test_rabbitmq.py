"""A private RabbitMQ speaks AMQP, keeps its data, and does what tests need."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from deploy.cluster.servers import RabbitMQ, ServerFailed
from tests.integration.private_servers.looks import check_loopback, exchange, mentions

HEADER = b"AMQP\x00\x00\x09\x01"
"""AMQP 0-9-1, 4.2.2; what comes back is a method frame: Connection.Start."""

START = b"\x01\x00\x00"


def test_it_answers_over_its_protocol(rabbitmq: RabbitMQ) -> None:
    assert exchange(rabbitmq.port, HEADER).startswith(START)


def test_it_and_its_port_mapper_listen_on_loopback_alone(rabbitmq: RabbitMQ) -> None:
    check_loopback(rabbitmq.processes(), rabbitmq.port, rabbitmq.distribution_port)
    check_loopback(rabbitmq.epmd.processes(), rabbitmq.epmd.port)


def test_virtual_hosts_come_and_go(rabbitmq: RabbitMQ) -> None:
    url = rabbitmq.add_vhost("mine")
    assert rabbitmq.add_vhost("mine") == url
    assert url.endswith(f"@127.0.0.1:{rabbitmq.port}/mine")
    assert rabbitmq.url().endswith(f"@127.0.0.1:{rabbitmq.port}/%2F")
    assert '<<"mine">>' in rabbitmq.eval("rabbit_vhost:list_names()")
    rabbitmq.delete_vhost("mine")
    assert '<<"mine">>' not in rabbitmq.eval("rabbit_vhost:list_names()")


def test_names_that_would_need_quotes_are_refused(rabbitmq: RabbitMQ) -> None:
    with pytest.raises(ValueError, match="not a name for RabbitMQ"):
        rabbitmq.add_vhost('x">>')


def test_control_commands_are_quick(rabbitmq: RabbitMQ) -> None:
    """rabbitmqctl takes half a second and more for each; these are milliseconds."""
    began = time.monotonic()
    for number in range(20):
        assert rabbitmq.eval(f"{number} + 1") == str(number + 1)
    assert time.monotonic() - began < 4


def test_control_commands_may_be_given_by_several_at_once(rabbitmq: RabbitMQ) -> None:
    with ThreadPoolExecutor(4) as threads:
        results = threads.map(lambda number: rabbitmq.eval(f"{number} + 1"), range(40))
        assert list(results) == [str(number + 1) for number in range(40)]


def test_what_goes_wrong_on_the_node_is_told(rabbitmq: RabbitMQ) -> None:
    with pytest.raises(ServerFailed, match="undef"):
        rabbitmq.eval("no_such:thing()")
    with pytest.raises(ServerFailed, match="is it Erlang"):
        rabbitmq.eval("1 +")


def test_the_memory_alarm_is_raised_and_lifted(rabbitmq: RabbitMQ) -> None:
    rabbitmq.set_memory_alarm(True)
    assert "memory" in rabbitmq.eval("rabbit_alarm:get_alarms()")
    rabbitmq.set_memory_alarm(False)
    assert rabbitmq.eval("rabbit_alarm:get_alarms()") == "[]"


def test_all_connections_are_closed(rabbitmq: RabbitMQ) -> None:
    """A connection counts once it has logged in: the shortest dialogue that does."""
    with closing(_log_in(rabbitmq)) as connection:
        assert rabbitmq.eval("length(rabbit_networking:connections_local())") == "1"
        rabbitmq.close_all_connections()
        assert b"CONNECTION_FORCED - closed by the operator" in connection.recv(4096)


def test_a_frozen_one_takes_connections_and_answers_after_the_thaw(rabbitmq: RabbitMQ) -> None:
    rabbitmq.freeze()
    with pytest.raises(TimeoutError):
        exchange(rabbitmq.port, HEADER, timeout=0.5)
    rabbitmq.thaw()
    assert exchange(rabbitmq.port, HEADER).startswith(START)


def test_data_survive_a_kill_which_leaves_no_process(rabbitmq: RabbitMQ, amqp_url: str) -> None:
    """A stop and a start are in the test of the cluster: each start takes 4 s."""
    rabbitmq.kill()
    assert mentions(rabbitmq.folder) == []
    rabbitmq.start()
    assert f'<<"{amqp_url.rpartition("/")[2]}">>' in rabbitmq.eval("rabbit_vhost:list_names()")


def _log_in(server: RabbitMQ) -> socket.socket:
    """Connection.Start-Ok, Tune-Ok and Open, as AMQP 0-9-1 has them."""
    user, password = server.url().removeprefix("amqp://").partition("@")[0].split(":")
    plain = f"\0{user}\0{password}".encode()
    start_ok = bytes(4) + b"\x05PLAIN" + len(plain).to_bytes(4, "big") + plain + b"\x05en_US"
    tune_ok = (2047).to_bytes(2, "big") + (131_072).to_bytes(4, "big") + bytes(2)
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(HEADER)
    connection.recv(4096)
    connection.sendall(_method(11, start_ok))
    connection.recv(4096)
    connection.sendall(_method(31, tune_ok) + _method(40, b"\x01/\x00\x00"))
    assert b"\x00\x0a\x00\x29" in connection.recv(4096)  # Open-Ok
    return connection


def _method(number: int, arguments: bytes) -> bytes:
    """Return a frame with a method of the class Connection."""
    method = b"\x00\x0a\x00" + bytes([number]) + arguments
    return b"\x01\x00\x00" + len(method).to_bytes(4, "big") + method + b"\xce"
