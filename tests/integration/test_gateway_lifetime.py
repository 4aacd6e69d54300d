"""Connections that are slow, silent, or vanish, and a gateway that goes away."""

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from allibe_gateway.connection import WebSocketConnection
from allibe_gateway.limits import Limits
from allibe_gateway.sockets import KERNEL_BYTES
from tests.integration.gateway import Site, frame, running, token
from tests.support.until import until

HANDSHAKE = (
    b"GET /allibe-ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class RawClient:
    """A STOMP client on a bare socket, which can do what no library does."""

    def __init__(self, site: Site, *, receive_buffer: int = 0) -> None:
        self._address = ("127.0.0.1", int(site.url.rpartition(":")[2]))
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setblocking(False)

    async def open(self, user: str) -> None:
        """Shake hands, CONNECT, SUBSCRIBE; return once the RECEIPT is here."""
        await self.reach(HANDSHAKE)
        await self.until(b"\r\n\r\n")
        await self.send(frame("CONNECT", accept_version="1.2", Authorization=token(user)))
        await self.send(frame("SUBSCRIBE", id="s", destination="/topic/rooms/1", receipt="r"))
        await self.until(b"RECEIPT")

    async def reach(self, stream: bytes) -> None:
        """Open the TCP connection and send this."""
        await asyncio.get_running_loop().sock_connect(self.socket, self._address)
        await asyncio.get_running_loop().sock_sendall(self.socket, stream)

    async def send(self, text: str) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, masked(text.encode()))

    def vanish(self) -> None:
        """End without a word: a reset, as when a phone loses its network and the NAT its state."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    async def rest(self) -> bytes:
        """Read to the end of the stream."""
        got = b""
        async with asyncio.timeout(10):
            while more := await asyncio.get_running_loop().sock_recv(self.socket, 65536):
                got += more
        return got

    async def answer_close(self, code: int) -> None:
        close = masked(struct.pack("!H", code), 0x88)
        await asyncio.get_running_loop().sock_sendall(self.socket, close)

    async def until(self, mark: bytes) -> bytes:
        """Read until this has come; return all that was read."""
        got = b""
        async with asyncio.timeout(10):
            while mark not in got:
                more = await asyncio.get_running_loop().sock_recv(self.socket, 65536)
                assert more, got
                got += more
        return got


def masked(content: bytes, opcode: int = 0x81) -> bytes:
    """Return a client's WebSocket frame (RFC 6455 §5.2), masked with zeros."""
    length = len(content)
    assert length < 65536
    head = (
        bytes((opcode, 0x80 | length)) if length < 126 else struct.pack("!BBH", opcode, 254, length)
    )
    return head + b"\0\0\0\0" + content


class TestSlowConsumers:
    async def test_one_that_does_not_read_is_closed_and_the_others_do_not_notice(
        self, tmp_path: Path
    ) -> None:
        """A hard limit in bytes, and a reason that says "resume" (I7)."""
        async with running(tmp_path, limits=Limits(slow_consumer_bytes=65536)) as site:
            slow = RawClient(site, receive_buffer=4096)
            await slow.open("bob")
            alice = await site.stomp_user("alice")
            await alice.subscribe()
            sent = 0
            while not site.figure("disconnects_total", code="4409"):
                for _ in range(5):
                    await alice.post("x" * 8000)
                sent += 5
                await alice.messages(5)
                assert sent < 5000
            await until(lambda: site.figure("subscriptions") == 1)
            await alice.post("still here")
            assert await alice.contents(1) == ["still here"]
            slow.socket.close()

    async def test_the_kernel_keeps_little_of_what_is_not_read(self, site: Site) -> None:
        """It would else take megabytes for each, and nothing would know."""
        slow = RawClient(site, receive_buffer=4096)
        await slow.open("bob")
        (connection,) = site.gateway._connections
        for _ in range(100):
            connection.outbox.write(b"\x82\x7e\x1f\x40" + b"x" * 8000)
            await asyncio.sleep(0)
        assert connection.unsent > 100 * 8000 - 4 * KERNEL_BYTES
        slow.socket.close()


