"""The proxy does to connections what it says, and nothing before or after."""

import gc
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.support.server import eventually
from tests.support.tcp_proxy import TcpProxy

SHORT = 0.2
"""Seconds in which what is going to arrive would have arrived."""


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it gets; keeps what it got, read by read."""

    reads: list[bytes]

    def handle(self) -> None:
        try:
            while data := self.request.recv(65_536):
                self.reads.append(data)
                self.request.sendall(data)
        except ConnectionResetError:
            self.reads.append(b"reset")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the server read, in order, and `reset`."""
    reads: list[bytes] = []
    monkeypatch.setattr(Echo, "reads", reads, raising=False)
    return reads


@pytest.fixture
def proxy(reads: list[bytes]) -> Iterator[TcpProxy]:
    """A proxy in front of a server that echoes."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with TcpProxy(server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()
        thread.join()


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    """A connection through the proxy, which has been used."""
    with closing(connect(proxy)) as client:
        assert echo(client, b"hello") == b"hello"
        yield client


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def echo(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return read(client, len(data))


def read(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := client.recv(size - len(data))):
        data += more
    return data


def is_silent(client: socket.socket) -> bool:
    client.settimeout(SHORT)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(10)
    return False


def test_it_forwards_both_ways(client: socket.socket) -> None:
    big = bytes(range(256)) * 4096
    sending = threading.Thread(target=client.sendall, args=(big,))
    sending.start()
    assert read(client, len(big)) == big
    sending.join()


def test_an_end_is_forwarded_after_what_was_sent_before(client: socket.socket) -> None:
    client.sendall(b"last")
    client.shutdown(socket.SHUT_WR)
    assert read(client, 100) == b"last"


def test_many_connections_are_kept_apart(proxy: TcpProxy) -> None:
    clients = [connect(proxy) for _ in range(20)]
    for number, client in enumerate(clients):
        client.sendall(b"%03d" % number)
    assert [read(client, 3) for client in clients] == [b"%03d" % n for n in range(20)]
    assert proxy.connections == 20
    for client in clients:
        client.close()


def test_a_stalled_network_takes_bytes_and_delivers_them_when_healed(
    proxy: TcpProxy, client: socket.socket, reads: list[bytes]
) -> None:
    proxy.stall()
    client.sendall(b"later")
    assert is_silent(client)
    assert reads == [b"hello"]
    proxy.heal()
    assert read(client, 5) == b"later"


def test_a_stalled_network_takes_connections_too(proxy: TcpProxy) -> None:
    proxy.stall()
    with closing(connect(proxy)) as client:
        client.sendall(b"hello")
        assert is_silent(client)
        proxy.heal()
        assert read(client, 5) == b"hello"


def test_a_stalled_network_hides_that_the_other_side_is_gone(
    proxy: TcpProxy, client: socket.socket, reads: list[bytes]
) -> None:
    proxy.stall()
    client.close()
    time.sleep(SHORT)
    assert reads == [b"hello"]
    assert proxy.connections == 1
    proxy.heal()
    eventually(lambda: proxy.connections == 0, "the connection is gone")


def test_a_cut_resets_both_sides(
    proxy: TcpProxy, client: socket.socket, reads: list[bytes]
) -> None:
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    eventually(lambda: reads == [b"hello", b"reset"], "the server saw a reset")
    assert proxy.connections == 0


def test_a_cut_drops_what_a_stall_held(
    proxy: TcpProxy, client: socket.socket, reads: list[bytes]
) -> None:
    proxy.stall()
    client.sendall(b"lost")
    proxy.cut()
    proxy.heal()
    eventually(lambda: reads == [b"hello", b"reset"], "the server saw a reset")


def test_connections_are_refused_until_it_is_healed(proxy: TcpProxy) -> None:
    proxy.cut()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
    proxy.heal()
    with closing(connect(proxy)) as client:
        assert echo(client, b"hello") == b"hello"


def test_a_slow_network_trickles(proxy: TcpProxy, client: socket.socket) -> None:
    """Both ways: what is echoed is on the way twice, but at the same time."""
    proxy.slow(1000)
    began = time.monotonic()
    assert echo(client, bytes(800)) == bytes(800)
    assert 0.7 < time.monotonic() - began < 10
    proxy.heal()
    began = time.monotonic()
    assert echo(client, bytes(800)) == bytes(800)
    assert time.monotonic() - began < 0.7


def test_a_distant_network_takes_its_time_but_loses_no_throughput(
    proxy: TcpProxy, client: socket.socket
) -> None:
    """Ten messages at once come back after one round trip, not after ten."""
    proxy.delay(0.15)
    began = time.monotonic()
    for _ in range(10):
        client.sendall(b"0123456789")
        time.sleep(0.01)
    assert read(client, 100) == b"0123456789" * 10
    assert 0.3 < time.monotonic() - began < 1.5


def test_healing_ends_a_delay_that_runs(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay(60)
    client.sendall(b"hello")
    assert is_silent(client)
    proxy.heal()
    assert read(client, 5) == b"hello"


def test_sliced_bytes_arrive_in_many_reads(
    proxy: TcpProxy, client: socket.socket, reads: list[bytes]
) -> None:
    proxy.slice(1)
    assert echo(client, b"x" * 200) == b"x" * 200
    assert len(reads) > 20


def test_faults_add_up(proxy: TcpProxy, client: socket.socket, reads: list[bytes]) -> None:
    proxy.slice(3)
    proxy.slow(600)
    assert echo(client, b"x" * 90) == b"x" * 90
    assert len(reads) > 10


def test_a_target_that_is_not_there_is_a_reset() -> None:
    """It may come as early as the connection itself."""
    with (
        TcpProxy(1) as proxy,
        pytest.raises(ConnectionResetError),
        closing(connect(proxy)) as client,
    ):
        client.recv(1)


def test_its_port_is_free_at_the_end() -> None:
    with TcpProxy(1) as proxy:
        port = proxy.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


def test_no_socket_is_left_when_it_is_cut_while_clients_connect(proxy: TcpProxy) -> None:
    """A socket that nobody closes is a ResourceWarning, and those are errors here."""
    ended = threading.Event()
    knocking = [threading.Thread(target=_knock, args=(proxy, ended)) for _ in range(4)]
    for thread in knocking:
        thread.start()
    for _ in range(100):
        proxy.cut()
        proxy.heal()
    ended.set()
    for thread in knocking:
        thread.join()
    gc.collect()
    eventually(lambda: proxy.connections == 0, "all connections have ended")


def _knock(proxy: TcpProxy, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(OSError), closing(connect(proxy)) as client:
            echo(client, b"hello")
