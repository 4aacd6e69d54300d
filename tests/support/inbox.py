"""What the clients of the tests share: a WebSocket whose messages can be waited for by kind.

One WebSocket message may hold several things (STOMP frames), and what a test waits for may come
after something else: that stays in the inbox, in order.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType

from tests.support.server import WAIT_SECONDS

_Item = TypeVar("_Item")


class Closed(Exception):
    """The server closed the connection (or it broke: 1006) while a test waited for more."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class Refusal(Exception):
    """An error came that the test did not ask for; `retryable` is what it says of itself."""

    def __init__(self, text: str, *, retryable: bool = False) -> None:
        super().__init__(text)
        self.retryable = retryable


class Inbox(ABC, Generic[_Item]):
    """A WebSocket and what has come in over it."""

    def __init__(self, web_socket: ClientWebSocketResponse) -> None:
        self.web_socket = web_socket
        self.messages_in = 0
        """WebSocket messages received, heart-beats included."""
        self._items: dict[int, _Item] = {}
        self._came = 0
        self._closed: Closed | None = None
        self._receiving = asyncio.Lock()

    @abstractmethod
    def _parse(self, chunk: bytes) -> list[_Item]:
        """Return what a WebSocket message holds."""

    def _check(self, item: _Item) -> None:
        """Raise `Refusal` for what fails a test that does not wait for it."""

    async def take(
        self, wanted: Callable[[_Item], bool] = lambda _: True, *, seconds: float = WAIT_SECONDS
    ) -> _Item:
        """Return the next one that is wanted; others stay. Raises `Closed`, `Refusal`."""
        async with asyncio.timeout(seconds):
            number = next(iter(self._items), self._came)
            while True:
                while number < self._came:
                    item = self._items.get(number)
                    if item is not None and wanted(item):
                        return self._items.pop(number)
                    if item is not None:
                        self._check(item)
                    number += 1
                if self._closed is not None:
                    raise self._closed
                await self._receive(number)

    async def closed(self, *, seconds: float = WAIT_SECONDS) -> int:
        """Return the code with which the server closes; what comes before stays in the inbox."""
        async with asyncio.timeout(seconds):
            while self._closed is None:
                await self._receive(self._came)
        return self._closed.code

    @property
    def waiting(self) -> list[_Item]:
        """What came and was not taken."""
        return list(self._items.values())

    async def send_text(self, text: str) -> None:
        """Send one WebSocket text message, as it is."""
        await self.web_socket.send_str(text)

    async def send_bytes(self, message: bytes, *, text: bool = False) -> None:
        """Send one WebSocket message of any bytes, as binary or, wrong or not, as text."""
        if text:
            await self.web_socket.send_frame(message, WSMsgType.TEXT)
        else:
            await self.web_socket.send_bytes(message)

    async def close(self) -> None:
        """Close as a browser does: `ws.close()`."""
        await self.web_socket.close()

    def abort(self) -> None:
        """Vanish: the connection, if it is still there, breaks without a word."""
        connection = self.web_socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

    def let_go(self) -> None:
        """Drop the connection, in whatever state it is: at the end of a test."""
        self.web_socket._response.close()

    async def _receive(self, known: int) -> None:
        """Receive more than so many, unless somebody else who waits has done it meanwhile."""
        async with self._receiving:
            if self._came == known and self._closed is None:
                self._add(await self.web_socket.receive())

    def _add(self, message: WSMessage) -> None:
        if message.type is WSMsgType.TEXT:
            chunk = message.data.encode()
        elif message.type is WSMsgType.BINARY:
            chunk = message.data
        else:
            # Not `close_code`: that says 1006 when the server no longer takes our own close frame.
            came = message.type is WSMsgType.CLOSE
            self._closed = Closed(message.data if came else 1006, message.extra or "")
            return
        self.messages_in += 1
        for item in self._parse(chunk):
            self._items[self._came] = item
            self._came += 1
