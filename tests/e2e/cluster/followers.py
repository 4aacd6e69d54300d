"""Users who follow one room and post into it while gateways come and go, and what they noticed.

Of three kinds: at the JSON door, and over STOMP with the queue of errors, where they know what a
hint is and open the next connection before they leave the old one; and stock STOMP, which is
closed and comes back, with jitter.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from random import Random
from typing import Any

from aiohttp import ClientError

from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.inbox import Closed
from tests.support.json_client import Json, JsonClient
from tests.support.places import Place
from tests.support.stomp_client import StompClient

JITTER_SECONDS = 0.5
"""What a stock client adds, at most, to the wait that the table of close codes names."""

USERS = 50
OPEN_SECONDS = 10.0
BROKEN = (Closed, ClientError, OSError, TimeoutError)


class Line(ABC):
    """One connection, read by a task of its own. `over` is the code that it was closed with."""

    def __init__(self, client: StompClient | JsonClient, seen: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        self.hint: asyncio.Future[float] = loop.create_future()
        self.over: asyncio.Future[int] = loop.create_future()
        self._client = client
        self._seen = seen
        self._last: int | None = None
        self._receipts: dict[str, asyncio.Future[None]] = {}
        self._reading = loop.create_task(self._read())

    @abstractmethod
    async def send(self, name: str, room: str) -> None:
        """Send a message of this name."""

    @abstractmethod
    async def _take_one(self) -> None:
        """Take what comes next, and note it."""

    async def post(self, name: str, room: str) -> None:
        """Send it and return at its receipt. Raises `Closed` when there is none any more."""
        receipt = self._receipts[name] = asyncio.get_running_loop().create_future()
        await self.send(name, room)
        ends: set[asyncio.Future[Any]] = {receipt, self.over}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not receipt.done():
            raise Closed(self.over.result())

    async def leave(self) -> None:
        """Close, and read to the end: receipts that are under way still come."""
        await self._client.close()
        await self._reading

    def abort(self) -> None:
        """End without a word."""
        self._client.abort()
        self._reading.cancel()

    def message(self, body: Json) -> None:
        """Note a message of the log: within a connection there are no holes (I3)."""
        offset = body["offset"]
        assert self._last is None or offset == self._last + 1, (self._last, offset)
        self._last = offset
        self._seen(offset)

    def receipt(self, name: str) -> None:
        """Note a receipt."""
        if (waiting := self._receipts.get(name)) is not None and not waiting.done():
            waiting.set_result(None)

    async def _read(self) -> None:
        code = 1006
        try:
            while True:
                await self._take_one()
        except Closed as closed:
            code = closed.code
        except OSError:
            pass
        finally:
            self.over.set_result(code)


class JsonLine(Line):
    """At the JSON door."""

    _client: JsonClient

    async def send(self, name: str, room: str) -> None:
        await self._client.send(type="message", roomId=room, content=name, clientMessageId=name)

    async def _take_one(self) -> None:
        item = await self._client.take(seconds=3600)
        if item["type"] == "message":
            self.message(item)
        elif item["type"] == "ack":
            self.receipt(item["clientMessageId"])
        elif item["type"] == "reconnect":
            self.hint.set_result(item["inMs"] / 1000)


class StompLine(Line):
    """Over STOMP."""

    _client: StompClient

    async def send(self, name: str, room: str) -> None:
        body = json.dumps({"roomId": room, "content": name, "clientMessageId": name})
        headers = {"destination": "/app/message", "receipt": name}
        await self._client.send_frame("SEND", headers, body)

    async def _take_one(self) -> None:
        frame = await self._client.take(seconds=3600)
        if frame.command == "RECEIPT":
            self.receipt(frame.headers["receipt-id"])
        elif "x-reconnect-ms" in frame.headers:
            self.hint.set_result(int(frame.headers["x-reconnect-ms"]) / 1000)
        elif frame.headers.get("subscription") == "room":
            self.message(json.loads(frame.body))


class Follower:
    """One user; `kind` is `json`, `stomp` or `stock`. Figures are in seconds of the loop's time."""

    def __init__(
        self, number: int, kind: str, *, room: str, place: Place, clients: Clients, pause: float
    ) -> None:
        """It posts about `pause` seconds after each receipt."""
        self.name, self.kind = f"{kind}-{number}", kind
        self.receipted: list[str] = []
        self.opened: list[float] = []
        self.codes: list[int] = []
        self.seen: dict[int, float] = {}
        self.waits: list[float] = []
        self._user = user_of(number)
        self._room, self._place, self._clients, self._pause = room, place, clients, pause
        self._epoch = ""
        self._random = Random(number)
        self._loop = asyncio.get_running_loop()
        self._line: Line | None = None
        self._ending = asyncio.Event()

    def longest_silence(self) -> float:
        """Return the longest time between one message of the room and the next."""
        return max(later - earlier for earlier, later in pairwise(sorted(self.seen.values())))

    async def begin(self) -> None:
        """Open the first connection."""
        self._line = await self._open()

    async def follow(self) -> None:
        """Keep connected, until cancelled."""
        while True:
            line = self._line
            assert line is not None
            ends: set[asyncio.Future[Any]] = {line.hint, line.over}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not line.over.done():
                await asyncio.wait({line.over}, timeout=line.hint.result())
            if line.over.done():
                self.codes.append(line.over.result())
                await self._come_back()
            else:
                await self._move(line)

    async def post(self) -> None:
        """Post until told to end; each message again until it has its receipt."""
        number = 0
        while not self._ending.is_set():
            number += 1
            await self._post(f"{self.name}-{number}")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._random.uniform(0, 2) * self._pause):
                    await self._ending.wait()

    def end(self) -> None:
        """Let `post` end after the present message."""
        self._ending.set()

    def abort(self) -> None:
        """Leave without a word."""
        if self._line is not None:
            self._line.abort()

    async def _post(self, name: str) -> None:
        began = self._loop.time()
        while True:
            assert self._line is not None
            try:
                await self._line.post(name, self._room)
            except BROKEN:
                await asyncio.sleep(0.01)
                continue
            self.waits.append(self._loop.time() - began)
            self.receipted.append(name)
            return

    async def _move(self, line: Line) -> None:
        try:
            self._line = await self._open()
        except BROKEN:
            await asyncio.wait({line.over})
        else:
            await line.leave()

    async def _come_back(self) -> None:
        while True:
            least = disconnects.RESTART.delay_ms / 1000
            await asyncio.sleep(least + self._random.uniform(0, JITTER_SECONDS))
            try:
                self._line = await self._open()
            except BROKEN:
                continue
            return

    async def _open(self) -> Line:
        self.opened.append(self._loop.time())
        since = f"{self._room}.{self._epoch}.{max(self.seen)}" if self.seen else ""
        async with asyncio.timeout(OPEN_SECONDS):
            return await (
                self._open_json(since) if self.kind == "json" else self._open_stomp(since)
            )

    async def _open_json(self, since: str) -> Line:
        client = await self._clients.json(self._place, self._user, self._room, since)
        assert client.joined.get("recovered", True), client.joined
        self._epoch = client.joined["epoch"]
        return JsonLine(client, self._note)

    async def _open_stomp(self, since: str) -> Line:
        client = await self._clients.stomp(self._place, self._user)
        if self.kind == "stomp":
            await client.subscribe("/user/queue/errors", id="errors")
        headers = {"x_since": since} if since else {}
        told = await client.subscribe(f"/topic/rooms/{self._room}", id="room", **headers)
        assert told.headers.get("x-recovered", "true") == "true", told
        self._epoch = told.headers["x-epoch"]
        return StompLine(client, self._note)

    def _note(self, offset: int) -> None:
        self.seen.setdefault(offset, self._loop.time())


def user_of(number: int) -> str:
    """Return who a follower is: a few have the same user, as devices do."""
    return f"follower-{number % USERS}"


def busiest_second(times: list[float]) -> int:
    """Return how many of these moments lie within one second, at most."""
    times = sorted(times)
    return max((sum(1 for at in times if begin <= at < begin + 1) for begin in times), default=0)
