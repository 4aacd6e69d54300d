"""Clients that connect and say nothing, or say it too slowly: they hold nothing for long.

The server runs in this process, as `allibe serve` starts it, but with limits that a test can wait
for.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession

from allibe_services.auth import TokenSigner
from allibe_services.settings import Settings
from allibe_services.store.migrate import migrate
from allibe_standalone import listening, processes
from tests.support.server import SECRET, WAIT_SECONDS, free_port
from tests.support.stomp_client import raw

LIMIT = 0.3
"""Seconds for the head of a first request."""

LONG_AFTER = 3 * LIMIT

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Run a server that waits `LIMIT` for a first request and longer for further ones."""
    monkeypatch.setattr(listening, "HEAD_SECONDS", LIMIT)
    async with serving(tmp_path) as port:
        yield port


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[int]:
    """Give the port of a server that runs in this process."""
    url = f"sqlite:///{folder}/allibe.db"
    migrate(url)
    settings = Settings(port=free_port(), ops_port=0, database_url=url, jwt_secret=SECRET)
    listening = asyncio.Event()

    def ready(url: str) -> str:
        listening.set()
        return url

    server = asyncio.create_task(processes.serve(settings, ready=ready))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await listening.wait()
        yield settings.port
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def head(method: str, path: str, *headers: str) -> bytes:
    """Return the head of a request of alice."""
    token = TokenSigner("HS256", SECRET).sign("alice", ttl=60)
    lines = (f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: {token}", *headers, "", "")
    return "\r\n".join(lines).encode()


async def answer(reader: asyncio.StreamReader) -> int:
    """Read one answer; return its status."""
    async with asyncio.timeout(WAIT_SECONDS):
        text = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = text.partition("content-length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))
    return int(text.split()[1])


async def seconds_until_closed(reader: asyncio.StreamReader) -> float:
    """Read until the server closes, which it does without a word; return how long that took."""
    now = asyncio.get_running_loop().time
    started = now()
    async with asyncio.timeout(WAIT_SECONDS):
        # A reset where bytes were under way to it.
        with suppress(ConnectionError):
            assert await reader.read() == b""
    return now() - started


async def send_slowly(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    """Send a byte now and then, until the connection is gone."""
    for byte in chunk:
        if writer.is_closing():
            return
        writer.write(bytes([byte]))
        await asyncio.sleep(LIMIT / 10)


async def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    async with connected(port) as (reader, _):
        assert await seconds_until_closed(reader) >= 0.9 * LIMIT


async def test_a_head_that_comes_byte_by_byte_is_cut_off(port: int) -> None:
    """The limit is for the whole head: no byte of it buys more time."""
    async with connected(port) as (reader, writer):
        sending = asyncio.create_task(send_slowly(writer, head("GET", "/api/chat/rooms") * 10))
        await seconds_until_closed(reader)
        sending.cancel()


async def test_silent_connections_do_not_keep_others_from_being_answered(port: int) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
    async with connected(port) as (reader, writer):
        writer.write(head("GET", "/api/chat/rooms"))
        assert await answer(reader) == 200
        await asyncio.gather(*(seconds_until_closed(reader) for reader, _ in silent))
        writer.write(head("GET", "/api/chat/rooms"))
        assert await answer(reader) == 200
    for _, other in silent:
        other.close()


async def test_a_request_whose_body_is_still_to_come_is_left_alone(port: int) -> None:
    body = json.dumps({"name": "late"}).encode()
    headers = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    async with connected(port) as (reader, writer):
        writer.write(head("POST", "/api/chat/rooms", *headers))
        await asyncio.sleep(LONG_AFTER)
        writer.write(body)
        assert await answer(reader) == 201


async def test_a_connection_that_has_asked_once_may_wait_longer_before_it_asks_again(
    port: int,
) -> None:
    async with connected(port) as (reader, writer):
        for _ in range(2):
            writer.write(head("GET", "/api/chat/rooms"))
            assert await answer(reader) == 200
            await asyncio.sleep(LONG_AFTER)


async def test_websockets_are_left_alone(port: int) -> None:
    token = TokenSigner("HS256", SECRET).sign("alice", ttl=60)
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{port}/allibe-ws"
        async with session.ws_connect(url, protocols=["v12.stomp"]) as socket:
            await asyncio.sleep(LONG_AFTER)
            await socket.send_str(raw("CONNECT", "accept-version:1.2", f"Authorization:{token}"))
            assert "CONNECTED" in await socket.receive_str(timeout=WAIT_SECONDS)


async def test_a_connection_that_asks_no_more_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it spends the time: the beginning of another request buys none either."""
    monkeypatch.setattr(listening, "KEEP_ALIVE_SECONDS", LIMIT)
    async with serving(tmp_path) as port, connected(port) as (reader, writer):
        writer.write(head("GET", "/api/chat/rooms"))
        assert await answer(reader) == 200
        sending = asyncio.create_task(send_slowly(writer, head("GET", "/api/chat/rooms") * 10))
        await seconds_until_closed(reader)
        sending.cancel()
