"""The page is served as browsers and caches need it, and nothing but the page is."""

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from allibe_rooms_api import chat_page
from tests.support.server import eventually
from tests.unit.rooms_api.slow_reader import little_listener, reading_nothing

SCRIPT = "/assets/index-DIr6LRNS.js"
HTML, JAVASCRIPT, ICON = b"<!doctype html><p>\xed\x95\x9c", b"export {};\n" * 100, b"<svg/>"

Client = TestClient[Any, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A built page, beside a file that is none of it."""
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_bytes(HTML)
    (page / "favicon.svg").write_bytes(ICON)
    (page / SCRIPT[1:]).write_bytes(JAVASCRIPT)
    (page / f"{SCRIPT[1:]}.gz").write_bytes(gzip.compress(JAVASCRIPT))
    (tmp_path / "secret.txt").write_text("secret")
    return page


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Client]:
    app = web.Application()
    chat_page.setup(app, folder=folder)
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[Client]:
    async with served(folder) as client:
        yield client


def assert_guarded(answer: ClientResponse) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert policy.endswith("; frame-ancestors 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


class TestPage:
    async def test_it_is_html_and_asked_for_anew_each_time(self, client: Client) -> None:
        async with client.get("/?room=1") as answer:
            assert (answer.status, await answer.read()) == (200, HTML)
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert answer.headers["Cache-Control"] == "no-cache"
            assert_guarded(answer)

    async def test_it_comes_in_full_however_fresh_the_browsers_copy_looks(
        self, client: Client
    ) -> None:
        """Two builds can have the same size and time, and name other scripts."""
        known = {"If-None-Match": "*", "If-Modified-Since": "Wed, 01 Jan 2098 00:00:00 GMT"}
        async with client.get("/", headers=known) as answer:
            assert (answer.status, await answer.read()) == (200, HTML)

    async def test_a_head_request_gets_the_headers_only(self, client: Client) -> None:
        async with client.head("/") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
            assert answer.headers["Content-Length"] == str(len(HTML))
            assert_guarded(answer)

    async def test_it_has_one_address(self, client: Client) -> None:
        async with client.get("/index.html") as answer:
            assert answer.status == 404

    async def test_without_its_files_one_line_says_what_it_needs(self, tmp_path: Path) -> None:
        async with served(tmp_path / "nowhere") as client:
            async with client.get("/") as answer:
                assert (answer.status, answer.content_type) == (503, "text/plain")
                (line,) = (await answer.text()).splitlines()
                assert "Node 20.19" in line
                assert "make page" in line
                assert answer.headers["Cache-Control"] == "no-store"
                assert_guarded(answer)
            async with client.head("/") as answer:
                assert answer.status == 503
            async with client.get(SCRIPT) as answer:
                assert answer.status == 404

    async def test_half_a_build_is_no_page(self, folder: Path) -> None:
        (folder / "index.html").unlink()
        async with served(folder) as client, client.get("/") as answer:
            assert answer.status == 503


class TestFiles:
    async def test_a_file_with_a_hash_in_its_name_is_kept_for_good(self, client: Client) -> None:
        async with client.get(SCRIPT, headers={"Accept-Encoding": "identity"}) as answer:
            assert (answer.status, await answer.read()) == (200, JAVASCRIPT)
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert "Content-Encoding" not in answer.headers
            assert_guarded(answer)

    async def test_any_other_is_asked_for_anew(self, client: Client) -> None:
        async with client.get("/favicon.svg") as answer:
            assert (answer.status, await answer.read()) == (200, ICON)
            assert answer.headers["Content-Type"] == "image/svg+xml"
            assert answer.headers["Cache-Control"] == "no-cache"
            tag = answer.headers["ETag"]
        async with client.get("/favicon.svg", headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")

    async def test_the_compressed_one_beside_it_is_taken_where_it_is_accepted(
        self, client: Client
    ) -> None:
        async with client.get(SCRIPT, headers={"Accept-Encoding": "br, gzip"}) as answer:
            assert gzip.decompress(await answer.read()) == JAVASCRIPT
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert_guarded(answer)

    async def test_a_head_request_gets_the_headers_only(self, client: Client) -> None:
        async with client.head(SCRIPT, headers={"Accept-Encoding": "identity"}) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
            assert answer.headers["Content-Length"] == str(len(JAVASCRIPT))

    async def test_other_methods_are_refused(self, client: Client) -> None:
        async with client.post(SCRIPT) as answer:
            assert answer.status == 405

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("style.css", "text/css"),
            ("app.webmanifest", "application/manifest+json"),
            ("font.woff2", "font/woff2"),
            ("something", "application/octet-stream"),
        ],
    )
    async def test_what_it_is_does_not_depend_on_the_machine(
        self, folder: Path, name: str, kind: str
    ) -> None:
        """With `nosniff` a browser takes no style that is not called one."""
        (folder / name).touch()
        async with served(folder) as client, client.get(f"/{name}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)

    async def test_that_one_is_gone_since_the_start_is_kept_by_no_cache(
        self, client: Client, folder: Path
    ) -> None:
        """Its name stands for good: a year of "not found" would outlast the next build."""
        (folder / SCRIPT[1:]).unlink()
        (folder / f"{SCRIPT[1:]}.gz").unlink()
        async with client.get(SCRIPT) as answer:
            assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store")


class TestNothingElse:
    @pytest.mark.parametrize(
        "path",
        [
            "/assets",
            "/assets/",
            "/nope",
            "/rooms/1",
            f"{SCRIPT}.gz",
            f"/{SCRIPT}",
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/assets/../../secret.txt",
            "/assets/..%2f..%2fsecret.txt",
            "/assets/%2e%2e/%2e%2e/secret.txt",
            "/assets/..\\..\\secret.txt",
            "/assets%00/../secret.txt",
            "//etc/passwd",
            "/link.txt",
            "/linked/secret.txt",
            "/.hidden",
            "/.vite/manifest.json",
        ],
    )
    async def test_is_found(self, folder: Path, path: str) -> None:
        """The request goes out as it stands here: a client would tidy its path up."""
        (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
        (folder / "linked").symlink_to(folder.parent, target_is_directory=True)
        (folder / ".hidden").write_text("secret")
        (folder / ".vite").mkdir()
        (folder / ".vite" / "manifest.json").write_text("secret")
        async with served(folder) as client:
            reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
        # 400: aiohttp takes some of these for no path at all.
        assert answer.split()[1] in (b"404", b"400"), answer
        assert b"secret" not in answer.partition(b"\r\n\r\n")[2]


async def test_the_connection_of_who_never_reads_a_file_ends(folder: Path) -> None:
    """Else a stranger could hold as many files and connections as he likes (I7)."""
    (folder / SCRIPT[1:]).write_bytes(bytes(1_000_000))
    app = web.Application()
    chat_page.setup(app, folder=folder, send_limit=0.1)
    with capture_logs() as logs:
        async with TestServer(app, socket_factory=little_listener) as server:
            assert server.port is not None
            head = f"GET {SCRIPT} HTTP/1.1\r\nHost: x\r\n\r\n"
            async with reading_nothing(server.port, head):
                await asyncio.to_thread(eventually, lambda: bool(logs), "a connection is ended")
            await asyncio.to_thread(
                eventually, lambda: not server.handler.connections, "it is gone"
            )
    assert [(one["event"], one["route"]) for one in logs] == [("answer_not_read", f"GET {SCRIPT}")]


async def test_who_leaves_while_a_file_is_sent_is_no_error(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / SCRIPT[1:]).write_bytes(bytes(1_000_000))
    app = web.Application()
    chat_page.setup(app, folder=folder)
    with capture_logs() as logs:
        async with TestServer(app, socket_factory=little_listener) as server:
            assert server.port is not None
            head = f"GET {SCRIPT} HTTP/1.1\r\nHost: x\r\n\r\n"
            async with reading_nothing(server.port, head) as asking:
                await asyncio.get_running_loop().sock_recv(asking, 1)
            await asyncio.to_thread(
                eventually, lambda: not server.handler.connections, "it is gone"
            )
    assert logs == []
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
