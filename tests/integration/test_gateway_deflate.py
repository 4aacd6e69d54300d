"""permessage-deflate through a whole gateway: agreed on, shared, and no less exact (RFC 7692)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
)

from allibe_gateway.limits import Limits
from tests.integration.gateway import (
    ROOM,
    WAIT_SECONDS,
    Client,
    Frame,
    Site,
    StompClient,
    frame,
    running,
    token,
)

OFFER = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
CONTENTS = ["short", "안녕하세요 👋 " * 60, "the same again and again " * 40, "x" * 8000]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A gateway with compression."""
    async with running(tmp_path, limits=Limits(compression=True)) as site:
        yield site


class Library:
    """A STOMP client over `websockets`, which offers to compress, and does so, by itself."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, command: str, body: str = "", /, **headers: str) -> None:
        await self._socket.send(frame(command, body, **headers))

    async def next(self) -> Frame:
        async with asyncio.timeout(WAIT_SECONDS):
            return Frame(str(await self._socket.recv()))

    async def sign_in(self, user: str) -> None:
        await self.send("CONNECT", accept_version="1.2", Authorization=token(user))
        assert (await self.next()).command == "CONNECTED"
        await self.send("SUBSCRIBE", id="s1", destination=ROOM, receipt="r")
        assert (await self.next()).command == "RECEIPT"


class Counting(PerMessageDeflate):
    """Notes the bytes of what came compressed."""

    compressed: list[int]

    def decode(self, frame: Any, *, max_size: int | None = None) -> Any:
        if frame.rsv1:
            self.compressed.append(len(frame.data))
        return super().decode(frame, max_size=max_size)


class CountingFactory(ClientPerMessageDeflateFactory):
    """Makes one."""

    made: Counting

    def process_response_params(self, params: Any, accepted_extensions: Any) -> PerMessageDeflate:
        super().process_response_params(params, accepted_extensions)
        self.made = Counting(True, True, 15, 15)
        self.made.compressed = []
        return self.made


class SockJsClient(StompClient):
    """STOMP in SockJS's arrays."""

    async def raw(self, text: str, *, binary: bool = False) -> None:
        assert not binary
        await self.socket.send_str(json.dumps([text]))

    async def text(self) -> str:
        array = await super().text()
        assert array[0] == "a", array
        (text,) = json.loads(array[1:])
        return str(text)


def library(site: Site, **more: Any) -> connect:
    return connect(site.url.replace("http", "ws") + "/allibe-ws", **more)


def _handshake() -> dict[str, str]:
    return {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }


async def compressing(site: Site, user: str) -> StompClient:
    """Return a client of room 1 over aiohttp, that has offered to compress."""
    client = await site.stomp(compress=15)
    assert client.socket.compress == 15
    await client.connect(Authorization=token(user))
    await client.subscribe()
    return client


async def test_a_room_of_all_kinds_gets_the_same(site: Site) -> None:
    """Who compresses and who does not; what is short, and what is long, both ways."""
    plain = await site.stomp_user("alice")
    assert plain.socket.compress == 0
    await plain.subscribe()
    shrunk = await compressing(site, "bob")
    reader = await site.json_user("bob", "1")
    compressed_reader = await site.json(f"roomId=1&token={token('bob')}", compress=15)
    assert (await compressed_reader.next())["type"] == "joined"
    async with library(site) as socket:
        other = Library(socket)
        assert [one.name for one in socket.protocol.extensions] == ["permessage-deflate"]
        await other.sign_in("alice")
        for number, content in enumerate(CONTENTS):
            if number % 2:
                await shrunk.post(content)
            else:
                body = json.dumps({"content": content, "roomId": "1"})
                await other.send("SEND", body, destination="/app/message")
            got = [(await client.next()).json for client in (plain, shrunk, other)]
            got += [await client.next_of("message") for client in (reader, compressed_reader)]
            assert [one["content"] for one in got] == [content] * 5
            assert got == [got[0]] * 5
    assert await site.history() == CONTENTS


async def test_what_is_long_comes_compressed_and_a_replay_as_it_is(site: Site) -> None:
    """To one alone it would cost more than it saves: 10,000 may come back at once."""
    counting = CountingFactory()
    async with library(site, compression=None, extensions=[counting]) as socket:
        client = Library(socket)
        await client.sign_in("alice")
        await (await site.stomp_user("bob")).post(CONTENTS[2])
        first = await client.next()
        (size,) = counting.made.compressed
        assert size < len(CONTENTS[2]) / 3
        headers = {"x_since": first.headers["message-id"].rpartition(".")[0] + ".0"}
        await client.send("SUBSCRIBE", id="s2", destination=ROOM, receipt="r2", **headers)
        again = await client.next()
        assert (again.headers["subscription"], again.json) == ("s2", first.json)
        assert counting.made.compressed == [size]


async def test_one_connection_has_a_room_compressed_once(site: Site) -> None:
    """Under ids of its own one could subscribe a hundred times, each a group to compress for."""
    counting = CountingFactory()
    async with library(site, compression=None, extensions=[counting]) as socket:
        client = Library(socket)
        await client.sign_in("alice")
        for number in (2, 3):
            await client.send("SUBSCRIBE", id=f"s{number}", destination=ROOM, receipt="r")
            assert (await client.next()).command == "RECEIPT"
        await (await site.stomp_user("bob")).post(CONTENTS[2])
        got = [await client.next() for _ in range(3)]
        assert {one.headers["subscription"] for one in got} == {"s1", "s2", "s3"}
        assert [one.json["content"] for one in got] == [CONTENTS[2]] * 3
        assert len(counting.made.compressed) == 1


@pytest.mark.parametrize("path", ["/allibe-ws", "/ws/chat", "/allibe-ws/000/s/websocket"])
async def test_it_is_agreed_on_at_every_door_where_it_is_offered(site: Site, path: str) -> None:
    for headers, agreed in ((OFFER, AGREED), ({}, None)):
        async with site.http.get(site.url + path, headers=_handshake() | headers) as answer:
            assert answer.status == 101
            assert answer.headers.get("Sec-WebSocket-Extensions") == agreed


async def test_nothing_is_agreed_on_by_default(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        client = await site.stomp(compress=15)
        assert client.socket.compress == 0
        async with library(site) as socket:
            assert socket.protocol.extensions == []


async def test_an_offer_that_is_no_header_is_a_bad_request(site: Site) -> None:
    """RFC 6455 §9.1."""
    headers = _handshake() | {"Sec-WebSocket-Extensions": "permessage-deflate; ="}
    async with site.http.get(site.url + "/allibe-ws", headers=headers) as answer:
        assert answer.status == 400


async def test_sockjs_frames_are_compressed_too(site: Site) -> None:
    socket = await site.web_socket("/allibe-ws/000/abc/websocket", compress=15)
    client = SockJsClient(socket)
    assert await Client.text(client) == "o"
    await client.connect(Authorization=token("bob"))
    await client.subscribe()
    await (await site.stomp_user("alice")).post(CONTENTS[1])
    assert await client.contents(1) == [CONTENTS[1]]
