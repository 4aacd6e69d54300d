"""Clients that send, whatever happens: they write down every attempt, receipt and error.

A sender keeps a few messages under way. When its connection ends, or it loses patience, it
connects again and first repeats, in order and under the same clientMessageId, what was not
receipted. A message that is refused for now is repeated after a pause, over the same connection.

What order may be expected (I4)? A message that was not receipted may be stored, still be on its
way through a gateway that is frozen, or be lost. So only who sends one at a time, and repeats it
until it is receipted, has an order whatever happens: a receipted message is in its shard's queue,
before all that is sent later. With several under way that holds while errors do not: the repeat of
one that failed comes after the others. (A gateway that is killed is no error: what it had of a
connection went out in order, or not at all.)
"""

import asyncio
import json
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.checker import Attempt, Receipt
from tests.chaos.devices import CONNECT_SECONDS, Device
from tests.support.clients import Clients
from tests.support.inbox import Refusal
from tests.support.json_client import JsonClient
from tests.support.places import Place
from tests.support.server import WAIT_SECONDS
from tests.support.stomp_client import StompClient

MOST_UNDER_WAY = 8
LONGEST_PAUSE = 0.01
"""Seconds between two messages: some hundred a second, all senders together."""

REPEAT_SECONDS = 0.5
"""Longest pause before a message is repeated that was refused for now."""


@dataclass(frozen=True)
class Answer:
    """What a sender was told of a message: a receipt (`code` is empty), or an error.

    `at` is in loop time, `seconds` how long after it was sent. With several messages under way an
    error that ends the connection is put down to the first of them, and one after another is
    looked at: take times from senders with one.
    """

    name: str
    code: str = ""
    retryable: bool = False
    offset: int | None = None
    at: float = 0.0
    seconds: float = 0.0


@dataclass
class Ledger:
    """What all senders write down."""

    attempts: list[Attempt] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


class Sender(Device):
    """One device of a user that posts into one room."""

    def __init__(
        self,
        source: str,
        user: str,
        room: str,
        *,
        places: Sequence[Place],
        clients: Clients,
        ledger: Ledger,
        seed: str,
        most: int = MOST_UNDER_WAY,
        ordered: bool = True,
        soft: bool = False,
        pause: float = LONGEST_PAUSE,
        patience: tuple[float, float] = (WAIT_SECONDS, WAIT_SECONDS),
    ) -> None:
        """`most` is under way, `pause` the longest between two, `patience` from least to most.

        `soft` errors leave a STOMP connection open; over JSON they always do.
        """
        super().__init__(source, user, places=places, clients=clients, seed=seed)
        self.room = room
        self.soft = soft
        self._ledger = ledger
        self.most, self._ordered = most, ordered
        self._longest_pause, self._patience = pause, patience
        self._under_way: deque[Attempt] = deque()
        self._sent: dict[str, float] = {}
        self._ending = False

    @property
    def waits_for(self) -> list[str]:
        """What is not receipted, oldest first."""
        return [attempt.client_message_id for attempt in self._under_way]

    def end(self) -> None:
        """Begin nothing new; `run` ends when all is receipted."""
        self._ending = True

    async def run(self) -> None:
        """Send until `end`, through any number of connections."""
        while not (self._ending and not self._under_way):
            await self.live()

    @abstractmethod
    async def connect(self, place: Place) -> None:
        """Open a connection, in place of the one before."""

    @abstractmethod
    async def drop(self) -> None:
        """Leave the connection without a word."""

    @abstractmethod
    async def send(self, attempt: Attempt) -> None:
        """Send a message."""

    @abstractmethod
    async def answer(self, seconds: float) -> Answer:
        """Return the next receipt, or error of one message; raise one of the connection."""

    async def _life(self, place: Place) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.connect(place)
            for attempt in tuple(self._under_way):
                await self._send(attempt)
            while not self._ending or self._under_way:
                most = 0 if self._ending else self.random.randint(1, self.most)
                while len(self._under_way) < most:
                    await self._begin()
                if self._under_way:
                    await self._take_answer()
        finally:
            await self.drop()

    async def _begin(self) -> None:
        number = len(self._ledger.attempts)
        padding = "." * self.random.choice((0, 10, 100, 1000))
        name = f"{self.name}-{number}"
        content = f"{name} 안녕{padding}"
        attempt = Attempt(self.name, self.room, self.user, name, content, self._ordered)
        self._ledger.attempts.append(attempt)
        self._under_way.append(attempt)
        await asyncio.sleep(self.random.uniform(0, self._longest_pause))
        await self._send(attempt)

    async def _send(self, attempt: Attempt) -> None:
        self._sent[attempt.client_message_id] = asyncio.get_running_loop().time()
        await self.send(attempt)

    async def _take_answer(self) -> None:
        try:
            answer = await self.answer(self.random.uniform(*self._patience))
        except Refusal as refusal:
            self._note(Answer(self.waits_for[0], str(refusal), refusal.retryable))
            raise
        self._note(answer)
        found = [one for one in self._under_way if one.client_message_id == answer.name]
        if not answer.code:
            self.is_well()
            self._ledger.receipts.append(Receipt(self.room, self.user, answer.name, answer.offset))
            for attempt in found:
                self._under_way.remove(attempt)
        elif not answer.retryable:
            raise Refusal(f"{answer.name}: {answer.code}")
        else:
            await asyncio.sleep(self.random.uniform(0, REPEAT_SECONDS))
            for attempt in found:
                await self._send(attempt)

    def _note(self, answer: Answer) -> None:
        now = asyncio.get_running_loop().time()
        sent = self._sent.pop(answer.name, now)
        self._ledger.answers.append(
            Answer(answer.name, answer.code, answer.retryable, answer.offset, now, now - sent)
        )


