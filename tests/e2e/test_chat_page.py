"""The page as it is built, from the real server: all that it names is there, and may be loaded."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.support.fixtures import StartServer
from tests.support.server import WAIT_SECONDS, Server

pytestmark = pytest.mark.usefixtures("built_page")

_open = build_opener(ProxyHandler({})).open


@contextmanager
def _get(server: Server, path: str, **headers: str) -> Iterator[tuple[int, Message, bytes]]:
    try:
        answer: HTTPResponse = _open(
            Request(server.url + path, headers=headers), timeout=WAIT_SECONDS
        )
    except HTTPError as error:
        with error:
            yield error.code, error.headers, error.read()
    else:
        with answer:
            yield answer.status, answer.headers, answer.read()


def _assets(html: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', html)


@pytest.fixture(params=[True, False], ids=["demo", "no demo"])
def server(request: pytest.FixtureRequest, start_server: StartServer) -> Server:
    """Started after the page was built: a server lists the files when it starts."""
    return start_server(demo=request.param)


def test_the_page_is_served_with_its_policy(server: Server) -> None:
    with _get(server, "/") as (status, headers, body):
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert headers["Cache-Control"] == "no-cache"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert b"<title>Allibe</title>" in body


def test_it_asks_for_nothing_that_its_policy_forbids(server: Server) -> None:
    """It works without the internet, and has no script or style of its own between its lines."""
    html = server.get("/")
    assert not re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", html))
    assert all(path.startswith("/assets/") for path in _assets(html))


def test_all_that_it_names_is_there_and_kept_for_good(server: Server) -> None:
    assets = _assets(server.get("/"))
    kinds = set()
    for path in assets:
        with _get(server, path) as (status, headers, body):
            assert (status, bool(body)) == (200, True)
            assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
            kinds.add(headers.get_content_type())
        with _get(server, path, **{"Accept-Encoding": "gzip"}) as (status, headers, packed):
            assert (status, headers["Content-Encoding"]) == (200, "gzip")
            assert gzip.decompress(packed) == body
    assert kinds == {"text/javascript", "text/css", "image/svg+xml"}


def test_the_users_to_try_it_with_are_the_demos(server: Server) -> None:
    """So the page can tell a demo from a server whose tokens come from elsewhere."""
    with _get(server, "/api/demo/users") as (status, _, _):
        assert status == (200 if server.demo else 404)
    with _get(server, "/api/demo/users", Host="evil.example") as (status, _, _):
        assert status == (400 if server.demo else 404)
