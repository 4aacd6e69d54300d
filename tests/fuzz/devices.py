"""Devices of users, over both doors: each writes down what it sends and is given.

Nothing is waited for when something is sent: what comes back is noted by the device's reader.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from typing import Any

from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.chaos.checker import Life, Message, Receipt, Stream
from tests.fuzz.record import Record, Sent, Subscription
from tests.integration.gateway import Frame, Site, frame, token

CONTENTS = ("hello", "안녕하세요 👋🏽", 'a "quote", \\ and \n a line', "x" * 2000)


class Device(ABC):
    """One device of a user, with at most one connection at a time."""

    def __init__(self, name: str, user: str, site: Site, record: Record) -> None:
        self.name, self.user = name, user
        self._site, self._record = site, record
        self._socket: ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._connections = 0
        self._subscriptions: dict[str, Subscription] = {}
        self._unanswered: dict[str, Sent] = {}
        self._positions: dict[str, list[Message]] = {}

    @property
    def online(self) -> bool:
        return self._socket is not None

    @property
    def settled(self) -> bool:
        """Whether all that was asked for over the present connection was answered."""
        return not self._unanswered and all(one.answered for one in self._subscriptions.values())

    @abstractmethod
    def room(self, room: str) -> str:
        """Return the room that this device has in place of one."""

    @abstractmethod
    async def listen(self, room: str, back: int | None) -> None:
        """Subscribe; with `back` after the last message that it has, or so many before that."""

    @abstractmethod
    async def unlisten(self, room: str) -> None:
        """End a subscription."""

    @abstractmethod
    async def garbage(self, number: int) -> None:
        """Send what no client should, and what leaves no doubt about what follows it."""

    @abstractmethod
    async def _connect(self, room: str) -> None: ...

    @abstractmethod
    async def _send(self, sent: Sent) -> None: ...

    @abstractmethod
    def _take(self, text: str) -> None:
        """Note what a message says."""

    async def post(self, room: str, name: str) -> None:
        """Post a new message."""
        await self.connect(room)
        content = f"{name} {CONTENTS[len(self._record.sent) % len(CONTENTS)]}"
        member = self._record.is_member(self.user, room)
        source = f"{self.name} {self._connections}"
        sent = Sent(source, room, self.user, name, content, by_member=member)
        self._record.sent[sent.key] = sent
        await self._try(sent)

    async def again(self, sent: Sent) -> None:
        """Post a message of this user again, whichever device did so before."""
        await self.connect(sent.room)
        if not sent.answered:
            sent.ordered = False
        if not sent.by_member and self._record.is_member(self.user, sent.room):
            sent.by_member = True
        await self._try(sent)

    def drop(self) -> None:
        """Vanish without a word."""
        if self._socket is not None:
            connection = self._socket._response.connection
            if connection is not None and connection.transport is not None:
                connection.transport.abort()
            if self._reader is not None:
                self._reader.cancel()
            self._gone()

    async def drop_within(self) -> None:
        """Vanish in the middle of a message."""
        if self._socket is not None:
            await self._text('SEND\ndestination:/app/message\n\n{"roomId":"1","content":"half')
            self.drop()

    async def connect(self, room: str) -> None:
        """Have a connection."""
        if not self.online:
            self._connections += 1
            await self._connect(room)

    async def _open(self, path: str) -> None:
        self._socket = await self._site.web_socket(path)
        self._reader = asyncio.create_task(self._read(self._socket))

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._take(message.data)
        self._gone()

    def _gone(self) -> None:
        for one in self._subscriptions.values():
            one.lives = False
        self._subscriptions, self._unanswered, self._socket = {}, {}, None

    async def _text(self, text: str) -> None:
        if self._socket is not None:
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                return  # the server has closed: the reader will see it

    async def _raw(self, chunk: bytes) -> None:
        if self._socket is not None:
            try:
                await self._socket.send_frame(chunk, WSMsgType.TEXT)
            except ConnectionError:
                return

    async def _try(self, sent: Sent) -> None:
        self._unanswered[f"{sent.room} {sent.name}"] = sent
        await self._send(sent)

    def _begin(self, room: str, key: str, back: int | None) -> str:
        """Note that a life begins; return the position to ask for, or nothing."""
        name = f"{self.name} in {room}"
        stream = self._record.streams.setdefault(name, Stream(name, self.user, room))
        known = self._positions.get(room, [])
        last = None if back is None or not known else known[max(0, len(known) - 1 - back)]
        life = Life(since=None if last is None else last.offset)
        stream.lives.append(life)
        member = self._record.is_member(self.user, room)
        one = Subscription(stream, life, by_member=member)
        self._subscriptions[key] = one
        self._record.subscriptions.append(one)
        return "" if last is None else f"{room}.{last.epoch}.{last.offset}"

    def _begun(self, key: str, offset: int, recovered: bool | None) -> None:
        one = self._subscriptions[key]
        one.life.began, one.life.recovered, one.answered = offset, recovered, True

    def _ended(self, key: str) -> None:
        if (one := self._subscriptions.pop(key, None)) is not None:
            one.lives = False

    def _given(self, key: str, body: dict[str, Any]) -> None:
        one = self._subscriptions.get(key)
        if one is None:
            return  # on its way when the device unsubscribed
        message = Message(
            body["roomId"],
            body["epoch"],
            body["offset"],
            body["messageId"],
            body["sender"],
            body.get("clientMessageId", ""),
            body["content"],
        )
        one.life.got.append(message)
        self._positions.setdefault(one.stream.room, []).append(message)

    def _answered(self, key: str, *, accepted: bool, offset: int | None = None) -> None:
        sent = self._unanswered.pop(key)
        sent.answered = True
        if accepted:
            self._record.receipts.append(Receipt(sent.room, sent.sender, sent.name, offset))


class StompDevice(Device):
    """Any number of rooms on one connection; refusals end it unless they are `soft`."""

    def __init__(self, name: str, user: str, site: Site, record: Record, *, soft: bool) -> None:
        super().__init__(name, user, site, record)
        self._soft = soft
        self._ids = 0

    def room(self, room: str) -> str:
        return room

    async def listen(self, room: str, back: int | None) -> None:
        await self.connect(room)
        await self.unlisten(room)
        self._ids += 1
        key = f"{room} {self._ids}"
        since = self._begin(room, key, back)
        headers = {"id": key, "destination": f"/topic/rooms/{room}", "receipt": key}
        await self._text(frame("SUBSCRIBE", **headers, **({"x-since": since} if since else {})))

    async def unlisten(self, room: str) -> None:
        for key in [one for one in self._subscriptions if one.startswith(f"{room} ")]:
            self._ended(key)
            await self._text(frame("UNSUBSCRIBE", id=key))

    async def garbage(self, number: int) -> None:
        await self._raw(STOMP_GARBAGE[number % len(STOMP_GARBAGE)])

    async def _connect(self, room: str) -> None:
        await self._open("/allibe-ws")
        soft = {"x_soft_errors": "true"} if self._soft else {}
        await self._text(frame("CONNECT", accept_version="1.2", Authorization=_token(self), **soft))
        if self._soft:
            await self._text(frame("SUBSCRIBE", id="errors", destination="/user/queue/errors"))

    async def _send(self, sent: Sent) -> None:
        body = {"roomId": sent.room, "content": sent.content, "clientMessageId": sent.name}
        receipt = f"{sent.room} {sent.name}"
        await self._text(
            frame("SEND", json.dumps(body), destination="/app/message", receipt=receipt)
        )

    def _take(self, text: str) -> None:
        if text == "\n":
            return
        came = Frame(text)
        if came.command == "RECEIPT":
            self._receipt(came)
        elif came.command == "MESSAGE":
            self._message(came.headers["subscription"], came.json)

    def _receipt(self, came: Frame) -> None:
        key = came.headers["receipt-id"]
        if key in self._unanswered:
            self._answered(key, accepted=True)
        elif key in self._subscriptions:
            recovered = {"true": True, "false": False}.get(came.headers.get("x-recovered", ""))
            self._begun(key, int(came.headers["x-offset"]), recovered)

    def _message(self, subscription: str, body: dict[str, Any]) -> None:
        key = body.get("receiptId", "")
        if body["type"] == "message":
            self._given(subscription, body)
        elif body["type"] == "removed":
            self._ended(subscription)
        elif body["type"] == "error" and key in self._unanswered:
            self._answered(key, accepted=False)
        elif body["type"] == "error":
            self._ended(key)


class JsonDevice(Device):
    """One room. A connection is a subscription: to post is to listen."""

    def __init__(self, name: str, user: str, site: Site, record: Record, *, room: str) -> None:
        super().__init__(name, user, site, record)
        self._room = room
        self._back: int | None = None

    def room(self, room: str) -> str:
        return self._room

    async def listen(self, room: str, back: int | None) -> None:
        self._back = back
        await self.connect(room)

    async def unlisten(self, room: str) -> None:
        await self._text(json.dumps({"type": "leave"}))

    async def garbage(self, number: int) -> None:
        await self._raw(JSON_GARBAGE[number % len(JSON_GARBAGE)])

    async def _connect(self, room: str) -> None:
        since = self._begin(room, room, self._back)
        query = f"roomId={room}&token={_token(self)}" + (f"&since={since}" if since else "")
        await self._open(f"/ws/chat?{query}")

    async def _send(self, sent: Sent) -> None:
        body = {"type": "message", "content": sent.content, "clientMessageId": sent.name}
        await self._text(json.dumps(body))

    def _take(self, text: str) -> None:
        body = json.loads(text)
        key = f"{self._room} {body.get('clientMessageId', '')}"
        if body["type"] == "joined":
            self._begun(self._room, body["offset"], body.get("recovered"))
        elif body["type"] == "message":
            self._given(self._room, body)
        elif body["type"] == "ack" and key in self._unanswered:
            self._answered(key, accepted=True, offset=body.get("offset"))
        elif body["type"] == "error" and key in self._unanswered:
            self._answered(key, accepted=False)


def _token(device: Device) -> str:
    return token(device.user, name=device.user.capitalize())


STOMP_GARBAGE = (
    b"NONSENSE\n\n\0",
    b"\0",
    b"\xff",
    b"CONNECT\naccept-version:1.2\n\n\0",
    b"SEND\ndestination:/topic/rooms/1\n\n{}\0",
    b"SEND\ndestination:/app/message\n\n[]\0",
    b'SEND\ndestination:/app/message\n\n{"roomId":"*","content":"x"}\0',
    b"SUBSCRIBE\nid:x\ndestination:/topic/rooms/*\n\n\0",
    b"SUBSCRIBE\nid:x\ndestination:/topic/rooms/1\nx-since:1.0.-1\n\n\0",
    b"ACK\nid:1.0.99999999999999999999\n\n\0",
    b"COMMIT\ntransaction:never\n\n\0",
    b"\n\r\n\n",
)
JSON_GARBAGE = (
    b"nonsense",
    b"[]",
    b"\xff",
    b'{"type":"unknown"}',
    b'{"type":"message"}',
    b'{"type":"message","content":" ","clientMessageId":""}',
    b'{"type":"message","content":"x","sender":"mallory-s-victim"}',
    b'{"type":"message","content":"x","roomId":"2"}',
    b'{"type":"read","offset":-1}',
    b'{"type":"refresh","token":"none"}',
)
