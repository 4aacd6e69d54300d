"""SockJS over a WebSocket: messages in arrays on their way in."""

import asyncio
from collections.abc import Coroutine

from allibe_gateway.doors.base import Connection, Door
from allibe_gateway.doors.sockjs import wire
from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import AllibeError
from allibe_services.contracts.ids import UserId

MESSAGES_IN_A_ROW = 50
"""Messages of one array that are handled before others have their turn."""


class SockJsDoor:
    """A door behind SockJS's framing."""

    __slots__ = ("_connection", "_inner", "heart_beat")

    def __init__(self, inner: Door, connection: Connection) -> None:
        self._inner = inner
        self._connection = connection
        self.heart_beat = inner.heart_beat

    @property
    def user(self) -> UserId | None:
        """Whose connection it is, once that is known."""
        return self._inner.user

    def open(self) -> Coroutine[None, None, None] | None:
        """Open the door within."""
        return self._inner.open()

    async def receive(self, chunk: bytes) -> int:
        """Take an array of messages; nothing at all counts as an empty one."""
        try:
            messages = wire.messages_of(chunk or b"[]")
        except wire.BrokenMessages:
            self._connection.disconnect(disconnects.PROTOCOL_ERROR)
            return 0
        return await hand_over(messages, self._inner, self._connection)

    def fail(self, error: AllibeError) -> None:
        """Let the door within tell it."""
        self._inner.fail(error)

    def hint(self, in_ms: int) -> bool:
        """Let the door within tell it."""
        return self._inner.hint(in_ms)

    async def settled(self) -> None:
        """Wait for the door within."""
        await self._inner.settled()

    async def close(self) -> None:
        """Close the door within."""
        await self._inner.close()


async def hand_over(messages: list[bytes], door: Door, connection: Connection) -> int:
    """Hand messages to a door, in order, until one ends the connection; return their frames."""
    frames = 0
    for number, message in enumerate(messages, 1):
        frames += await door.receive(message)
        if connection.closing:
            break
        if number % MESSAGES_IN_A_ROW == 0:
            await asyncio.sleep(0)  # an array may hold thousands: others wait
    return frames
