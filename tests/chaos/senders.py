"""Clients that send, whatever happens: they write down every attempt and every receipt.

A sender keeps a few messages under way. When its connection ends it connects again and first
repeats, in order and under the same clientMessageId, what was not receipted.
"""

import asyncio
import json
import random
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass, field

from aiohttp import ClientError

from tests.chaos.checker import Attempt, Receipt
from tests.support.clients import Clients
from tests.support.inbox import Closed
from tests.support.json_client import JsonClient
from tests.support.server import Server
from tests.support.stomp_client import StompClient

RETRY_SECONDS = 0.03
BROKEN = (ClientError, ConnectionError, Closed)
"""How a client learns that the server has gone."""

MOST_UNDER_WAY = 8
LONGEST_PAUSE = 0.01
"""Seconds between two messages: some hundred a second, all senders together."""


@dataclass
class Ledger:
    """What all senders write down."""

    attempts: list[Attempt] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)


class Sender(ABC):
    """One device of a user that posts into one room."""

    def __init__(
        self,
        source: str,
        user: str,
        room: str,
        *,
        server: Server,
        clients: Clients,
        ledger: Ledger,
        seed: str,
    ) -> None:
        self.source = source
        self.user = user
        self.room = room
        self.server = server
        self.clients = clients
        self.token = server.token(user)
        self._ledger = ledger
        self._random = random.Random(f"{seed} {source}")
        self._under_way: deque[Attempt] = deque()
        self._ending = False

    def end(self) -> None:
        """Begin nothing new; `run` ends when all is receipted."""
        self._ending = True

    async def run(self) -> None:
        """Send until `end`, through any number of connections."""
        while not (self._ending and not self._under_way):
            try:
                await self._life()
            except BROKEN:
                await asyncio.sleep(RETRY_SECONDS)

    @abstractmethod
    async def connect(self) -> None:
        """Open a connection, in place of the one before."""

    @abstractmethod
    async def send(self, attempt: Attempt) -> None:
        """Send a message."""

    @abstractmethod
    async def receipt(self) -> tuple[str, int | None]:
        """Return the clientMessageId of the next receipt, and the offset if it says one."""

    async def _life(self) -> None:
        await self.connect()
        for attempt in tuple(self._under_way):
            await self.send(attempt)
        while True:
            most = 0 if self._ending else self._random.randint(1, MOST_UNDER_WAY)
            while len(self._under_way) < most:
                await self._begin()
            if not self._under_way:
                return
            await self._take_receipt()

    async def _begin(self) -> None:
        number = len(self._ledger.attempts)
        padding = "." * self._random.choice((0, 10, 100, 1000))
        name = f"{self.source}-{number}"
        attempt = Attempt(self.source, self.room, self.user, name, f"{name} 안녕{padding}")
        self._ledger.attempts.append(attempt)
        self._under_way.append(attempt)
        await asyncio.sleep(self._random.uniform(0, LONGEST_PAUSE))
        await self.send(attempt)

    async def _take_receipt(self) -> None:
        name, offset = await self.receipt()
        self._ledger.receipts.append(Receipt(self.room, self.user, name, offset))
        for attempt in tuple(self._under_way):
            if attempt.client_message_id == name:
                self._under_way.remove(attempt)


class StompSender(Sender):
    """Over STOMP."""

    _client: StompClient

    async def connect(self) -> None:
        self._client = await self.clients.web_socket(self.server)
        await self._client.connect(self.token)

    async def send(self, attempt: Attempt) -> None:
        body = {
            "content": attempt.content,
            "roomId": attempt.room,
            "clientMessageId": attempt.client_message_id,
        }
        headers = {"destination": "/app/message", "receipt": attempt.client_message_id}
        await self._client.send_frame("SEND", headers, json.dumps(body))

    async def receipt(self) -> tuple[str, int | None]:
        frame = await self._client.take(lambda frame: frame.command == "RECEIPT")
        return frame.headers["receipt-id"], None


class JsonSender(Sender):
    """Over the JSON door. It is given the room's messages too, and drops them."""

    _client: JsonClient

    async def connect(self) -> None:
        query = {"roomId": self.room, "token": self.token}
        self._client = await self.clients.json_socket(self.server, query)
        await self._client.of_type("joined")

    async def send(self, attempt: Attempt) -> None:
        await self._client.send(
            type="message",
            roomId=attempt.room,
            content=attempt.content,
            clientMessageId=attempt.client_message_id,
        )

    async def receipt(self) -> tuple[str, int | None]:
        while True:
            item = await self._client.take(lambda item: item["type"] in ("ack", "message"))
            if item["type"] == "ack":
                return item["clientMessageId"], item.get("offset")
