"""SockJS over a WebSocket: messages in arrays on their way in."""

import asyncio

from allibe_gateway.doors.base import Connection, Door
from allibe_gateway.doors.sockjs import wire
from allibe_services.contracts import disconnects

MESSAGES_IN_A_ROW = 50
"""Messages of one array that are handled before others have their turn."""


class SockJsDoor:
    """A door behind SockJS's framing."""

    __slots__ = ("_connection", "_inner", "heart_beat")

    def __init__(self, inner: Door, connection: Connection) -> None:
        self._inner = inner
        self._connection = connection
        self.heart_beat = inner.heart_beat

    async def open(self) -> None:
        """Open the door within."""
        await self._inner.open()

    async def receive(self, chunk: bytes) -> None:
        """Take an array of messages; nothing at all counts as an empty one."""
        try:
            messages = wire.messages_of(chunk or b"[]")
        except wire.BrokenMessages:
            self._connection.disconnect(disconnects.PROTOCOL_ERROR)
            return
        await hand_over(messages, self._inner, self._connection)

    def hint(self, in_ms: int) -> bool:
        """Let the door within tell it."""
        return self._inner.hint(in_ms)

    async def settled(self) -> None:
        """Wait for the door within."""
        await self._inner.settled()

    async def close(self) -> None:
        """Close the door within."""
        await self._inner.close()


async def hand_over(messages: list[bytes], door: Door, connection: Connection) -> None:
    """Hand messages to a door, in order, until one ends the connection."""
    for number, message in enumerate(messages, 1):
        await door.receive(message)
        if connection.closing:
            return
        if number % MESSAGES_IN_A_ROW == 0:
            await asyncio.sleep(0)  # an array may hold thousands: others wait
