"""A WebSocket down to its socket, for clients that no library would let misbehave like this.

Nothing is read until the test reads; what is sent is masked with zeros.
"""

import asyncio
import base64
import os
import socket
from types import TracebackType
from typing import Protocol
from urllib.parse import urlsplit

from tests.support.server import WAIT_SECONDS

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
"""Opcodes, RFC 6455 §5.2."""

_LENGTH_16, _LENGTH_64 = 126, 127
_MASKED, _FINAL = 0x80, 0x80


class Listening(Protocol):
    """Where to connect: a server of any kind."""

    @property
    def url(self) -> str: ...


class RawWebSocket:
    """One connection; use as an async context manager. `receive_buffer` bytes in the kernel."""

    def __init__(self, server: Listening, path: str, *, receive_buffer: int | None = None) -> None:
        self.head = b""
        """The answer to the handshake."""
        self._address = ("127.0.0.1", urlsplit(server.url).port)
        self._path = path
        self._buffer = b""
        self._socket = socket.socket()
        self._socket.setblocking(False)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)

    async def __aenter__(self) -> "RawWebSocket":
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        lines = (
            f"GET {self._path} HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Protocol: v12.stomp",
        )
        await self.send_bytes("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            await self._read_more()
        self.head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert self.head.startswith(b"HTTP/1.1 101"), self.head
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()

    async def send(self, text: str, opcode: int = TEXT) -> None:
        """Send one frame."""
        await self.send_bytes(frame(text.encode(), opcode))

    async def send_bytes(self, chunk: bytes) -> None:
        """Send bytes as they are. Raises `ConnectionError` when the peer has gone."""
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.get_running_loop().sock_sendall(self._socket, chunk)

    async def read(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame. Raises `ConnectionError` at the end."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (found := _unpack(self._buffer)) is None:
                await self._read_more()
        opcode, payload, self._buffer = found
        return opcode, payload

    async def until_gone(self) -> None:
        """Return once the server has closed the TCP connection; nothing may come before."""
        try:
            opcode, payload = await self.read()
        except ConnectionError:
            return
        raise AssertionError(f"after the close came {opcode} {payload!r}")

    async def read_to_the_end(self) -> tuple[bytes, int]:
        """Return all payloads, and the close code: 1006 where the connection just broke."""
        payloads: list[bytes] = []
        try:
            while True:
                opcode, payload = await self.read()
                if opcode == CLOSE:
                    return b"".join(payloads), int.from_bytes(payload[:2], "big")
                payloads.append(payload)
        except ConnectionError:
            return b"".join(payloads), 1006

    async def _read_more(self) -> None:
        chunk = await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
        if not chunk:
            raise ConnectionError("the peer has closed")
        self._buffer += chunk


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    final: bool = True,
    reserved: int = 0,
    mask: bytes | None = bytes(4),
) -> bytes:
    """Return a client's frame, right or wrong: RFC 6455 §5.2. `reserved` is 4 for RSV1."""
    length, masked = len(payload), 0 if mask is None else _MASKED
    if length < _LENGTH_16:
        size = bytes([masked | length])
    elif length < 1 << 16:
        size = bytes([masked | _LENGTH_16]) + length.to_bytes(2, "big")
    else:
        size = bytes([masked | _LENGTH_64]) + length.to_bytes(8, "big")
    head = bytes([(_FINAL if final else 0) | reserved << 4 | opcode]) + size
    if mask is None:
        return head + payload
    if any(mask):
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return head + mask + payload


def _unpack(buffer: bytes) -> tuple[int, bytes, bytes] | None:
    """Return the first of a server's frames and the rest, None while it is not whole."""
    if len(buffer) < 2:
        return None
    assert buffer[0] & 0xF0 == _FINAL, "a server's frame in parts, or with reserved bits"
    assert not buffer[1] & _MASKED, "a server's frame that is masked"
    start, length = 2, buffer[1]
    if length in (_LENGTH_16, _LENGTH_64):
        start += 2 if length == _LENGTH_16 else 8
        length = int.from_bytes(buffer[2:start], "big")
    if len(buffer) < start + length:
        return None
    return buffer[0] & 0x0F, buffer[start : start + length], buffer[start + length :]
