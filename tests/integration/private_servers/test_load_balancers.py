"""Private load balancers serve a configuration of ours, and take another without a pause."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from deploy.cluster.servers import HAProxy, Nginx, ServerFailed
from deploy.cluster.servers.load_balancer import LoadBalancer
from tests.integration.private_servers.looks import check_loopback, mentions

HAPROXY = """
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

NGINX = """
pid nginx.pid;
error_log stderr notice;
events {}
http {
    access_log off;
    proxy_temp_path proxy.temp;
    client_body_temp_path body.temp;
    fastcgi_temp_path fastcgi.temp;
    uwsgi_temp_path uwsgi.temp;
    scgi_temp_path scgi.temp;
    server {
        listen 127.0.0.1:${PORT};
        add_header X-Version "1";
        location / { proxy_pass http://${BACKEND}; }
    }
}
"""

KINDS: dict[str, tuple[type[LoadBalancer], str, str]] = {
    "HAProxy": (HAProxy, HAPROXY, "unknown keyword 'nonsense"),
    "nginx": (Nginx, NGINX, 'unknown directive "nonsense"'),
}
"""A small configuration of each, and what it says of one that makes no sense."""

LAST = 50
"""Answers in a row that say that nobody else answers any more."""

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


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def balancer(tmp_path: Path, backend: str, kind: str) -> Iterator[LoadBalancer]:
    program, configuration, _ = KINDS[kind]
    with program(tmp_path / "folder", configuration, values={"BACKEND": backend}) as balancer:
        yield balancer


def test_it_forwards_requests(balancer: LoadBalancer) -> None:
    assert _get(balancer) == ("hello", "1")


def test_it_listens_on_loopback_alone(balancer: LoadBalancer) -> None:
    check_loopback(balancer.processes(), balancer.port)


def test_it_starts_again_after_a_kill_and_a_stop(balancer: LoadBalancer) -> None:
    for end in (balancer.kill, balancer.stop):
        end()
        assert mentions(balancer.folder) == []
        balancer.start()
        assert _get(balancer) == ("hello", "1")


def test_a_frozen_one_answers_after_the_thaw(balancer: LoadBalancer) -> None:
    balancer.freeze()
    with pytest.raises(TimeoutError):
        _get(balancer, timeout=0.3)
    balancer.thaw()
    assert _get(balancer) == ("hello", "1")


def test_another_configuration_is_taken_while_requests_go_on(balancer: LoadBalancer) -> None:
    stop = threading.Event()
    answers: list[tuple[str, str]] = []

    def ask() -> None:
        while not stop.is_set():
            answers.append(_get(balancer))

    asking = threading.Thread(target=ask)
    asking.start()
    balancer.reload(balancer.configuration.replace('"1"', '"2"'))
    # nginx starts the new processes before it tells the old ones to go: they take turns at first.
    deadline = time.monotonic() + 10
    while set(answers[-LAST:]) != {("hello", "2")} and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    asking.join()
    assert set(answers) == {("hello", "1"), ("hello", "2")}
    assert set(answers[-LAST:]) == {("hello", "2")}


def test_a_faulty_configuration_changes_nothing(balancer: LoadBalancer, kind: str) -> None:
    with pytest.raises(ServerFailed, match=KINDS[kind][2]):
        balancer.reload(balancer.configuration + "nonsense;\n")
    assert _get(balancer) == ("hello", "1")
    balancer.restart()
    assert _get(balancer) == ("hello", "1")


def test_a_faulty_configuration_does_not_start(tmp_path: Path, kind: str) -> None:
    program, _, complaint = KINDS[kind]
    with pytest.raises(ServerFailed, match=complaint), program(tmp_path / "folder", "nonsense;\n"):
        pass


def _get(balancer: LoadBalancer, *, timeout: float = 10) -> tuple[str, str]:
    """Return what comes from behind, and the version of the configuration."""
    with _open(balancer.url, timeout=timeout) as answer:
        return answer.read().decode(), answer.headers["X-Version"]
