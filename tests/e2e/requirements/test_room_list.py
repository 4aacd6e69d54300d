"""Part 1: the list of rooms, over HTTP."""

from tests.e2e.requirements.people import Chat
from tests.support.json_client import Api


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
