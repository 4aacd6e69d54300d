"""`takeover`: after the handshake a WebSocket is its gateway's alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from tests.integration.gateway import Site, frame, running, token
from tests.integration.test_gateway_lifetime import HANDSHAKE, RawClient, masked
from tests.support.until import until


async def test_an_open_connection_has_no_task_of_anybodys(site: Site) -> None:
    """Nor has aiohttp one: each would be kilobytes for who says nothing."""
    clients = [RawClient(site) for _ in range(5)]
    before = len(asyncio.all_tasks())
    for one in clients:
        await one.open("bob")
    await until(lambda: len(asyncio.all_tasks()) == before)
    for one in clients:
        one.socket.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_what_comes_right_behind_a_handshake_is_read(
    tmp_path: Path, run: Callable[..., None]
) -> None:
    """Also more than aiohttp keeps without a pause of its own."""
    for name, more in (("little", b""), ("much", masked(b"\n" * 60_000) * 10)):
        (tmp_path / name).mkdir()
        run(_speak_early(tmp_path / name, more))


async def _speak_early(folder: Path, more: bytes) -> None:
    async with running(folder) as site:
        client = RawClient(site)
        connect = frame("CONNECT", accept_version="1.2", Authorization=token("bob"))
        await client.reach(HANDSHAKE + masked(connect.encode()) + more + masked(b"no frame\n\n\0"))
        await client.until(b"CONNECTED")
        await client.rest()
        client.socket.close()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_what_is_open_when_the_gateway_ends_is_dropped(
    tmp_path: Path, run: Callable[..., None]
) -> None:
    """aiohttp would have done so; it no longer knows of it."""
    run(_leave_open(tmp_path))


async def _leave_open(folder: Path) -> None:
    async with running(folder) as site:
        client = RawClient(site)
        await client.open("bob")
        gateway = site.gateway
    assert not gateway._connections
    assert await client.rest() == b""
    client.socket.close()
