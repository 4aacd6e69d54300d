"""What can be subscribed and sent to, and that nothing else can."""

import pytest

from tests.integration.gateway import ROOM, Site


class TestDestinations:
    @pytest.mark.parametrize(
        "destination",
        [
            ROOM,
            f"{ROOM}/activity",
            "/user/queue/notifications",
            "/user/queue/rooms",
            "/user/queue/errors",
        ],
    )
    async def test_what_there_is_can_be_subscribed_to(self, site: Site, destination: str) -> None:
        client = await site.stomp_user()
        await client.subscribe(destination)

    @pytest.mark.parametrize(
        ("destination", "code"),
        [
            ("/topic/rooms", "unknown_destination"),
            ("/topic/rooms/", "invalid_room_id"),
            ("/topic/rooms/*", "invalid_room_id"),
            ("/topic/rooms/**", "invalid_room_id"),
            ("/topic/rooms/#", "invalid_room_id"),
            ("/topic/rooms/1/2", "invalid_room_id"),
            ("/topic/rooms/1/activity/activity", "invalid_room_id"),
            ("/topic/rooms/1/", "invalid_room_id"),
            ("/topic/rooms/../1", "invalid_room_id"),
            ("/topic/rooms/" + "x" * 65, "invalid_room_id"),
            ("/topic/rooms/방", "invalid_room_id"),
            ("/topic/*", "unknown_destination"),
            ("/app/message", "unknown_destination"),
            ("/user/bob/queue/notifications", "unknown_destination"),
            ("/user/queue/", "unknown_destination"),
            ("/user/queue/notifications/bob", "unknown_destination"),
            ("/queue/notifications-user1", "unknown_destination"),
            ("topic/rooms/1", "unknown_destination"),
            ("/", "unknown_destination"),
        ],
    )
    async def test_everything_else_is_refused(
        self, site: Site, destination: str, code: str
    ) -> None:
        """Wildcards and another user's queue included."""
        client = await site.stomp_user()
        await client.send("SUBSCRIBE", id="1", destination=destination, receipt="r")
        answer = await client.next()
        assert answer.command == "ERROR"
        assert (answer.headers["x-code"], answer.headers["receipt-id"]) == (code, "r")
        assert (await client.end()).code == 4405

    @pytest.mark.parametrize(
        "destination",
        [ROOM, f"{ROOM}/activity", "/user/queue/errors", "/app", "/app/", "/app/other", "/topic/x"],
    )
    async def test_sending_elsewhere_is_refused(self, site: Site, destination: str) -> None:
        client = await site.stomp_user()
        await client.send("SEND", "{}", destination=destination)
        assert await client.error() == ("unknown_destination", 4405)

    async def test_a_room_of_others_is_refused(self, site: Site) -> None:
        client = await site.stomp_user("bob")
        await client.send("SUBSCRIBE", id="1", destination="/topic/rooms/2")
        assert await client.error() == ("not_a_member", 4404)

    async def test_an_unknown_room_is_refused(self, site: Site) -> None:
        client = await site.stomp_user("bob")
        await client.send("SUBSCRIBE", id="1", destination="/topic/rooms/nowhere")
        assert await client.error() == ("unknown_room", 4405)
