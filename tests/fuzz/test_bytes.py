"""Random and mutated bytes at each door of a real process: it logs no fault, serves others, and its
memory stays bounded (I7).

    ALLIBE_FUZZ_SEED=3f9a12cc      the same bytes again (a failure prints its seed)
"""

import asyncio
import json
import os
import secrets
import time
from contextlib import suppress
from random import Random

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.fuzz import mutations
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.raw_socket import RawWebSocket
from tests.support.server import Server, eventually
from tests.support.stomp_client import raw

AT_ONCE = 8
"""Connections at the same time: what one breaks must not show at another."""

ANSWER_SECONDS = 0.05

MOST_GROWTH = 64 << 20
"""Bytes. What the connections of a second may hold is far less; what leaks is soon far more."""

DOORS = ("stomp", "json", "sockjs", "sockjs over HTTP")

VALID = {"stomp": mutations.STOMP, "json": mutations.JSON, "sockjs": mutations.SOCKJS}


class Fuzz:
    """Connections to one door that send what a seed says."""

    def __init__(self, server: Server, door: str, room: str, seed: str) -> None:
        self.connections = 0
        self._server, self._door, self._room = server, door, room
        self._random = Random(f"{seed} {door}")
        self._token = server.token("alice")

    async def for_seconds(self, seconds: float) -> None:
        """Open one connection after the other, `AT_ONCE` at a time."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await asyncio.gather(*(self._one(Random(self._seed())) for _ in range(AT_ONCE)))
            self.connections += AT_ONCE

    def _seed(self) -> int:
        return self._random.getrandbits(64)

    async def _one(self, random: Random) -> None:
        pieces = mutations.stream(random, VALID[self._door], self._room)
        with suppress(ConnectionError):  # it has closed, as it should
            async with RawWebSocket(self._server, self._path()) as client:
                if self._door != "json" and random.random() < 0.9:
                    connect = self._connect(random)
                    await client.send(connect if self._door == "stomp" else json.dumps([connect]))
                for piece in pieces:
                    await client.send_bytes(piece)
                    await asyncio.sleep(0)
                if random.random() < 0.5:  # others vanish before the first answer
                    with suppress(TimeoutError):  # there need not be one
                        async with asyncio.timeout(ANSWER_SECONDS):
                            await client.read()

    def _connect(self, random: Random) -> str:
        lines = ("accept-version:1.0,1.1,1.2", f"Authorization:{self._token}")
        soft = ("x-soft-errors:true",) if random.random() < 0.7 else ()
        return raw("CONNECT", *lines, *soft)

    def _path(self) -> str:
        if self._door == "stomp":
            return "/allibe-ws"
        if self._door == "sockjs":
            return "/allibe-ws/000/fuzz/websocket"
        return f"/ws/chat?roomId={self._room}&token={self._token}"


class HttpFuzz(Fuzz):
    """SockJS sessions: what is sent, in whatever order, and what receives meanwhile."""

    async def _one(self, random: Random) -> None:
        url = f"{self._server.url}/allibe-ws/000/fuzz-{random.getrandbits(64)}"
        timeout = ClientTimeout(total=ANSWER_SECONDS)
        async with ClientSession(timeout=ClientTimeout(total=10)) as http:
            async with http.post(f"{url}/xhr"):
                pass
            bodies = [mutations.body(random, self._room) for _ in range(random.randint(1, 8))]
            if random.random() < 0.9:
                bodies.insert(0, json.dumps([self._connect(random)]).encode())
            for body in bodies:
                kind = random.choice(("xhr_send", "xhr_send", "jsonp_send"))
                form = random.choice((None, {"Content-Type": "application/x-www-form-urlencoded"}))
                async with http.post(f"{url}/{kind}", data=body, headers=form) as answer:
                    assert answer.status in (200, 204, 404, 500), await answer.text()
                receive = random.choice(
                    ("xhr", "xhr_streaming", "eventsource", "htmlfile", "jsonp")
                )
                method = "POST" if receive.startswith("xhr") else "GET"
                with suppress(TimeoutError, ClientError):
                    async with http.request(
                        method, f"{url}/{receive}?c=f", timeout=timeout
                    ) as answer:
                        await answer.read()


@pytest.mark.parametrize("door", DOORS)
async def test_any_bytes_do_no_harm(start_server: StartServer, clients: Clients, door: str) -> None:
    await _fuzz(start_server(), clients, door, seconds=3)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("door", DOORS)
async def test_any_bytes_do_no_harm_for_minutes(
    start_server: StartServer, clients: Clients, door: str
) -> None:
    await _fuzz(start_server(), clients, door, seconds=120)


async def _fuzz(server: Server, clients: Clients, door: str, seconds: float) -> None:
    """Fuzz one door; the log is looked at when the server ends."""
    seed = os.environ.get("ALLIBE_FUZZ_SEED") or secrets.token_hex(4)
    print(f"ALLIBE_FUZZ_SEED={seed}")
    kind = Fuzz if door in VALID else HttpFuzz
    fuzz = kind(server, door, await clients.api(server, "alice").new_room(), seed)
    await fuzz.for_seconds(seconds / 3)  # caches are warm, and the allocator has its arenas
    before = server.memory()
    await fuzz.for_seconds(seconds * 2 / 3)
    await asyncio.to_thread(
        eventually,
        lambda: server.metric("allibe_gateway_connections", door=door.split(maxsplit=1)[0]) == 0,
        "no connection is left",
        log=server.log,
    )
    assert server.memory() - before < MOST_GROWTH
    print(f"{fuzz.connections} connections, {server.memory() - before >> 20} MiB more")
    assert fuzz.connections > AT_ONCE
    await _serves(server, clients)


async def _serves(server: Server, clients: Clients) -> None:
    """Somebody who behaves is served at both doors."""
    room = await clients.api(server, "alice").new_room(None, "bob")
    alice, bob = await clients.stomp(server, "alice"), await clients.json(server, "bob", room)
    await alice.subscribe(f"/topic/rooms/{room}")
    assert (await bob.post("from bob"))["offset"] == 1
    await alice.post(room, "from alice")
    assert [(await alice.body())["content"] for _ in range(2)] == ["from bob", "from alice"]
    await bob.of_type("message")
    assert (await bob.of_type("message"))["content"] == "from alice"
