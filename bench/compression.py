"""What shared permessage-deflate costs and saves (`docs/decisions/0024-shared-compression.md`).

python -m bench.compression

Fan-out to real sockets, whose peers read in another process: bytes and CPU of a delivery, with and
without by turns, in one run. The gateway's process alone is counted, its kernel time included. Then
the memory of connections that have agreed on it and idle, with it on and off.
"""

import asyncio
import os
import random
import selectors
import signal
import socket
import statistics
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import uvloop

from allibe_gateway.doors.deflated_view import DeflatedView
from allibe_gateway.doors.json import JSON_VIEW
from allibe_gateway.doors.stomp_view import stomp_view
from allibe_gateway.fanout.audience import Audience, View
from allibe_gateway.fanout.entries import entry_of
from allibe_gateway.fanout.outbox import Outbox
from allibe_gateway.sockets import set_up
from allibe_gateway.stomp import Version
from allibe_gateway.websocket_frames import text_frame
from allibe_services.contracts.ids import MessageId, RoomId, UserId
from allibe_services.contracts.messages import Message
from bench.server import DEFAULT_COMMAND, Server, running
from tests.support.raw_socket import frame

SUBSCRIBERS: Final = (2, 10, 100, 1000)
DELIVERIES: Final = 5_000
"""In a turn, at least; turns of both kinds alternate."""

IDLE: Final = 5_000
HANDSHAKE: Final = (
    b"GET /allibe-ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
TURNS: Final = 5
TEXT: Final = (
    "the of and to in is you that it he was for on are as with his they at be this have from "
    "or one had by word but not what all were we when your can said there use an each which "
    "she do how their if will up other about out many then them these so some her would make "
    "like him into time has look two more write go see number no way could people my than "
    "first water been 회의 오늘 내일 몇시 어디 알겠습니다 감사합니다 "
    "확인 부탁드려요 점심 파일 보내주세요 네 좋아요"
)

_random = random.Random(7)
_words = TEXT.split()
_offsets = count(1)


def message(length: int) -> Message:
    """Return a message with so many characters of content, as no other one has them."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < length:
        words.append(_random.choice(_words))
    return Message(
        message_id=MessageId(f"0197a1b2-c3d4-7e5f-8a6b-{_random.getrandbits(48):012x}"),
        room_id=RoomId("project-team"),
        offset=next(_offsets),
        epoch="8Zk3q0Xw",
        sender=UserId(f"user-{_random.randrange(1000)}"),
        sender_name="Kim Minjun",
        content=" ".join(words)[:length],
        client_message_id=None,
        sent_at=datetime.now(UTC),
    )


class Fanout:
    """One room, its subscribers' sockets, and a process that reads from these."""

    def __init__(self, subscribers: int) -> None:
        self._pairs = [_tcp() for _ in range(subscribers)]
        self._reader = _reading([theirs for _, theirs in self._pairs])
        self._outboxes: list[Outbox] = []

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for ours, theirs in self._pairs:
            theirs.close()
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            set_up(transport)
            self._outboxes.append(
                Outbox(transport, most=1 << 20, shed=1 << 16, overflow=lambda: None)
            )

    def close(self) -> None:
        os.kill(self._reader, signal.SIGKILL)
        os.waitpid(self._reader, 0)

    async def cost(self, view: View, length: int) -> tuple[float, float]:
        """Return bytes and CPU microseconds of a delivery."""
        audience = Audience(ephemeral=False)
        for outbox in self._outboxes:
            audience.add(view, outbox)
        events = [message(length) for _ in range(max(20, DELIVERIES // len(self._outboxes)))]
        spent = 0.0
        for event in events:
            before = time.process_time()
            audience.push(entry_of(event))
            audience.flush()
            await asyncio.sleep(0)  # the writes are made at the end of a turn
            spent += time.process_time() - before
            while any(one.unsent() for one in self._outboxes):  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.001)
        deliveries = len(events) * len(self._outboxes)
        return audience.take_written() / deliveries, spent / deliveries * 1e6


def _tcp() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
    ours.setblocking(False)
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ours, theirs


def _reading(sockets: list[socket.socket]) -> int:
    pid = os.fork()
    if pid:
        return pid
    watching = selectors.DefaultSelector()
    for one in sockets:
        watching.register(one, selectors.EVENT_READ)
    while True:
        for key, _ in watching.select():
            os.read(key.fd, 1 << 16)


async def compare(subscribers: int, name: str, view: View, length: int) -> None:
    """Print what a delivery costs without and with compression, and the ratio."""
    fanout = Fanout(subscribers)
    await fanout.open()
    plain, shrunk = [], []
    for _ in range(TURNS):
        plain.append(await fanout.cost(view, length))
        shrunk.append(await fanout.cost(DeflatedView(view), length))
    fanout.close()
    ratios = [b[1] / a[1] for a, b in zip(plain, shrunk, strict=True)]
    print(
        f"| {subscribers} | {name} | {_mean(plain):.0f} | {_mean(shrunk):.0f}"
        f" | {_mean(shrunk) / _mean(plain):.2f}"
        f" | {_least(plain):.2f} | {_least(shrunk):.2f}"
        f" | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |",
        flush=True,
    )


def _mean(costs: list[tuple[float, float]]) -> float:
    return statistics.mean(size for size, _ in costs)


def _least(costs: list[tuple[float, float]]) -> float:
    return min(spent for _, spent in costs)


def idle(setting: str) -> float:
    """Return KiB of the server's memory for a connection that offers to compress, and idles."""
    os.environ["ALLIBE_WEBSOCKET_COMPRESSION"] = setting
    with running(DEFAULT_COMMAND, core=0) as server:
        server.create_rooms(1)
        sockets = [_subscriber(server) for _ in range(100)]  # what is there once is there now
        before = _resident(server.pid)
        sockets += [_subscriber(server) for _ in range(IDLE)]
        after = _resident(server.pid)
        for one in sockets:
            one.close()
    return (after - before) / IDLE


def _subscriber(server: Server) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", server.port))
    one.sendall(HANDSHAKE)
    _until(one, b"\r\n\r\n")
    connect = f"CONNECT\naccept-version:1.2\nhost:h\nAuthorization:{server.token}\n\n\0"
    one.sendall(frame(connect.encode()))
    one.sendall(frame(b"SUBSCRIBE\nid:0\ndestination:/topic/rooms/bench-1\nreceipt:r\n\n\0"))
    _until(one, b"RECEIPT")
    return one


def _until(one: socket.socket, mark: bytes) -> None:
    got = b""
    while mark not in got:
        got += one.recv(65536)


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmRSS"))


async def fan_out() -> None:
    """Print the table of deliveries."""
    stomp = stomp_view(text_frame, Version.V1_2, "sub-0", "/topic/rooms/project-team", ack=False)
    views: tuple[tuple[str, View], ...] = (("STOMP", stomp), ("JSON", JSON_VIEW))
    print("| subscribers | frame | bytes | compressed | ratio | µs | compressed | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for length in (40, 2048):
        for door, view in views:
            for subscribers in SUBSCRIBERS:
                await compare(subscribers, f"{door}, {length} characters", view, length)


if __name__ == "__main__":
    uvloop.run(fan_out())
    print(f"idle: {idle('off'):.1f} KiB off, {idle('on'):.1f} KiB on, for each of {IDLE}")
