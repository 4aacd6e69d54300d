"""A network that misbehaves on demand: a TCP proxy between a client and a server of loopback.

It runs in a thread of its own, so that it goes on while a test blocks, and so that calls take
effect before they return, from a test of any kind.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Self

from deploy.cluster.servers.ports import release_port, reserve_port

CHUNK = 65_536
"""Bytes that are read at once."""

UNDER_WAY = 64
"""Chunks of one direction that are held back; the sender's kernel holds what does not fit."""

PIECE_SECONDS = 0.001
"""Between pieces: without it the other side, when it is busy, finds many at a time."""

CALL_SECONDS = 10.0

BACKLOG = 100

_TICKS = 20
"""Steps a second in which a slow connection trickles."""

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class TcpProxy:
    """Forwards its port to another one, until told otherwise. What is told holds until `heal`.

    Faults add up: `slow(1000)` and then `slice(1)` is both. They apply to both directions, to
    the connections that are there, and to those that come.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = reserve_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listener: socket.socket | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._faults = _Faults()

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()
        release_port(self.port)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def stall(self) -> None:
        """Take connections and bytes, and forward nothing, not even an end."""
        self._call(self._stall())

    def cut(self) -> None:
        """Reset all connections, and refuse new ones."""
        self._call(self._cut())

    def slow(self, bytes_per_second: int) -> None:
        """Forward so much of each connection and direction."""
        self._faults.rate = bytes_per_second

    def delay(self, seconds: float) -> None:
        """Forward everything so much later; as much of it as before."""
        self._faults.delay = seconds

    def slice(self, size: int) -> None:
        """Forward in pieces of so many bytes, each sent by itself."""
        self._faults.piece = size

    def heal(self) -> None:
        """Forward everything at once again, and take connections."""
        self._call(self._heal())

    def _call(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=BACKLOG)
            self._listener.setblocking(False)
            self._loop.add_reader(self._listener, self._take, self._listener)

    def _take(self, listener: socket.socket) -> None:
        """Take connections.

        Not by `asyncio.start_server`, which closed in between loses what it has accepted.
        """
        with suppress(BlockingIOError, ConnectionAbortedError):
            while True:
                client, _ = listener.accept()
                task = self._loop.create_task(_forward(client, self.target_port, self._faults))
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)

    async def _stall(self) -> None:
        self._faults.flows.clear()

    async def _cut(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await asyncio.sleep(0)  # a task that has not begun would leave its socket open
        connections = tuple(self._connections)
        for task in connections:
            task.cancel()
        if connections:
            await asyncio.wait(connections)
        await asyncio.sleep(0)  # transports close their sockets one turn after their abort

    async def _heal(self) -> None:
        self._faults.heal()
        await self._listen()


class _Faults:
    """What is wrong with the network now."""

    def __init__(self) -> None:
        self.flows = asyncio.Event()
        self.heal()

    def heal(self) -> None:
        self.rate: int | None = None
        self.delay = 0.0
        self.piece: int | None = None
        self.flows.set()

    async def hold(self, since: float) -> None:
        """Return when what came then may go on."""
        await self.flows.wait()
        while (left := since + self.delay - time.monotonic()) > 0:  # noqa: ASYNC110, heal ends it
            await asyncio.sleep(min(left, 1 / _TICKS))
        await self.flows.wait()

    async def write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Write as fast, and in such pieces, as the network lets."""
        left = memoryview(data)
        while left:
            await self.flows.wait()
            size = self._piece_of(len(left))
            writer.write(left[:size])
            left = left[size:]
            await writer.drain()
            await asyncio.sleep(self._pause_after(size))

    def _pause_after(self, size: int) -> float:
        if self.rate is not None:
            return size / self.rate
        return 0 if self.piece is None else PIECE_SECONDS

    def _piece_of(self, size: int) -> int:
        limits = [size, self.piece or size]
        if self.rate is not None:
            limits.append(max(1, self.rate // _TICKS))
        return min(limits)


async def _forward(client: socket.socket, port: int, faults: _Faults) -> None:
    """Forward both ways until both sides have ended, or one is reset: then the other is, too."""
    client.setblocking(False)
    streams, pumps = list[_Streams](), list[asyncio.Task[None]]()
    end: Callable[[asyncio.StreamWriter], None] = _reset
    try:
        streams.append(await asyncio.open_connection(sock=client))
        await faults.flows.wait()
        streams.append(await asyncio.open_connection("127.0.0.1", port))
        (from_client, to_client), (from_target, to_target) = streams
        pumps.append(asyncio.create_task(_pump(from_client, to_target, faults)))
        pumps.append(asyncio.create_task(_pump(from_target, to_client, faults)))
        await asyncio.gather(*pumps)
        end = asyncio.StreamWriter.close
    except (OSError, asyncio.CancelledError):
        pass  # cancelled by a cut
    finally:
        for pump in pumps:
            pump.cancel()
        for _, writer in streams:
            end(writer)
        if not streams:
            client.close()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: _Faults
) -> None:
    """Forward one direction. Reading goes on while earlier bytes are held back."""
    under_way: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue(UNDER_WAY)
    taking = asyncio.create_task(_take(reader, under_way))
    try:
        while True:
            since, data = await under_way.get()
            await faults.hold(since)
            if data is None:
                raise ConnectionResetError
            if not data:
                writer.write_eof()
                return
            await faults.write(data, writer)
    finally:
        taking.cancel()


async def _take(
    reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes | None]]
) -> None:
    """Take chunks with the time they came; at the end nothing, or None for a reset."""
    data: bytes | None = b"more"
    while data:
        try:
            data = await reader.read(CHUNK)
        except OSError:
            data = None
        await under_way.put((time.monotonic(), data))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with an RST: what SO_LINGER of no seconds means."""
    with suppress(OSError):  # it is closed already
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    writer.transport.abort()
