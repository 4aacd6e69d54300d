"""Parts 2 to 4: entering a room, chatting in it, leaving it."""

import pytest
from aiohttp import WSServerHandshakeError

from tests.e2e.requirements.people import Chat


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
