"""The load generator's storm: who comes back is to get what was missed, all of it and once."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

SECONDS = 30.0
ROOMS, MISSED, CROWD = 2, 3, 4
ALL = tuple(range(ROOMS, ROOMS * (1 + MISSED)))
"""The numbers of the messages that were sent since each room's first one."""


class Server:
    """Speaks enough of STOMP to be resumed by the generator."""

    def __init__(self, numbers: Sequence[int], *, recovered: str, cuts: int, refusals: int):
        """Send the messages of these numbers; cut off the first few, refuse the next few."""
        self.port = 0
        self.asked_for: list[str] = []
        self._numbers = numbers
        self._recovered = recovered
        self._cuts = cuts
        self._refusals = refusals

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Handle one connection until it ends."""
        if self._cuts:
            self._cuts -= 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        socket = web.WebSocketResponse(protocols=("v12.stomp",), compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._take(socket, message.data)
        return socket

    async def _take(self, socket: web.WebSocketResponse, frame: str) -> None:
        command, *headers = frame.split("\n")
        if command == "CONNECT" and self._refusals:
            self._refusals -= 1
            half = "ERROR\nmessage:Not now", ".\n\n\0"
            await socket.send_str(half[0])
            await socket.send_str(half[1])
            await socket.close()
            return
        if command == "CONNECT":
            await socket.send_str("CONNECTED\nversion:1.2\n\n\0")
            return
        given = dict(header.split(":", 1) for header in headers if ":" in header)
        self.asked_for.append(given["x-since"])
        room = int(given["destination"].rpartition("-")[2]) - 1
        for number in self._numbers:
            if number % ROOMS == room:
                await socket.send_str(f"MESSAGE\n\n@@{0:020}@@{number:010}@@\0")
        await socket.send_str(f"RECEIPT\nreceipt-id:1\nx-recovered:{self._recovered}\n\n\0")


@asynccontextmanager
async def server(
    numbers: Sequence[int] = ALL, *, recovered: str = "true", cuts: int = 0, refusals: int = 0
) -> AsyncIterator[Server]:
    """Run one on a free port of loopback."""
    one = Server(numbers, recovered=recovered, cuts=cuts, refusals=refusals)
    app = web.Application()
    app.router.add_get("/allibe-ws", one.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.port = runner.addresses[0][1]
    try:
        yield one
    finally:
        await runner.cleanup()


async def storm(generator: Path, port: int, folder: Path) -> tuple[dict[str, Any], str]:
    """Return the generator's report and what it complained of."""
    seen = folder / "seen"
    seen.write_text("room-1.epoch.1\nroom-2.epoch.1\n")
    process = await asyncio.create_subprocess_exec(
        *(str(generator), "--port", str(port), "--token", "anybody", "--stall", "0.5"),
        *("--subscribers", str(CROWD), "--rooms", str(ROOMS), "--room-prefix", "room-"),
        *("--resume", str(seen), "--messages", str(ROOMS * (1 + MISSED))),
        *("--missed-from", str(ROOMS)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), SECONDS)
    assert bool(process.returncode) == bool(errors), (output, errors)
    return json.loads(output.partition(b"\n")[0] or b"{}"), errors.decode()


async def test_everybody_gets_all_that_was_missed(generator: Path, tmp_path: Path) -> None:
    async with server() as one:
        report, errors = await storm(generator, one.port, tmp_path)
    assert not errors
    assert sorted(one.asked_for) == ["room-1.epoch.1"] * 2 + ["room-2.epoch.1"] * 2
    assert (report["deliveries"], report["dialled_again"]) == (CROWD * MISSED, 0)
    assert 0 < report["latency_us"]["max"] <= 1e6 * (report["elapsed_seconds"] + 0.001)


@pytest.mark.parametrize(("cuts", "refusals"), [(3, 0), (0, 3), (2, 2)])
async def test_who_is_turned_away_dials_again(
    generator: Path, tmp_path: Path, cuts: int, refusals: int
) -> None:
    """As clients do, whether the server cuts them off or says no; it takes time, which counts."""
    async with server(cuts=cuts, refusals=refusals) as one:
        report, errors = await storm(generator, one.port, tmp_path)
    assert not errors
    assert report["deliveries"] == CROWD * MISSED
    assert report["dialled_again"] == cuts + refusals
    assert report["elapsed_seconds"] > 0.4


@pytest.mark.parametrize(
    ("numbers", "complaint"),
    [
        (ALL[:-1], "2 deliveries lost, 0 repeated"),
        ((*ALL, 5), "0 deliveries lost, 2 repeated"),
        ((0, *ALL), "0 deliveries lost, 2 repeated"),
        ((4, 2, *ALL[3:], 3), "0 deliveries lost, 0 repeated, 0 in the wrong room, 4 out of order"),
    ],
    ids=["not the last", "the last twice", "what was seen before", "in another order"],
)
async def test_what_is_wrong_fails_the_storm(
    generator: Path, tmp_path: Path, numbers: Sequence[int], complaint: str
) -> None:
    async with server(numbers) as one:
        _, errors = await storm(generator, one.port, tmp_path)
    assert complaint in errors


async def test_what_is_not_recovered_fails_the_storm(generator: Path, tmp_path: Path) -> None:
    """A server that says so gave less than what was asked for, however fast."""
    async with server(recovered="false") as one:
        _, errors = await storm(generator, one.port, tmp_path)
    assert "recovered:false" in errors
