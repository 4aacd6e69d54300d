"""@stomp/stompjs in Node against a real process: what web clients will do, with what they use."""

import asyncio
import json

import pytest
from aiohttp import ClientError

from allibe_services import __version__
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.json_client import Api
from tests.support.node import Script, running_script
from tests.support.server import Server

pytestmark = pytest.mark.usefixtures("node_packages")


@pytest.fixture
async def room(server: Server, clients: Clients) -> str:
    return await clients.api(server, "alice").new_room(None, "bob")


class TestSession:
    """Connect, subscribe, send, receipt, disconnect."""

    async def test_connected_says_version_heart_beat_server_session_and_user(
        self, server: Server, room: str
    ) -> None:
        """DESIGN §4. The newest version of those that stompjs offers is taken."""
        async with running_script("session.mjs", server, room=room, content="hi") as script:
            connected = await script.event("connected")
            await script.event("deactivated")
            await script.end()
        headers = connected["headers"]
        assert connected["version"] == headers["version"] == "1.2"
        assert connected["extensions"] == ""
        assert headers["heart-beat"] == "10000,10000"
        assert headers["server"] == f"allibe/{__version__}"
        assert headers["user-name"] == "alice"
        assert headers["session"]

    @pytest.mark.parametrize(
        "content", ["test-content", "안녕하세요 👋", "a:b\\c\nd\te \u2028 'q' \"q\" <b>&amp;"]
    )
    async def test_a_message_sent_as_in_the_requirements_comes_back_whole(
        self, server: Server, room: str, content: str
    ) -> None:
        """Header `Authorization`, body `{"content", "roomId"}`; any text survives both ways."""
        async with running_script("session.mjs", server, room=room, content=content) as script:
            message = await script.event("message")
            await script.event("deactivated")
            await script.end()
        body = message["body"]
        assert (body["content"], body["sender"]) == (content, "alice")
        assert message["headers"]["message-id"] == f"{room}.{body['epoch']}.1"
        assert message["headers"]["destination"] == f"/topic/rooms/{room}"

    async def test_messages_are_compressed_where_that_is_switched_on(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """`ws` offers it, compresses what it sends, and inflates what comes."""
        server = start_server(ALLIBE_WEBSOCKET_COMPRESSION="on")
        room = await clients.api(server, "alice").new_room()
        content = "안녕하세요 👋 how are you? " * 90
        async with running_script("session.mjs", server, room=room, content=content) as script:
            connected = await script.event("connected")
            message = await script.event("message")
            await script.event("deactivated")
            await script.end()
        assert connected["extensions"] == "permessage-deflate"
        assert message["body"]["content"] == content

    async def test_receipts_reach_watch_for_receipt(self, server: Server, room: str) -> None:
        """For SUBSCRIBE, with the place in the log where it begins, and for SEND."""
        async with running_script("session.mjs", server, room=room, content="hi") as script:
            await script.event("deactivated")
            await script.end()
        receipts = [one["headers"] for one in script.told if one["event"] == "receipt"]
        assert [one["receipt-id"] for one in receipts] == ["subscribed", "sent"]
        assert receipts[0]["x-offset"] == "0"

    async def test_deactivate_ends_in_a_clean_close(self, server: Server, room: str) -> None:
        """stompjs sends DISCONNECT and waits for its receipt before it closes."""
        async with running_script("session.mjs", server, room=room, content="hi") as script:
            await script.event("deactivated")
            await script.end()
        assert {"event": "closed", "code": 1000, "clean": True} in script.told
        assert not [one for one in script.told if one["event"] == "error"]

    async def test_a_refusal_reaches_on_stomp_error_before_the_close(
        self, server: Server, room: str
    ) -> None:
        """The ERROR with its code, then the close with its code, in this order."""
        body = json.dumps({"content": "", "roomId": room})
        async with running_script(
            "refused.mjs", server, destination="/app/message", body=body
        ) as script:
            closed = await script.event("closed")
        (error,) = (one for one in script.told if one["event"] == "error")
        assert error["headers"]["x-code"] == "invalid_content"
        assert closed["code"] == 4405


class TestHeartBeats:
    """Heart-beats of 300 ms, both ways."""

    BEATS = 6
    """Two of the server's patience, and three of the client's."""

    async def test_they_keep_an_idle_connection_alive(self, start_server: StartServer) -> None:
        """Either side would close within a second if the other's did not come."""
        server = start_server(ALLIBE_HEART_BEAT_SECONDS="0.3")
        async with running_script("heart_beats.mjs", server, milliseconds=300) as script:
            connected = await script.event("connected")
            assert connected["headers"]["heart-beat"] == "300,300"
            for direction in ("in", "out"):
                while self._beats(script, direction) < self.BEATS:
                    await script.event("beat", direction=direction)
            await script.end()
        names = [one["event"] for one in script.told if one["event"] != "beat"]
        assert names == ["connected", "closed"]
        assert script.told[-1]["code"] == 1000

    @staticmethod
    def _beats(script: Script, direction: str) -> int:
        return script.told.count({"event": "beat", "direction": direction})

    async def test_a_client_whose_event_loop_hangs_is_found_dead(
        self, start_server: StartServer
    ) -> None:
        """A stopped process keeps its socket open; only the silence tells."""
        server = start_server(ALLIBE_HEART_BEAT_SECONDS="0.3")
        async with running_script("heart_beats.mjs", server, milliseconds=300) as script:
            await script.event("connected")
            script.stop()
            await asyncio.to_thread(
                server.until_counted, "allibe_gateway_disconnects_total", code="4408"
            )
            script.go_on()
            await script.event("closed")


class TestResume:
    """The server dies in the middle of a stream; stompjs comes back by itself."""

    MESSAGES = 150
    KILL_AT = (30, 80)

    @pytest.mark.timeout(120)
    async def test_after_kill_9_the_stream_goes_on_without_a_hole(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """I3, I5: with `x-since` the client gets every message once, in order, over all lives."""
        server = start_server()
        api = clients.api(server, "bob")
        room = await api.new_room(None, "alice")
        async with running_script("resume.mjs", server, room=room) as script:
            await script.event("subscribed")
            posting = asyncio.create_task(self._post(api, room))
            for offset in self.KILL_AT:
                await script.event("message", offset=offset)
                await asyncio.to_thread(server.kill)
                await script.event("closed")
                await asyncio.to_thread(server.restart)
                resumed = await script.event("subscribed")
                assert resumed["headers"]["x-recovered"] == "true"
            await posting
            await script.event("message", content=str(self.MESSAGES))
            await script.end()
        got = [one for one in script.told if one["event"] == "message"]
        assert [one["offset"] for one in got] == list(range(1, self.MESSAGES + 1))
        contents = [str(number) for number in range(1, self.MESSAGES + 1)]
        assert [one["content"] for one in got] == contents
        assert await api.contents(room) == contents

    async def _post(self, api: Api, room: str) -> None:
        """Post one after the other, each again under its id until it is stored."""
        for number in range(1, self.MESSAGES + 1):
            message = {"content": str(number), "clientMessageId": f"m-{number}"}
            status = 0
            while status not in (200, 201):
                try:
                    status, _ = await api.ask("POST", f"/rooms/{room}/messages", message)
                except ClientError:
                    await asyncio.sleep(0.05)  # the server is down
