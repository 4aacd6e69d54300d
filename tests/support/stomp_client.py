"""A STOMP client that does what a test says, wrong things too. It hides nothing of the wire."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from aiohttp import ClientWebSocketResponse

from allibe_gateway.stomp import Frame, FrameParser, Version, encode
from tests.support.inbox import Inbox, Refusal

SUBPROTOCOLS = ("v12.stomp", "v11.stomp", "v10.stomp")


class StompClient(Inbox[Frame]):
    """One connection. Frames are sent as text messages."""

    def __init__(self, web_socket: ClientWebSocketResponse) -> None:
        super().__init__(web_socket)
        self.version = Version.V1_2
        self.heart_beats = 0
        """Messages that held nothing but line ends."""
        self._parser = FrameParser()
        self._numbers = count(1)

    async def connect(self, token: str | None = None, **headers: str) -> Frame:
        """Send CONNECT, return CONNECTED."""
        told = {"accept-version": str(self.version), "host": "localhost"}
        if token is not None:
            told["Authorization"] = token
        await self.send_frame("CONNECT", told | _names(headers))
        return await self.take(_is("CONNECTED"))

    async def subscribe(self, destination: str, id: str = "0", **headers: str) -> Frame:  # noqa: A002
        """Subscribe, return the RECEIPT."""
        return await self.request(
            "SUBSCRIBE", {"id": id, "destination": destination} | _names(headers)
        )

    async def post(self, room_id: str, content: str, **fields: str) -> Frame:
        """Post a message, return the RECEIPT; `fields` as `clientMessageId` go into the body."""
        body = {"content": content, "roomId": room_id} | fields
        return await self.request("SEND", {"destination": "/app/message"}, json.dumps(body))

    async def request(self, command: str, headers: dict[str, str], body: str = "") -> Frame:
        """Send a frame that asks for a receipt, return the RECEIPT."""
        receipt = f"r{next(self._numbers)}"
        await self.send_frame(command, headers | {"receipt": receipt}, body)
        return await self.receipt(receipt)

    async def send_frame(self, command: str, headers: dict[str, str], body: str = "") -> None:
        """Send a frame as it should be."""
        frame = Frame(command, headers, body.encode())
        await self.send_text(encode(frame, self.version).decode())

    async def receipt(self, receipt: str) -> Frame:
        """Return the RECEIPT of this id."""
        return await self.take(
            lambda frame: frame.command == "RECEIPT" and frame.headers["receipt-id"] == receipt
        )

    async def message(self, subscription: str = "0") -> Frame:
        """Return the next MESSAGE of a subscription."""
        return await self.take(
            lambda frame: (
                frame.command == "MESSAGE" and frame.headers.get("subscription") == subscription
            )
        )

    async def body(self, subscription: str = "0") -> dict[str, Any]:
        """Return the next MESSAGE's JSON body."""
        body = json.loads((await self.message(subscription)).body)
        assert isinstance(body, dict)
        return body

    async def error(self) -> Frame:
        """Return the ERROR."""
        return await self.take(_is("ERROR"))

    def _parse(self, chunk: bytes) -> list[Frame]:
        if not chunk.strip(b"\r\n"):
            self.heart_beats += 1
        self._parser.push(chunk)
        frames = []
        while (frame := self._parser.next_frame()) is not None:
            if frame.command == "CONNECTED":
                self.version = self._parser.version = Version(frame.headers["version"])
            frames.append(frame)
        return frames

    def _check(self, item: Frame) -> None:
        if item.command == "ERROR":
            retryable = item.headers.get("x-retryable") == "true"
            raise Refusal(f"{item.headers} {item.body.decode()}", retryable=retryable)


def raw(command: str, *lines: str, body: str = "") -> str:
    """Return a frame spelled out, right or wrong."""
    return "\n".join([command, *lines, "", body]) + "\0"


def _is(command: str) -> Callable[[Frame], bool]:
    return lambda frame: frame.command == command


def _names(headers: dict[str, str]) -> dict[str, str]:
    """`x_since` as a keyword is `x-since` on the wire."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
