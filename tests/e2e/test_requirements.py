"""The owner's requirements (`seed/chat-requirements.ko.md`), example by example.

Frames, paths and JSON stand here as they stand there. The server knows no users: tokens are made
as a login service would make them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
from aiohttp import WSServerHandshakeError

from allibe_gateway.stomp import Frame
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.json_client import Api, Json
from tests.support.server import Server
from tests.support.stomp_client import StompClient, raw


@dataclass
class Chat:
    """The people and rooms of the examples."""

    server: Server
    clients: Clients
    user1: Api
    user2: Api

    def token(self, user: str) -> str:
        return self.server.token(user)


T = TypeVar("T")

ROOMS = {"123": "Project Team", "456": "Friend Chat", "1": "Test"}


@pytest.fixture
async def chat(private_server: Server, clients: Clients) -> Chat:
    """user1 and user2 are members of the rooms 123, 456 and 1."""
    user1, user2 = (clients.api(private_server, user) for user in ("user1", "user2"))
    for room_id, name in ROOMS.items():
        status, _ = await user1.ask(
            "POST", "/rooms", {"roomId": room_id, "name": name, "members": ["user2"]}
        )
        assert status in (201, 409)
    return Chat(private_server, clients, user1, user2)


class TestRoomList:
    """1. 채팅방 목록 불러오기 (HTTP API)."""

    async def test_the_room_list_is_an_array_of_room_id_name_and_last_message(
        self, chat: Chat
    ) -> None:
        """GET /api/chat/rooms answers as the example does; further fields may follow."""
        for room_id, content in (("456", "Let's meet at 5 PM"), ("123", "See you tomorrow!")):
            status, _ = await chat.user1.ask(
                "POST", f"/rooms/{room_id}/messages", {"content": content}
            )
            assert status == 201
        status, answer = await chat.user1.ask("GET", "/rooms")
        assert status == 200
        assert isinstance(answer, list)
        named = [{key: room[key] for key in ("roomId", "name", "lastMessage")} for room in answer]
        assert named[:2] == [
            {"roomId": "123", "name": "Project Team", "lastMessage": "See you tomorrow!"},
            {"roomId": "456", "name": "Friend Chat", "lastMessage": "Let's meet at 5 PM"},
        ]

    async def test_the_list_holds_the_rooms_of_the_signed_in_user_only(self, chat: Chat) -> None:
        """인증된 회원에게 해당되는 채팅방 목록."""
        stranger = chat.clients.api(chat.server, "somebody-else")
        assert await stranger.rooms() == []

    async def test_nobody_gets_a_list_without_a_token(self, chat: Chat) -> None:
        """The list is for members who are signed in."""
        status, problem = await Api(chat.clients.session, chat.server, None).ask("GET", "/rooms")
        assert (status, problem["code"]) == (401, "token_required")


class TestStomp:
    """webSocket endpoint /allibe-ws, STOMP."""

    async def _subscribed(self, chat: Chat, user: str, room_id: str) -> StompClient:
        client = await chat.clients.web_socket(chat.server)
        await client.connect(chat.token(user))
        await client.subscribe(f"/topic/rooms/{room_id}")
        return client

    async def test_the_endpoint_begins_as_http_and_becomes_a_web_socket(self, chat: Chat) -> None:
        """최초 연결 시 http 프로토콜 통해 연결, 이후 ws 프로토콜로 통신."""
        async with chat.clients.session.get(f"{chat.server.url}/allibe-ws") as answer:
            assert await answer.text() == "Welcome to SockJS!\n"
        client = await chat.clients.web_socket(chat.server)
        assert client.web_socket.protocol == "v12.stomp"

    async def test_a_message_is_published_with_the_frame_of_the_requirements(
        self, chat: Chat
    ) -> None:
        """/app/message, header Authorization, body `{"content":"test-content", "roomId":"1"}`."""
        reader = await self._subscribed(chat, "user2", "1")
        sender = await chat.clients.web_socket(chat.server)
        await sender.connect(chat.token("user1"))
        await sender.send_text(
            "SEND\n"
            "destination:/app/message\n"
            f"Authorization:{chat.token('user1')}\n"
            "\n"
            '{"content":"test-content", "roomId":"1"}\0'
        )
        body = await reader.body()
        assert (body["content"], body["roomId"], body["sender"]) == ("test-content", "1", "user1")

    @pytest.mark.parametrize("prefix", ["", "Bearer "])
    async def test_the_access_token_in_the_send_frame_is_enough(
        self, chat: Chat, prefix: str
    ) -> None:
        """Header -> Authorization: {access-token}, with or without `Bearer `; no other token."""
        sender = await chat.clients.web_socket(chat.server)
        connected = await sender.connect()
        assert "user-name" not in connected.headers
        receipt = await sender.request(
            "SEND",
            {
                "destination": "/app/message",
                "Authorization": prefix + chat.token("user1"),
            },
            '{"content":"test-content", "roomId":"1"}',
        )
        assert receipt.command == "RECEIPT"

    async def test_a_subscription_to_the_room_gets_its_messages(self, chat: Chat) -> None:
        """subscribe 경로: /topic/rooms/{roomId}; everybody in the room, the sender too."""
        one = await self._subscribed(chat, "user1", "1")
        other = await self._subscribed(chat, "user2", "1")
        await one.post("1", "to all")
        for reader in (one, other):
            frame = await reader.message()
            body = json.loads(frame.body)
            assert frame.headers["destination"] == "/topic/rooms/1"
            assert frame.headers["message-id"] == f"1.{body['epoch']}.{body['offset']}"
            assert body["content"] == "to all"

    async def test_leaving_the_room_ends_the_connection(self, chat: Chat) -> None:
        """채팅방 퇴장 시 웹소켓 중단: DISCONNECT is answered, then the WebSocket closes."""
        client = await self._subscribed(chat, "user1", "1")
        await client.request("DISCONNECT", {})
        assert await client.closed() == 1000


class TestRoomSocket:
    """2. to 4. 입장, 실시간 채팅, 퇴장 over /ws/chat."""

    @pytest.mark.parametrize(
        "query",
        [("token", "roomId"), ("roomId", "token")],
        ids=["token first", "roomId first"],
    )
    async def test_a_room_is_entered_with_a_token_in_the_query(
        self, chat: Chat, query: tuple[str, ...]
    ) -> None:
        """/ws/chat?token=abc123&roomId=123, in any order."""
        values = {"token": chat.token("user1"), "roomId": "123"}
        client = await chat.clients.json_socket(chat.server, {name: values[name] for name in query})
        joined = await client.of_type("joined")
        assert (joined["roomId"], joined["user"]) == ("123", "user1")

    @pytest.mark.parametrize("prefix", ["", "Bearer "])
    async def test_a_room_is_entered_with_a_token_in_the_header(
        self, chat: Chat, prefix: str
    ) -> None:
        """/ws/chat?roomId=123 with the header Authorization."""
        client = await chat.clients.json_socket(
            chat.server, {"roomId": "123"}, {"Authorization": prefix + chat.token("user1")}
        )
        assert (await client.of_type("joined"))["user"] == "user1"

    async def test_the_message_of_the_requirements_reaches_the_other_user(self, chat: Chat) -> None:
        """`{"type": "message", "roomId": "123", "sender": "user1", "content": "Hello!"}`."""
        other = await chat.clients.json(chat.server, "user2", "123")
        client = await chat.clients.json(chat.server, "user1", "123")
        await client.send_text(
            """
            {
              "type": "message",
              "roomId": "123",
              "sender": "user1",
              "content": "Hello!"
            }
            """
        )
        expected = {"type": "message", "roomId": "123", "sender": "user1", "content": "Hello!"}
        for reader in (other, client):
            message = await reader.of_type("message")
            assert {key: message[key] for key in expected} == expected

    async def test_both_doors_lead_into_the_same_room(self, chat: Chat) -> None:
        """STOMP and plain JSON are two ways of speaking, not two chats."""
        stomp = await chat.clients.web_socket(chat.server)
        await stomp.connect(chat.token("user2"))
        await stomp.subscribe("/topic/rooms/123")
        plain = await chat.clients.json(chat.server, "user1", "123")
        ack = await plain.post("from the JSON door")
        await stomp.post("123", "from the STOMP door")
        over_stomp = [await stomp.body(), await stomp.body()]
        over_json = [await plain.of_type("message"), await plain.of_type("message")]
        assert over_stomp == over_json
        assert [body["content"] for body in over_json] == [
            "from the JSON door",
            "from the STOMP door",
        ]
        assert ack["offset"] == over_json[0]["offset"]

    async def test_the_socket_may_simply_be_closed(self, chat: Chat) -> None:
        """ws.close(): answered with a normal close."""
        client = await chat.clients.json(chat.server, "user2", "456")
        await client.close()
        assert client.web_socket.close_code == 1000

    async def test_the_leave_event_of_the_requirements_is_answered_and_told_to_others(
        self, chat: Chat
    ) -> None:
        """`{"type": "leave", "roomId": "123", "user": "user1"}`, then the connection ends."""
        other = await chat.clients.json(chat.server, "user2", "123")
        client = await chat.clients.json(chat.server, "user1", "123")
        await client.send_text('{"type": "leave", "roomId": "123", "user": "user1"}')
        left = {"type": "left", "roomId": "123", "user": "user1"}
        assert await client.of_type("left") == left
        assert await client.closed() == 1000
        assert await other.of_type("left") == left

    async def test_who_left_the_screen_is_still_a_member(self, chat: Chat) -> None:
        """퇴장 ends the screen, not the membership: the room is in the list and opens again."""
        client = await chat.clients.json(chat.server, "user1", "123")
        await client.send(type="leave", roomId="123", user="user1")
        assert await client.closed() == 1000
        assert "123" in {room["roomId"] for room in await chat.user1.rooms()}
        again = await chat.clients.json(chat.server, "user1", "123")
        assert again.joined["roomId"] == "123"


class TestReconnect:
    """추가 2. 재연결 로직 & 인증."""

    async def test_a_connection_that_broke_goes_on_where_it_was(self, chat: Chat) -> None:
        """네트워크 끊김: what was missed comes first, then what is new, each once."""
        client = await chat.clients.json(chat.server, "user2", "123")
        await chat.user1.ask("POST", "/rooms/123/messages", {"content": "seen"})
        seen = await client.of_type("message")
        client.abort()
        await chat.user1.ask("POST", "/rooms/123/messages", {"content": "missed"})
        since = f"{seen['roomId']}.{seen['epoch']}.{seen['offset']}"
        again = await chat.clients.json(chat.server, "user2", "123", since=since)
        assert again.joined["recovered"] is True
        await chat.user1.ask("POST", "/rooms/123/messages", {"content": "new"})
        contents = [(await again.of_type("message"))["content"] for _ in range(2)]
        assert contents == ["missed", "new"]

    @pytest.mark.parametrize("path", ["/ws/chat?roomId=123", "/allibe-ws"])
    async def test_a_web_socket_with_a_wrong_token_gets_an_error_and_is_closed(
        self, chat: Chat, path: str
    ) -> None:
        """백엔드에서 WebSocket 인증 처리: a browser cannot see an HTTP status, but this it can."""
        web_socket = await chat.clients.session.ws_connect(
            f"{chat.server.url}{path}", headers={"Authorization": "abc123"}
        )
        if path == "/allibe-ws":
            await web_socket.send_str(raw("CONNECT", "accept-version:1.2"))
        told = await web_socket.receive()
        assert "token_invalid" in told.data
        await web_socket.receive()
        assert web_socket.close_code == 4402

    async def test_the_token_may_come_in_the_handshake_of_stomp_too(self, chat: Chat) -> None:
        """Authorization 헤더 또는 URL 쿼리 파라미터, for /allibe-ws as well."""
        token = chat.token("user1")
        by_header = await chat.clients.web_socket(chat.server, headers={"Authorization": token})
        by_query = await chat.clients.web_socket(chat.server, query={"token": token})
        for client in (by_header, by_query):
            assert (await client.connect()).headers["user-name"] == "user1"


class TestNotifications:
    """추가 4. 알림 기능: a new message while the user does not look at the room.

    Who looks at what is reported a moment after it is so: these tests post until that has arrived.
    """

    async def test_the_json_door_notifies_of_messages_in_other_rooms(self, chat: Chat) -> None:
        """user2 looks at 456 while user1 writes in 123."""
        client = await chat.clients.json(chat.server, "user2", "456")
        told = await self._notified(chat, "123", lambda: client.of_type("notification"))
        assert told["roomId"] == "123"
        assert told["message"]["sender"] == "user1"
        assert told["unreadCount"] >= 1

    async def test_stomp_notifies_on_the_users_queue(self, chat: Chat) -> None:
        """/user/queue/notifications, while subscribed to another room's topic."""
        client = await self._listening(chat, looks_at="456")
        told = await self._notified(chat, "123", lambda: client.body("note"))
        assert told["type"] == "notification"
        assert told["roomId"] == "123"
        assert told["message"]["sender"] == "user1"

    async def test_who_looks_at_the_room_is_not_notified(self, chat: Chat) -> None:
        """The message itself is enough; the list of rooms changes all the same."""
        client = await self._listening(chat, looks_at="123")
        for number in range(TRIES):
            mark = f"look {number}"
            await self._post(chat, "123", mark)
            if await _soon(client.take(_says("list", mark))) is None:
                continue
            # A notification goes out with the change of the list, so before this receipt.
            await client.request("SEND", {"destination": "/app/typing"}, '{"roomId": "123"}')
            if not any(_says("note", mark)(frame) for frame in client.waiting):
                return
        raise AssertionError("still notified of a room that is looked at")

    async def test_who_closed_the_room_is_notified_again(self, chat: Chat) -> None:
        """채팅방을 떠날 때: after ws.close() nobody looks at the room any more."""
        client = await self._listening(chat, looks_at="456")
        screen = await chat.clients.json(chat.server, "user2", "123")
        await screen.close()
        told = await self._notified(chat, "123", lambda: client.body("note"))
        assert told["roomId"] == "123"

    async def test_notifications_begin_when_the_receipt_says_so(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """A RECEIPT for the SUBSCRIBE means that from now on nothing is missed."""
        server = start_server()
        client = await clients.stomp(server, "bob")
        await client.subscribe("/topic/rooms/2", id="room")
        await client.subscribe("/user/queue/notifications", id="note")
        status, _ = await clients.api(server, "alice").ask(
            "POST", "/rooms/1/messages", {"content": "psst"}
        )
        assert status == 201
        frame = await client.take(_says("note", "psst"), seconds=2)
        assert frame.command == "MESSAGE"

    @staticmethod
    async def _listening(chat: Chat, *, looks_at: str) -> StompClient:
        """Return user2's client: subscriptions `room`, `note` and `list`."""
        client = await chat.clients.web_socket(chat.server)
        await client.connect(chat.token("user2"))
        await client.subscribe(f"/topic/rooms/{looks_at}", id="room")
        await client.subscribe("/user/queue/notifications", id="note")
        await client.subscribe("/user/queue/rooms", id="list")
        return client

    async def _notified(
        self, chat: Chat, room_id: str, told: Callable[[], Awaitable[Json]]
    ) -> Json:
        """Return the notification of a message that user1 posts."""
        for number in range(TRIES):
            await self._post(chat, room_id, f"psst {number}")
            if (notification := await _soon(told())) is not None:
                assert notification["message"]["content"].startswith("psst")
                return notification
        raise AssertionError("never notified")

    @staticmethod
    async def _post(chat: Chat, room_id: str, content: str) -> None:
        status, _ = await chat.user1.ask("POST", f"/rooms/{room_id}/messages", {"content": content})
        assert status == 201


TRIES = 40


async def _soon(coming: Awaitable[T]) -> T | None:
    """Return what comes soon, None when it does not: then it is asked for again."""
    try:
        async with asyncio.timeout(0.5):
            return await coming
    except TimeoutError:
        return None


def _says(subscription: str, text: str) -> Callable[[Frame], bool]:
    return lambda frame: (
        frame.headers.get("subscription") == subscription and f'"{text}"'.encode() in frame.body
    )


async def test_a_plain_path_is_no_web_socket(chat: Chat) -> None:
    """Only the two endpoints speak WebSocket."""
    with pytest.raises(WSServerHandshakeError):
        await chat.clients.session.ws_connect(f"{chat.server.url}/ws/other")


async def test_a_connection_without_a_token_reads_nothing(chat: Chat) -> None:
    """인증: the room stays shut until a token came."""
    client = await chat.clients.json_socket(chat.server, {"roomId": "123"})
    await chat.user1.ask("POST", "/rooms/123/messages", {"content": "for members"})
    await client.send(type="ping")
    await client.of_type("pong")
    assert client.waiting == []
    await client.send(type="message", content="let me in")
    assert (await client.of_type("error"))["code"] == "token_required"
    await client.send(type="refresh", token="abc123")
    assert (await client.of_type("error"))["code"] == "token_invalid"
    await client.send(type="refresh", token=chat.token("user1"))
    assert (await client.of_type("joined"))["user"] == "user1"
