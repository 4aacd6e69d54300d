"""@stomp/stompjs over sockjs-client 1.6 in Node, against a real process, on each transport."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.json_client import Api
from tests.support.node import running_script
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("node_packages")

TRANSPORTS = ("websocket", "xhr-streaming", "eventsource", "xhr-polling")
"""All that sockjs-client has outside browsers."""

ODD = "안녕하세요 👋 100% %41 \u2028\u200d </script> \"q\" \\ 'q'"


async def post(api: Api, room: str, content: str) -> None:
    status, _ = await api.ask("POST", f"/rooms/{room}/messages", {"content": content})
    assert status == 201


async def test_each_transport_carries_messages_both_ways_and_comes_back(
    start_server: StartServer, clients: Clients
) -> None:
    """The server dies in the middle: with `x-since` every stream goes on without a hole (I5).

    In Node sockjs-client itself does not notice that a stream broke: STOMP's heart-beats do.
    """
    server = start_server(ALLIBE_HEART_BEAT_SECONDS="2")
    api = clients.api(server, "bob")
    room = await api.new_room(None, "alice")
    async with AsyncExitStack() as stack:
        scripts = []
        for transport in TRANSPORTS:
            script = await stack.enter_async_context(
                running_script("sockjs.mjs", server, room=room, transport=transport)
            )
            assert (await script.event("subscribed"))["transport"] == transport
            scripts.append(script)
        contents = [ODD, *TRANSPORTS, "while they were away", "after it"]
        await post(api, room, ODD)
        for script, transport in zip(scripts, TRANSPORTS, strict=True):
            await script.write(transport)
            await script.event("message", content=transport)
        for script in scripts:
            while len(script.all("message")) < len(TRANSPORTS) + 1:
                await script.event("message")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
        await post(api, room, "while they were away")
        for script in scripts:
            resumed = await script.event("subscribed")
            assert resumed["headers"]["x-recovered"] == "true"
        await post(api, room, "after it")
        for script in scripts:
            await script.event("message", content="after it")
            await script.end()
    for script in scripts:
        got = [one for one in script.told if one["event"] == "message"]
        assert [one["content"] for one in got] == contents
        assert [one["offset"] for one in got] == list(range(1, len(contents) + 1))
        assert script.told[-1]["event"] == "ended"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_refusal_and_its_close_code_arrive(server: Server, transport: str) -> None:
    """The code of the table, whatever carries it."""
    async with running_script("sockjs.mjs", server, room="*", transport=transport) as script:
        closed = await script.event("closed")
        assert closed["code"] == 4405
        (error,) = script.all("error")
        assert error["headers"]["x-code"] == "invalid_room_id"
