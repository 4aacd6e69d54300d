"""A thousand clients that never read: what they cost the gateway, and those who do read."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import quantiles
from typing import Any

import pytest

from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.raw_socket import RawWebSocket
from tests.support.server import Server
from tests.support.stalls import noting_stalls
from tests.support.stomp_client import StompClient, raw

MEBIBYTE = 1 << 20
SLOW = 1000
BOUND = 32 * MEBIBYTE
RESIDENT = 1.6
"""Resident bytes for each of the bound: what Python keeps around bytes objects, too."""

FAST: dict[str, Any] = {
    f"ALLIBE_LIMIT_{name}": "off"
    for name in (
        "USER_MESSAGES",
        "ROOM_MESSAGES",
        "USER_CONNECTIONS",
        "ADDRESS_CONNECTIONS",
        "UNSIGNED_CONNECTIONS",
        "NEW_CONNECTIONS",
    )
}
"""Settings: all come from one address, as one user, at once."""

ENDING = 32 * MEBIBYTE
"""For the closing of a thousand connections at once, and whatever else."""


@pytest.fixture(autouse=True)
def open_files() -> Iterator[None]:
    """Let this process, and the servers that it starts, open enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8 * SLOW), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def deaf(server: Server, room: str) -> AsyncIterator[list[RawWebSocket]]:
    """Subscribe so many that never read; each its own way, so that no two share their frames."""
    token = server.token("bob")
    connect = raw("CONNECT", "accept-version:1.2", "host:h", f"Authorization:{token}")
    async with AsyncExitStack() as stack:
        found = []
        for number in range(SLOW):
            one = RawWebSocket(server, "/allibe-ws", receive_buffer=4096)
            found.append(await stack.enter_async_context(one))
            await one.send(connect)
            await one.send(raw("SUBSCRIBE", f"id:{number}", f"destination:/topic/rooms/{room}"))
        async with asyncio.timeout(30):
            while server.metric("allibe_gateway_subscriptions") < SLOW:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield found


async def _say(speaker: StompClient, room: str, size: int) -> float:
    """Post so much and read it as a subscriber; return how long that took."""
    began = time.perf_counter()
    content = f"{began} ".ljust(size, "x")
    await speaker.post(room, content)
    assert (await speaker.body())["content"] == content
    return time.perf_counter() - began


async def test_they_hold_no_more_memory_than_all_together_may(
    start_server: StartServer, clients: Clients
) -> None:
    """I7. Unbounded they would hold half a gibibyte: the limit of each is not reached here. Who
    chats meanwhile misses nothing.
    """
    server = start_server(**FAST, ALLIBE_SLOW_CONSUMERS_BYTES=str(BOUND))
    room = await clients.api(server, "alice").new_room(None, "bob")
    alice = await clients.stomp(server, "alice")
    await alice.subscribe(f"/topic/rooms/{room}")
    async with deaf(server, room):
        before = peak = server.memory()
        for _ in range(60):
            await _say(alice, room, 8000)
            peak = max(peak, server.memory())
    print(f"\n{(peak - before) / MEBIBYTE:.0f} MiB more, where {BOUND // MEBIBYTE} may be unread")
    assert peak - before < RESIDENT * BOUND + ENDING
    code = str(disconnects.SLOW_CONSUMER.code)
    assert server.metric("allibe_gateway_disconnects_total", code=code) > SLOW / 2


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_who_reads_waits_no_longer_because_others_do_not(
    start_server: StartServer, clients: Clients
) -> None:
    """p99 from SEND to MESSAGE, beside 1,000 subscribers of the same room: while all their
    kernels still take what comes, while none does, and while they are being closed.
    """
    server = start_server(**FAST)
    room = await clients.api(server, "alice").new_room(None, "bob")
    alice = await clients.stomp(server, "alice")
    await alice.subscribe(f"/topic/rooms/{room}")
    times: dict[str, list[float]] = {}
    async with noting_stalls() as stalls:
        times["alone"] = [await _say(alice, room, 20) for _ in range(300)]
        async with deaf(server, room):
            times["beside readers"] = [await _say(alice, room, 20) for _ in range(80)]
            for _ in range(10):
                await _say(alice, room, 8000)
            times["beside slow ones"] = [await _say(alice, room, 20) for _ in range(300)]
            times["while they are closed"] = [await _say(alice, room, 2000) for _ in range(120)]
    print()
    p99 = {}
    for name, found in times.items():
        cuts = quantiles(found, n=100)
        p99[name] = cuts[98]
        print(f"{name}: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")
    ratio = p99["beside slow ones"] / p99["beside readers"]
    print(f"p99 with slow ones / without: {ratio:.2f}; our own stalls {stalls.longest:.3f} s")
    assert p99["beside slow ones"] < p99["beside readers"] + 2 * stalls.longest
    code = str(disconnects.SLOW_CONSUMER.code)
    assert server.metric("allibe_gateway_disconnects_total", code=code) > SLOW / 10
    assert p99["while they are closed"] < p99["beside readers"] + 2 * stalls.longest