class TestLastWords:
    """ERROR, then close: always in that order and flushed, also to a client that lags."""

    async def test_what_was_written_before_a_close_arrives(self, site: Site) -> None:
        bob = RawClient(site, receive_buffer=4096)
        await bob.open("bob")
        (connection,) = site.gateway._connections
        assert isinstance(connection, WebSocketConnection)
        while connection.outbox.waiting < 30_000:  # the kernel is full
            connection.outbox.write(b"\x82\x7e\x1f\x40" + b"x" * 8000)
            await asyncio.sleep(0)
        await bob.send("NONSENSE\n\n\0")
        await until(lambda: connection.closing)
        await asyncio.sleep(0.05)  # it reads a little later, well within its time
        got = await bob.until(struct.pack("!H", 4400) + b"protocol error")
        assert b"unknown_command" in got
        await bob.answer_close(4400)
        assert await bob.rest() == b""
        bob.socket.close()

    async def test_so_it_does_when_the_gateway_drains(self, site: Site) -> None:
        """Closed from outside, while the connection waits for its peer."""
        bob = RawClient(site, receive_buffer=4096)
        await bob.open("bob")
        (connection,) = site.gateway._connections
        assert isinstance(connection, WebSocketConnection)
        while connection.outbox.waiting < 30_000:
            connection.outbox.write(b"\x82\x7e\x1f\x40" + b"x" * 8000)
            await asyncio.sleep(0)
        draining = asyncio.create_task(site.gateway.drain(5))
        await until(lambda: connection.closing)
        await asyncio.sleep(0.05)
        await bob.until(struct.pack("!H", 1012) + b"service restart: resume")
        await bob.answer_close(1012)
        await draining
        bob.socket.close()

    @pytest.mark.parametrize("cause", ["error", "drain"])
    async def test_the_close_waits_for_the_peers_answer(self, site: Site, cause: str) -> None:
        """RFC 6455 §7.1.1. Closed with input unread, a socket resets: on some systems, and behind
        some proxies, the peer then never sees why.
        """
        bob = RawClient(site)
        await bob.open("bob")
        if cause == "error":
            await bob.send("NONSENSE\n\n\0")
        draining = asyncio.create_task(site.gateway.drain(5)) if cause == "drain" else None
        await bob.until(b"protocol error" if cause == "error" else b"resume")
        for _ in range(20):
            await bob.send("\n" * 60_000)
        await bob.answer_close(4400 if cause == "error" else 1012)
        assert await bob.rest() == b""
        if draining is not None:
            await draining
        bob.socket.close()


class TestHeartBeats:
    LIMITS = Limits(heart_beat_seconds=0.1, silent_intervals=10)
    """A second of silence: a busy machine is not taken for a dead peer."""

    async def test_both_sides_beat_as_agreed(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=self.LIMITS) as site:
            client = await site.stomp_user(heart_beat="100,100")
            for _ in range(5):
                assert await client.text() == "\n"
                await client.raw("\n")
            await client.subscribe()

    async def test_a_peer_that_promised_and_is_silent_is_dead(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=self.LIMITS) as site:
            client = await site.stomp_user(heart_beat="100,100")
            ended = await client.end()
            assert (ended.code, ended.reason) == (4408, "no heart-beat")

    async def test_one_that_promised_nothing_has_only_to_answer_pings(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=self.LIMITS) as site:
            promised, silent = await site.stomp_user(heart_beat="100,100"), await site.stomp_user()
            reading = asyncio.create_task(silent.next())  # which answers pings
            gone = RawClient(site)
            await gone.open("bob")
            assert (await promised.end()).code == 4408
            assert struct.pack("!H", 4408) in await gone.until(b"no heart-beat")
            await silent.send("SUBSCRIBE", id="s", destination="/topic/rooms/1", receipt="r")
            assert (await reading).command == "RECEIPT"
            gone.socket.close()

    async def test_every_byte_counts_even_of_a_ping(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=self.LIMITS) as site:
            client = await site.stomp_user(heart_beat="100,100")
            for _ in range(6):
                assert await client.text() == "\n"
                await client.socket.ping()
                assert (await client.socket.receive(timeout=5)).type.name == "PONG"
            await client.subscribe()


class TestVanishing:
    def test_peers_that_vanish_under_fan_out_cost_the_others_nothing(self, tmp_path: Path) -> None:
        """On uvloop, as in production: it raises from writes to a socket that is gone."""
        uvloop.run(self._vanish(tmp_path))

    async def _vanish(self, folder: Path) -> None:
        limits = Limits(heart_beat_seconds=0.01, silent_intervals=1000)
        async with running(folder, limits=limits) as site:
            with capture_logs() as logs:
                alice = await site.stomp_user("alice")
                await alice.subscribe("/topic/rooms/1", "s")
                for number in range(15):
                    gone = [RawClient(site) for _ in range(4)]
                    for one in gone:
                        await one.open("bob")
                    for content in range(4):
                        await alice.post(f"{number}-{content}")
                        gone[content].vanish()
                await alice.post("last")
                seen: list[str] = []
                while not seen or seen[-1] != "last":
                    seen.append((await alice.next()).json["content"])
                assert seen == await site.history()
                await until(lambda: site.figure("connections", door="stomp") == 1)
        assert logs == []


