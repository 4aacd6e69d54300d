"""Addition 2: reconnecting, and authentication."""

import pytest

from tests.e2e.requirements.people import Chat
from tests.support.stomp_client import raw


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