class StompSender(Sender):
    """Over STOMP."""

    _client: StompClient | None = None

    async def connect(self, place: Place) -> None:
        self._client = client = await self.clients.web_socket(place)
        if self.soft:
            await client.connect(self.token, x_soft_errors="true")
            await client.subscribe("/user/queue/errors", id="errors")
        else:
            await client.connect(self.token)

    async def drop(self) -> None:
        if self._client is not None:
            self._client.abort()

    async def send(self, attempt: Attempt) -> None:
        body = {
            "content": attempt.content,
            "roomId": attempt.room,
            "clientMessageId": attempt.client_message_id,
        }
        headers = {"destination": "/app/message", "receipt": attempt.client_message_id}
        assert self._client is not None
        await self._client.send_frame("SEND", headers, json.dumps(body))

    async def answer(self, seconds: float) -> Answer:
        assert self._client is not None
        frame = await self._client.take(
            lambda frame: (
                frame.command == "RECEIPT"
                or (frame.command == "MESSAGE" and "x-reconnect-ms" not in frame.headers)
            ),
            seconds=seconds,
        )
        if frame.command == "RECEIPT":
            return Answer(frame.headers["receipt-id"])
        body = json.loads(frame.body)
        return Answer(body["receiptId"], body["code"], body["retryable"])


class JsonSender(Sender):
    """Over the JSON door. It is given the room's messages too, and drops them."""

    _client: JsonClient | None = None

    async def connect(self, place: Place) -> None:
        query = {"roomId": self.room, "token": self.token}
        self._client = await self.clients.json_socket(place, query)
        await self._client.of_type("joined")

    async def drop(self) -> None:
        if self._client is not None:
            self._client.abort()

    async def send(self, attempt: Attempt) -> None:
        assert self._client is not None
        await self._client.send(
            type="message",
            roomId=attempt.room,
            content=attempt.content,
            clientMessageId=attempt.client_message_id,
        )

    async def answer(self, seconds: float) -> Answer:
        assert self._client is not None
        async with asyncio.timeout(seconds):
            while True:
                item = await self._client.take()
                if item["type"] == "ack":
                    return Answer(item["clientMessageId"], offset=item.get("offset"))
                if item["type"] == "error":
                    if "clientMessageId" not in item:
                        raise Refusal(str(item), retryable=item["retryable"])
                    return Answer(item["clientMessageId"], item["code"], item["retryable"])
