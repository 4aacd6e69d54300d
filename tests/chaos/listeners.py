"""Clients that listen, whatever happens: they write down all that they are given.

A listener that loses its connection, or hears nothing on it, connects again, and asks to go on
after the last message that it has.
"""

import asyncio
import json
from collections.abc import Sequence

from tests.chaos.checker import Life, Message, Stream
from tests.chaos.devices import CONNECT_SECONDS, Device, still_there
from tests.support.clients import Clients
from tests.support.inbox import Refusal
from tests.support.json_client import Json
from tests.support.places import Place
from tests.support.stomp_client import StompClient

LONGEST_AWAY = 1.0
"""Seconds between a lost connection and the next try."""

SILENCE_SECONDS = 6.0
"""A connection on which nothing comes for so long, not even a heart-beat, is dead."""

JOIN_SECONDS = 12.0
"""Over JSON no heart-beat tells of a server that has not answered yet: more than it may take."""


class Listener(Device):
    """One device of a user. It listens until its task is cancelled."""

    def __init__(
        self,
        name: str,
        user: str,
        *rooms: str,
        places: Sequence[Place],
        clients: Clients,
        seed: str,
        longest_life: float | None = None,
    ) -> None:
        """With `longest_life`, in seconds, it leaves by itself now and then, and comes back."""
        super().__init__(name, user, places=places, clients=clients, seed=seed)
        self._longest_life = longest_life
        self.streams = {room: Stream(f"{name} in {room}", user, room) for room in rooms}
        self._asked: dict[str, float] = {}
        self._last: dict[str, Message] = {}
        self._came = asyncio.Event()

    async def run(self) -> None:
        """Listen, through any number of connections."""
        while True:
            longest = self._longest_life
            stays = None if longest is None else self.random.uniform(0, longest)
            try:
                async with asyncio.timeout(stays):
                    await self.live()
            except TimeoutError:
                self.is_well()
            if self.random.random() < 0.5:
                # Some stay away for long enough to miss more than the server has in memory.
                await asyncio.sleep(self.random.uniform(0, LONGEST_AWAY))

    def at(self, room: str) -> int:
        """Return up to where it has everything of a room that is due to it, 0 before the first.

        One that asked for nothing earlier, or was told that it does not come, is due what follows
        the end that the server named.
        """
        last = self._last.get(room)
        lives = self.streams[room].lives
        named = lives[-1].began if lives and not lives[-1].recovered else None
        return max(0 if last is None else last.offset, named or 0)

    async def has(self, room: str, offset: int) -> None:
        """Return once the last message was at this offset, or after it."""
        while self.at(room) < offset:
            self._came.clear()
            await self._came.wait()

    def _begin(self, room: str) -> tuple[Life, str]:
        """Return a new life, and the text to ask for what follows the last message."""
        last = self._last.get(room)
        life = Life(since=None if last is None else last.offset)
        self.streams[room].lives.append(life)
        self._asked[room] = asyncio.get_running_loop().time()
        return life, "" if last is None else f"{room}.{last.epoch}.{last.offset}"

    def _waited(self, room: str, life: Life) -> None:
        """Note how long the life has been waited for."""
        if life.began is None:
            life.seconds = asyncio.get_running_loop().time() - self._asked[room]

    def _note(self, room: str, life: Life, body: Json) -> None:
        message = message_of(body)
        life.got.append(message)
        self._last[room] = message
        self._came.set()
        self.is_well()


class StompListener(Listener):
    """Over STOMP, any number of rooms on one connection."""

    async def _life(self, place: Place) -> None:
        lives: dict[str, Life] = {}
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await self.clients.web_socket(place)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(self.token, heart_beat="0,1000")
            for room in self.streams:
                lives[room], since = self._begin(room)
                headers = {"id": room, "destination": f"/topic/rooms/{room}", "receipt": room}
                await client.send_frame(
                    "SUBSCRIBE", headers | ({"x-since": since} if since else {})
                )
            while True:
                await self._next(client, lives)
        finally:
            for room, life in lives.items():
                self._waited(room, life)
            client.abort()

    async def _next(self, client: StompClient, lives: dict[str, Life]) -> None:
        heard = client.messages_in
        try:
            frame = await client.take(
                lambda frame: frame.command in ("RECEIPT", "MESSAGE"), seconds=SILENCE_SECONDS
            )
        except TimeoutError:
            still_there(client.messages_in, heard)
            return
        if frame.command == "MESSAGE":
            room = frame.headers["subscription"]
            self._note(room, lives[room], json.loads(frame.body))
            return
        room = frame.headers["receipt-id"]
        self._waited(room, lives[room])
        lives[room].began = int(frame.headers["x-offset"])
        lives[room].recovered = {"true": True, "false": False}.get(
            frame.headers.get("x-recovered", "")
        )


class JsonListener(Listener):
    """Over the JSON door: one room."""

    async def _life(self, place: Place) -> None:
        (room,) = self.streams
        async with asyncio.timeout(CONNECT_SECONDS):
            life, since = self._begin(room)
            query = {"roomId": room, "token": self.token} | ({"since": since} if since else {})
            client = await self.clients.json_socket(place, query)
        pings = 0
        try:
            while True:
                waits = JOIN_SECONDS if life.began is None else SILENCE_SECONDS
                try:
                    item = await client.take(seconds=waits)
                except TimeoutError:
                    if life.began is None or pings:
                        raise
                    pings += 1
                    await client.send(type="ping")
                    continue
                pings = 0
                if item["type"] == "message":
                    self._note(room, life, item)
                elif item["type"] == "joined":
                    self._waited(room, life)
                    life.began, life.recovered = item["offset"], item.get("recovered")
                elif item["type"] == "error":
                    raise Refusal(str(item), retryable=item["retryable"])
        finally:
            self._waited(room, life)
            client.abort()


class Stranger(StompListener):
    """Somebody who is no member, asks again and again, and is refused each time."""

    async def _life(self, place: Place) -> None:
        try:
            await super()._life(place)
        except Refusal as refusal:
            if "not_a_member" not in str(refusal):
                raise
            await asyncio.sleep(LONGEST_AWAY)


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
