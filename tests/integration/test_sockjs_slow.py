"""SockJS clients that are slow on purpose: every wait has an end."""

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import pytest

from allibe_gateway.doors.sockjs import transports
from allibe_gateway.limits import Limits
from tests.integration.gateway import Site, running
from tests.integration.sockjs import SockJs
from tests.support.until import until

PLENTY = 1 << 30


async def ask(site: Site, head: str, **options: int) -> socket.socket:
    """Send the beginning of a request over a socket that the test reads, or does not."""
    host, port = site.url.removeprefix("http://").split(":")
    connected = socket.socket()
    for name, value in options.items():
        connected.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    connected.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connected, (host, int(port)))
    await loop.sock_sendall(connected, f"{head}\r\nHost: {host}:{port}\r\n".encode())
    return connected


async def test_who_does_not_read_what_streams_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much may be unsent."""
    monkeypatch.setattr(transports, "WRITE_SECONDS", 0.3)
    limits = Limits(sockjs_response_bytes=PLENTY, slow_consumer_bytes=PLENTY)
    async with running(tmp_path, limits=limits) as site:
        bob, alice = await site.stomp_user("bob"), SockJs(site, "xhr", "slow-session")
        await alice.connect()
        await alice.subscribe()
        head = "POST /allibe-ws/000/slow-session/xhr_streaming HTTP/1.1"
        with closing(await ask(site, head, SO_RCVBUF=4096)) as deaf:
            await asyncio.get_running_loop().sock_sendall(deaf, b"Content-Length: 0\r\n\r\n")
            async with asyncio.timeout(30):
                while not site.figure("disconnects_total", code="4409"):
                    await bob.post("x" * 8000)
                    await asyncio.sleep(0.001)
            await until(lambda: site.figure("connections", door="sockjs") == 0)


async def test_messages_that_do_not_arrive_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those of the next request are taken."""
    monkeypatch.setattr(transports, "BODY_SECONDS", 0.2)
    async with running(tmp_path) as site:
        alice = SockJs(site, "xhr", "slow-session")
        assert await alice.frame() == "o"
        head = "POST /allibe-ws/000/slow-session/xhr_send HTTP/1.1"
        loop = asyncio.get_running_loop()
        with closing(await ask(site, head)) as slow:
            await loop.sock_sendall(slow, b"Content-Length: 10\r\n\r\n[")
            answer = await asyncio.wait_for(loop.sock_recv(slow, 100), 10)
            assert answer.startswith(b"HTTP/1.1 408 ")
        await alice.send("\n")


async def test_a_body_that_is_cut_off_is_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        alice = SockJs(site, "xhr", "slow-session")
        assert await alice.frame() == "o"
        head = "POST /allibe-ws/000/slow-session/xhr_send HTTP/1.1"
        with closing(await ask(site, head)) as cut:
            await asyncio.get_running_loop().sock_sendall(cut, b"Content-Length: 10\r\n\r\n[")
        await alice.send("\n")