class TestVanishingEarly:
    @pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
    def test_peers_that_vanish_at_any_step_leave_neither_trace_nor_traceback(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, run: Callable[..., None]
    ) -> None:
        """A reconnect storm through a network that breaks."""
        with capture_logs() as logs:
            run(self._vanish(tmp_path))
        assert [line for line in logs if line["log_level"] != "info"] == []
        assert [record for record in caplog.records if record.levelno > logging.INFO] == []

    async def _vanish(self, folder: Path) -> None:
        async with running(
            folder, limits=Limits(heart_beat_seconds=0.01, silent_intervals=1000)
        ) as site:
            random = Random(1)
            await asyncio.gather(*(self._visit(site, random) for _ in range(100)))
            await until(lambda: site.figure("connections", door="stomp") in (None, 0))
            assert site.figure("subscriptions") == 0

    async def _visit(self, site: Site, random: Random) -> None:
        stream = (
            HANDSHAKE
            + masked(frame("CONNECT", accept_version="1.2", Authorization=token("bob")).encode())
            + masked(frame("SUBSCRIBE", id="s", destination="/topic/rooms/1").encode())
            + masked(b"", 0x89) * 3
        )
        one = RawClient(site)
        await one.reach(stream[: random.choice([random.randrange(len(stream)), len(stream)])])
        for _ in range(random.randrange(10)):
            await asyncio.sleep(0)
        one.vanish()


class TestDraining:
    """SIGTERM: receipts for what was accepted, then close so that clients come back."""

    async def test_what_was_accepted_gets_its_receipt_and_then_the_close(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        free = asyncio.Event()
        append = site.store.log.append

        async def slow(commands: Any) -> Any:
            await free.wait()
            return await append(commands)

        monkeypatch.setattr(site.store.log, "append", slow)
        stomp, plain = await site.stomp_user("alice"), await site.json_user("bob")
        await stomp.post("a", receipt="r")
        await plain.send("message", content="b")
        await until(lambda: site.figure("messages_in_total") == 2)
        draining = asyncio.create_task(site.gateway.drain(5))
        await until(lambda: all(one._draining for one in site.gateway._connections))
        async with site.http.get(f"{site.url}/allibe-ws") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
        await stomp.post("too late", receipt="r2")
        free.set()
        assert (await stomp.next()).headers["receipt-id"] == "r"
        assert (await plain.next_of("ack"))["offset"] in (1, 2)
        for client in (stomp, plain):
            ended = await client.end()
            assert (ended.code, ended.reason) == (1012, "service restart: resume")
        await draining
        assert sorted(await site.history()) == ["a", "b"]

    async def test_it_does_not_wait_longer_than_it_is_told(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def never(_: Any) -> Any:
            await asyncio.Event().wait()

        monkeypatch.setattr(site.store.log, "append", never)
        client = await site.stomp_user("alice")
        await client.post("a", receipt="r")
        await until(lambda: site.figure("messages_in_total") == 1)
        draining = asyncio.create_task(site.gateway.drain(0.05))
        ended = await client.end()
        assert ended.code == 1012
        await asyncio.wait_for(draining, 2)

    async def test_a_gateway_without_connections_is_drained_at_once(self, site: Site) -> None:
        await asyncio.wait_for(site.gateway.drain(5), 1)

    async def test_one_that_is_just_coming_in_is_sent_away_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its handshake was begun before, and is answered after."""
        async with running(tmp_path) as site:
            opened = site.gateway._opened

            def drain_first(*arguments: Any) -> None:
                site.gateway._draining = True
                opened(*arguments)

            monkeypatch.setattr(site.gateway, "_opened", drain_first)
            client = await site.stomp()
            assert (await client.end()).code == 1012


async def test_many_rooms_and_doors_at_once_leave_nothing_behind(tmp_path: Path) -> None:
    """Connections that come, talk and go, in all ways: no task, subscription or lease is left."""
    async with running(tmp_path) as site:
        before = len(asyncio.all_tasks())

        async def visit(number: int) -> None:
            if number % 3 == 0:
                client = await site.json_user("alice")
                await client.send("message", content=str(number))
                await client.next_of("ack")
                await client.close()
            elif number % 3 == 1:
                stomp = await site.stomp_user("bob")
                await stomp.subscribe()
                await stomp.post(json.dumps(number), receipt="r")
                while (await stomp.next()).command != "RECEIPT":
                    pass
                await stomp.close()
            else:
                raw = RawClient(site)
                await raw.open("bob")
                raw.vanish()

        await asyncio.gather(*(visit(number) for number in range(30)))
        await until(lambda: site.figure("connections", door="stomp") == 0)
        await until(lambda: site.figure("connections", door="json") == 0)
        assert site.figure("subscriptions") == 0
        assert len(await site.history()) == 20
        await until(lambda: len(asyncio.all_tasks()) <= before)
