"""Clients that do not read, vanish, or speak no protocol at all: nobody else notices them."""

import asyncio
import json
import socket
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from allibe_gateway.stomp import FrameParser, Version
from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.raw_socket import CLOSE, PING, RawWebSocket, frame
from tests.support.server import Server, eventually, running
from tests.support.stomp_client import StompClient, raw

HEARTBEAT_LOST, SLOW_CONSUMER = disconnects.HEARTBEAT_LOST, disconnects.SLOW_CONSUMER
MEBIBYTE = 1 << 20


def _disconnects(server: Server, code: int) -> float:
    return server.metric("allibe_gateway_disconnects_total", code=str(code))


async def _eventually_disconnected(server: Server, code: int, times: int = 1) -> None:
    await asyncio.to_thread(
        eventually, lambda: _disconnects(server, code) >= times, f"a disconnect {code} is counted"
    )


def _connect(server: Server, user: str, *headers: str) -> str:
    return raw("CONNECT", "accept-version:1.2", f"Authorization:{server.token(user)}", *headers)


class TestSlowConsumer:
    """A client that never reads is closed at a limit; memory is bounded (I7), others unaffected."""

    LIMIT = 65_536
    BATCH = 16
    CONTENT = "x" * 8000
    MOST = 4000
    """Messages after which something must have happened: 32 MB, more than any socket holds."""

    async def test_it_is_closed_with_4409_and_others_get_everything(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """It also finds the reason, when it reads at last, and goes on where it was."""
        server = start_server(ALLIBE_SLOW_CONSUMER_BYTES=str(self.LIMIT))
        room = await clients.api(server, "alice").new_room(None, "bob", "carol")
        healthy, poster = await clients.stomp(server, "bob"), await clients.stomp(server, "alice")
        await healthy.subscribe(f"/topic/rooms/{room}")
        async with RawWebSocket(server, "/allibe-ws", receive_buffer=4096) as slow:
            await slow.send(_connect(server, "carol"))
            await slow.send(raw("SUBSCRIBE", "id:0", f"destination:/topic/rooms/{room}"))
            before = server.memory()
            posted = await self._post_until_closed(server, poster, healthy, room)
            seen, code = await slow.read_to_the_end()
        assert code == SLOW_CONSUMER.code
        for offset in range(1, posted + 1):
            assert (await healthy.body())["offset"] == offset
        assert server.memory() - before < 24 * MEBIBYTE

        parser = FrameParser()
        parser.version = Version.V1_2
        got = [one for one in parser.feed(seen) if one.command == "MESSAGE"]
        assert [json.loads(one.body)["offset"] for one in got] == list(range(1, len(got) + 1))
        again = await clients.stomp(server, "carol")
        receipt = await again.subscribe(
            f"/topic/rooms/{room}", x_since=got[-1].headers["message-id"]
        )
        assert receipt.headers["x-offset"] == str(posted)
        missed = posted - len(got)
        assert receipt.headers["x-recovered"] == ("true" if missed <= 500 else "false")
        if missed <= 500:
            assert (await again.body())["offset"] == len(got) + 1

    async def _post_until_closed(
        self, server: Server, poster: StompClient, healthy: StompClient, room: str
    ) -> int:
        numbers = count(1)
        body = json.dumps({"roomId": room, "content": self.CONTENT})
        while _disconnects(server, SLOW_CONSUMER.code) == 0:
            batch = [str(next(numbers)) for _ in range(self.BATCH)]
            for receipt in batch:
                await poster.send_text(
                    raw("SEND", "destination:/app/message", f"receipt:{receipt}", body=body)
                )
            for receipt in batch:
                await poster.receipt(receipt)
            # The healthy one reads as it comes.
            await healthy.request("SEND", {"destination": "/app/typing"}, f'{{"roomId":"{room}"}}')
            assert int(batch[-1]) < self.MOST, "a client that never reads was never closed"
        return int(batch[-1])

    async def test_one_that_never_reads_at_all_does_not_stay(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """Closed and still not reading: its connection and its bytes are let go all the same."""
        server = start_server(ALLIBE_SLOW_CONSUMER_BYTES=str(self.LIMIT))
        room = await clients.api(server, "alice").new_room()
        poster = await clients.stomp(server, "alice")
        async with RawWebSocket(server, "/allibe-ws", receive_buffer=4096) as slow:
            await slow.send(_connect(server, "alice"))
            await slow.send(raw("SUBSCRIBE", "id:0", f"destination:/topic/rooms/{room}"))
            await self._post_until_closed(server, poster, poster, room)
            await asyncio.to_thread(
                eventually,
                lambda: server.metric("allibe_gateway_connections", door="stomp") == 1,
                "only the poster is connected",
            )

    async def test_one_that_asks_and_never_listens_is_closed_too(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """Answers wait like messages do: a flood of pings is bounded by the same limit."""
        server = start_server(ALLIBE_SLOW_CONSUMER_BYTES=str(self.LIMIT))
        query = f"roomId=1&token={server.token('alice')}"
        async with RawWebSocket(server, f"/ws/chat?{query}", receive_buffer=4096) as slow:
            pings = frame(b'{"type":"ping"}') * 1000
            with suppress(ConnectionError):
                await slow.send_bytes(pings * 2000)
            await asyncio.to_thread(
                eventually,
                lambda: server.metric("allibe_gateway_connections", door="json") == 0,
                "it is dropped",
            )
        assert _disconnects(server, SLOW_CONSUMER.code) == 1


class TestVanishing:
    """A client that is gone is noticed, by heart-beats or by its socket."""

    async def test_two_missed_heart_beats_close_a_stomp_connection(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """It promised one every 200 ms; after 400 ms of silence it is closed with 4408."""
        server = start_server(ALLIBE_HEART_BEAT_SECONDS="0.2")
        silent, lively = [await clients.web_socket(server) for _ in range(2)]
        began = time.monotonic()
        for client in (silent, lively):
            await client.connect(server.token("alice"), heart_beat="200,200")
        beating = asyncio.create_task(self._beat(lively))
        assert await silent.closed() == HEARTBEAT_LOST.code
        assert time.monotonic() - began >= 0.4
        assert (await lively.post("1", "still here")).command == "RECEIPT"
        assert lively.heart_beats > 0
        beating.cancel()

    @staticmethod
    async def _beat(client: StompClient) -> None:
        while True:
            await client.send_text("\n")
            await asyncio.sleep(0.05)

    async def test_a_client_without_heart_beats_may_be_silent_but_for_pongs(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """STOMP 1.2, "Heart-beating": 0 promises nothing, so nothing is missed. Its WebSocket
        library answers pings by itself.
        """
        server = start_server(ALLIBE_HEART_BEAT_SECONDS="0.2")
        quiet, silent = [await clients.web_socket(server) for _ in range(2)]
        await quiet.connect(server.token("alice"), heart_beat="0,0")
        await silent.connect(server.token("alice"), heart_beat="200,200")
        reading = asyncio.create_task(quiet.receipt("r"))
        assert await silent.closed() == HEARTBEAT_LOST.code
        body = '{"roomId": "1", "content": "still here"}'
        await quiet.send_frame("SEND", {"destination": "/app/message", "receipt": "r"}, body)
        assert (await reading).command == "RECEIPT"
        assert quiet.heart_beats == 0

    async def test_pings_that_nobody_answers_close_a_json_connection(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """Every WebSocket library answers pings by itself; who does not is gone."""
        server = start_server(ALLIBE_HEART_BEAT_SECONDS="0.2")
        query = f"roomId=1&token={server.token('alice')}"
        client = await clients.json(server, "alice", "1")
        reading = asyncio.create_task(client.of_type("message"))
        async with RawWebSocket(server, f"/ws/chat?{query}") as gone:
            payloads, code = await gone.read_to_the_end()
        assert code == HEARTBEAT_LOST.code
        assert b'"joined"' in payloads
        await client.send(type="message", content="still here")
        assert (await reading)["content"] == "still here"

    async def test_a_broken_connection_leaves_nothing_behind(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """Half a frame, then the socket breaks: no message, no subscription, no connection."""
        server = start_server()
        bob = await clients.stomp(server, "bob")
        await bob.subscribe("/topic/rooms/1")
        for _ in range(3):
            alice = await clients.stomp(server, "alice")
            await alice.subscribe("/topic/rooms/1")
            await alice.send_text('SEND\ndestination:/app/message\n\n{"roomId":"1","content":"ha')
            alice.abort()
        await asyncio.to_thread(
            eventually,
            lambda: server.metric("allibe_gateway_subscriptions") == 1,
            "only bob's subscription is left",
        )
        assert server.metric("allibe_gateway_connections", door="stomp") == 1
        await bob.post("1", "whole")
        assert (await bob.body())["offset"] == 1


class TestStrangers:
    """What is not even a client."""

    async def test_web_socket_frames_that_are_none_are_closed(
        self, server: Server, clients: Clients
    ) -> None:
        """RFC 6455 §7.4.1: 1002. Reserved bits and opcodes, a control frame that is too long."""
        for chunk in (
            b"\xff\xff\xff\xff",
            b"\x83\x80\0\0\0\0",
            b"\x89\xfe\x00\xff\0\0\0\0" + bytes(255),
        ):
            async with RawWebSocket(server, "/allibe-ws") as stranger:
                await stranger.send_bytes(chunk)
                assert (await stranger.read_to_the_end())[1] == 1002

    async def test_pings_are_answered_also_before_connect(
        self, server: Server, clients: Clients
    ) -> None:
        """RFC 6455 §5.5.2."""
        async with RawWebSocket(server, "/allibe-ws") as client:
            await client.send("are you there", PING)
            assert (await client.read())[1] == b"are you there"

    @pytest.mark.parametrize(
        "sent",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n",
        ],
        ids=["TLS at the plain port", "an address over 8 KiB"],
    )
    def test_what_is_no_http_leaves_no_traceback_in_the_log(
        self, tmp_path: Path, sent: bytes
    ) -> None:
        """Strangers knock at every port: a line each, or an alarm is raised for nothing."""
        with (
            running(tmp_path) as server,
            socket.create_connection(("127.0.0.1", server.port), timeout=10) as stranger,
        ):
            stranger.sendall(sent + b"\r\n\r\n")
            assert stranger.recv(65_536).split(b" ")[1] == b"400"

    async def test_the_server_waits_for_the_answer_to_its_close(
        self, server: Server, clients: Clients
    ) -> None:
        """RFC 6455 §7.1: close frame, answer, then TCP. Here after a fault of the client's."""
        async with RawWebSocket(server, "/allibe-ws") as client:
            await client.send(raw("NONSENSE"))
            await self._assert_closing_handshake(client)

    async def test_the_server_waits_for_the_answer_also_when_it_closes_by_itself(
        self, server: Server, clients: Clients
    ) -> None:
        """Here at the end of the token: nobody is at fault.

        Closing TCP at once answers what the client is still sending with a reset, which may take
        the ERROR and the close code with it before the client has read them.
        """
        async with RawWebSocket(server, "/allibe-ws") as client:
            token = server.token("alice", ttl=1)
            await client.send(raw("CONNECT", "accept-version:1.2", f"Authorization:{token}"))
            await self._assert_closing_handshake(client)

    @staticmethod
    async def _assert_closing_handshake(client: RawWebSocket) -> None:
        while (await client.read())[0] != CLOSE:
            pass
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await client.read()
        await client.send_bytes(frame((1000).to_bytes(2, "big"), CLOSE))
        with pytest.raises(ConnectionError):
            await client.read()
