"""Addition 4: notifications."""

from collections.abc import Awaitable, Callable

from tests.e2e.requirements.people import Chat
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.json_client import Json
from tests.support.soon import TRIES, says, soon
from tests.support.stomp_client import StompClient


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
            if await soon(client.take(says("list", mark))) is None:
                continue
            # A notification goes out with the change of the list, so before this receipt.
            await client.request("SEND", {"destination": "/app/typing"}, '{"roomId": "123"}')
            if not any(says("note", mark)(frame) for frame in client.waiting):
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
        frame = await client.take(says("note", "psst"), seconds=2)
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
            while (notification := await soon(told())) is not None:
                if notification["message"]["content"].startswith("psst"):
                    return notification  # others may be of the tests before
        raise AssertionError("never notified")

    @staticmethod
    async def _post(chat: Chat, room_id: str, content: str) -> None:
        status, _ = await chat.user1.ask("POST", f"/rooms/{room_id}/messages", {"content": content})
        assert status == 201
