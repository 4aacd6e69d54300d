"""What goes to a user, wherever that user looks: `/user/queue/...`."""

from tests.integration.gateway import BOB, Site


class TestUserQueues:
    async def test_who_does_not_look_is_notified_and_sees_the_list_change(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe("/user/queue/notifications", "n")
        await bob.subscribe("/user/queue/rooms", "l")
        alice = await site.stomp_user("alice")
        await site.until_present(BOB)
        await alice.post("hello")
        got = {one.headers["subscription"]: one for one in await bob.messages(2)}
        assert got["n"].headers["destination"] == "/user/queue/notifications"
        assert got["n"].json["type"] == "notification"
        assert got["n"].json["message"]["content"] == "hello"
        assert got["n"].json["unreadCount"] == 1
        assert got["l"].json["type"] == "room"
        assert got["l"].json["lastMessage"] == "hello"
        assert got["l"].json["lastMessageSender"] == "alice"
        assert len({one.headers["message-id"] for one in got.values()}) == 2

    async def test_ones_own_read_marker_changes_the_list_on_all_devices(self, site: Site) -> None:
        phone, laptop = await site.stomp_user("bob"), await site.stomp_user("bob")
        await laptop.subscribe("/user/queue/rooms", "l")
        await phone.subscribe()
        await phone.post("hello")
        await phone.messages(1)
        await phone.app("read", {"roomId": "1", "offset": 1})
        while "lastMessage" in (change := (await laptop.next()).json):
            pass
        assert change == {"type": "room", "to": "bob", "roomId": "1", "unreadCount": 0}

    async def test_a_queue_that_was_left_is_silent(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe("/user/queue/rooms", "l")
        await bob.send("UNSUBSCRIBE", id="l", receipt="r")
        assert (await bob.next()).command == "RECEIPT"
        await site.remove(BOB)
        await bob.nothing_more()
