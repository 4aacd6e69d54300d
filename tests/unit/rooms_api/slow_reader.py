"""A client that asks and does not read, and a server that notices soon."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LITTLE = 4096
"""Bytes that the kernel keeps for a socket; it makes some more of them."""


def little_listener(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    """Return a socket whose connections keep little in the kernel, so that much stays with us."""
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LITTLE)
    listener.bind((host, port))
    return listener


@asynccontextmanager
async def reading_nothing(port: int, head: str) -> AsyncIterator[socket.socket]:
    """Give a socket that has sent the head of a request and has read nothing."""
    with socket.socket() as asking:
        asking.setblocking(False)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        await asyncio.get_running_loop().sock_connect(asking, ("127.0.0.1", port))
        await asyncio.get_running_loop().sock_sendall(asking, head.encode())
        yield asking
