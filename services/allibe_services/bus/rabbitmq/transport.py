"""A TCP or TLS connection that can be dropped at once, whatever the peer does.

aiormq says goodbye first and waits for what is unsent: on a network that hangs, for ever.
"""

import asyncio
from typing import Any

from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from yarl import URL


class Droppable(TransportFactory):
    """Opens one connection, for aiormq, and remembers it."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open the connection (`TransportFactory`)."""
        plain = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self._writer = await plain.create(url, **kwargs)
        return reader, self._writer

    def drop(self) -> None:
        """End it now; what is unsent is lost. No matter if it has ended."""
        if self._writer is not None:
            self._writer.transport.abort()
