"""STOMP at /allibe-ws."""

import json

import pytest

from tests.e2e.requirements.people import Chat
from tests.support.stomp_client import StompClient


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
