"""A private HAProxy serves a configuration of ours, and takes another without a pause."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from deploy.cluster.servers import HAProxy, ServerFailed
from tests.integration.private_servers.looks import check_loopback, mentions

CONFIGURATION = """
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend main
    bind "127.0.0.1:${PORT}"
    http-response set-header X-Version "1"
    default_backend servers
backend servers
    server one "${BACKEND}"
"""

_open = build_opener(ProxyHandler({})).open


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def backend() -> Iterator[str]:
    """The address of a server that says hello."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def haproxy(tmp_path: Path, backend: str) -> Iterator[HAProxy]:
    with HAProxy(tmp_path / "haproxy", CONFIGURATION, values={"BACKEND": backend}) as haproxy:
        yield haproxy


def test_it_forwards_requests(haproxy: HAProxy) -> None:
    assert _get(haproxy) == ("hello", "1")


def test_it_listens_on_loopback_alone(haproxy: HAProxy) -> None:
    check_loopback(haproxy.processes(), haproxy.port)


def test_it_starts_again_after_a_kill_and_a_stop(haproxy: HAProxy) -> None:
    for end in (haproxy.kill, haproxy.stop):
        end()
        assert mentions(haproxy.folder) == []
        haproxy.start()
        assert _get(haproxy) == ("hello", "1")


def test_a_frozen_one_answers_after_the_thaw(haproxy: HAProxy) -> None:
    haproxy.freeze()
    with pytest.raises(TimeoutError):
        _get(haproxy, timeout=0.3)
    haproxy.thaw()
    assert _get(haproxy) == ("hello", "1")


def test_another_configuration_is_taken_while_requests_go_on(haproxy: HAProxy) -> None:
    stop = threading.Event()
    answers: list[tuple[str, str]] = []

    def ask() -> None:
        while not stop.is_set():
            answers.append(_get(haproxy))

    asking = threading.Thread(target=ask)
    asking.start()
    haproxy.reload(CONFIGURATION.replace('"1"', '"2"'))
    deadline = time.monotonic() + 10
    while ("hello", "2") not in answers and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    asking.join()
    assert set(answers) <= {("hello", "1"), ("hello", "2")}
    assert answers[-1] == ("hello", "2")


def test_a_faulty_configuration_changes_nothing(haproxy: HAProxy) -> None:
    with pytest.raises(ServerFailed, match="unknown keyword 'nonsense'"):
        haproxy.reload(CONFIGURATION + "    nonsense\n")
    assert _get(haproxy) == ("hello", "1")
    haproxy.restart()
    assert _get(haproxy) == ("hello", "1")


def test_a_faulty_configuration_does_not_start(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match="unknown keyword 'nonsense'"),
        HAProxy(tmp_path / "haproxy", "nonsense\n"),
    ):
        pass


def _get(haproxy: HAProxy, *, timeout: float = 10) -> tuple[str, str]:
    """Return what comes from behind, and the version of the configuration."""
    with _open(haproxy.url, timeout=timeout) as answer:
        return answer.read().decode(), answer.headers["X-Version"]
