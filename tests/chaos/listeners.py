"""Clients that listen, whatever happens: they write down all that they are given.

A listener that loses its connection connects again, and asks to go on after the last message that
it has.
"""

import asyncio
import json
import random
from abc import ABC, abstractmethod

from tests.chaos.checker import Life, Message, Stream
from tests.chaos.senders import BROKEN, RETRY_SECONDS
from tests.support.clients import Clients
from tests.support.json_client import Json
from tests.support.server import Server

LONGEST_AWAY = 1.0
"""Seconds between a lost connection and the next try."""


class Listener(ABC):
    """One device of a user. It listens until its task is cancelled."""

    def __init__(
        self, name: str, user: str, *rooms: str, server: Server, clients: Clients, seed: str
    ) -> None:
        self.user = user
        self.server = server
        self.clients = clients
        self.token = server.token(user)
        self.streams = {room: Stream(f"{name} in {room}", user, room) for room in rooms}
        self._random = random.Random(f"{seed} {name}")
        self._last: dict[str, Message] = {}
        self._came = asyncio.Event()

    async def run(self) -> None:
        """Listen, through any number of connections."""
        while True:
            try:
                await self._life()
            except BROKEN:
                # Some stay away for long enough to miss more than the server has in memory.
                longest = self._random.choice((RETRY_SECONDS, LONGEST_AWAY))
                await asyncio.sleep(self._random.uniform(0, longest))

    async def has(self, room: str, offset: int) -> None:
        """Return once the last message was at this offset, or after it."""
        while (last := self._last.get(room)) is None or last.offset < offset:
            self._came.clear()
            await self._came.wait()

    @abstractmethod
    async def _life(self) -> None:
        """Connect, and note what comes until the connection ends."""

    def _begin(self, room: str) -> tuple[Life, str]:
        """Return a new life, and the text to ask for what follows the last message."""
        last = self._last.get(room)
        life = Life(since=None if last is None else last.offset)
        self.streams[room].lives.append(life)
        return life, "" if last is None else f"{room}.{last.epoch}.{last.offset}"

    def _note(self, room: str, life: Life, body: Json) -> None:
        message = message_of(body)
        life.got.append(message)
        self._last[room] = message
        self._came.set()


class StompListener(Listener):
    """Over STOMP, any number of rooms on one connection."""

    async def _life(self) -> None:
        client = await self.clients.web_socket(self.server)
        await client.connect(self.token)
        lives: dict[str, Life] = {}
        for room in self.streams:
            lives[room], since = self._begin(room)
            headers = {"id": room, "destination": f"/topic/rooms/{room}", "receipt": room}
            await client.send_frame("SUBSCRIBE", headers | ({"x-since": since} if since else {}))
        while True:
            frame = await client.take(lambda frame: frame.command in ("RECEIPT", "MESSAGE"))
            if frame.command == "MESSAGE":
                room = frame.headers["subscription"]
                self._note(room, lives[room], json.loads(frame.body))
            else:
                life = lives[frame.headers["receipt-id"]]
                life.began = int(frame.headers["x-offset"])
                life.recovered = {"true": True, "false": False}.get(
                    frame.headers.get("x-recovered", "")
                )


class JsonListener(Listener):
    """Over the JSON door: one room."""

    async def _life(self) -> None:
        (room,) = self.streams
        life, since = self._begin(room)
        query = {"roomId": room, "token": self.token}
        client = await self.clients.json_socket(
            self.server, query | ({"since": since} if since else {})
        )
        while True:
            item = await client.take(lambda item: item["type"] in ("joined", "message"))
            if item["type"] == "message":
                self._note(room, life, item)
            else:
                life.began, life.recovered = item["offset"], item.get("recovered")


def message_of(body: Json) -> Message:
    """Return a message as the checker wants it."""
    return Message(
        room=body["roomId"],
        epoch=body["epoch"],
        offset=body["offset"],
        message_id=body["messageId"],
        sender=body["sender"],
        client_message_id=body.get("clientMessageId", ""),
        content=body["content"],
    )
