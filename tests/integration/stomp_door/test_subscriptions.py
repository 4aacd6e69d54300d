"""SUBSCRIBE and UNSUBSCRIBE; subscriptions that end with a membership."""

from pathlib import Path

import pytest

from allibe_gateway.limits import Limits
from allibe_services.contracts.rooms import Role
from tests.integration.gateway import ALICE, BOB, CAROL, ONE, ROOM, Site, running, token


class TestSubscriptions:
    async def test_each_has_its_own_id_in_its_messages(self, site: Site) -> None:
        client = await site.stomp_user()
        for name in ("a", "b"):
            await client.subscribe(ROOM, name)
        await client.post()
        got = await client.messages(2)
        assert {one.headers["subscription"] for one in got} == {"a", "b"}

    async def test_unsubscribing_ends_one(self, site: Site) -> None:
        client = await site.stomp_user()
        for name in ("a", "b"):
            await client.subscribe(ROOM, name)
        await client.send("UNSUBSCRIBE", id="a", receipt="r")
        assert (await client.next()).headers["receipt-id"] == "r"
        await client.post()
        (got,) = await client.messages(1)
        assert got.headers["subscription"] == "b"
        await client.nothing_more()

    async def test_an_unknown_one_is_no_error(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.send("UNSUBSCRIBE", id="never", receipt="r")
        assert (await client.next()).command == "RECEIPT"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (ROOM, "/topic/rooms/2"),
            (ROOM, "/user/queue/rooms"),
            ("/user/queue/rooms", ROOM),
            ("/user/queue/rooms", "/user/queue/errors"),
        ],
    )
    async def test_an_id_is_used_once_on_a_connection(
        self, site: Site, first: str, second: str
    ) -> None:
        """STOMP 1.2, "SUBSCRIBE": the id tells the server which one UNSUBSCRIBE means."""
        client = await site.stomp_user()
        await client.subscribe(first, "a")
        await client.send("SUBSCRIBE", id="a", destination=second)
        assert await client.error() == ("conflict", 4405)

    async def test_in_1_0_the_destination_may_stand_for_the_id(self, site: Site) -> None:
        client = await site.stomp()
        await client.connect(accept_version="1.0", Authorization=token())
        await client.send("SUBSCRIBE", destination=ROOM, receipt="r")
        assert (await client.next()).command == "RECEIPT"
        await client.post("a")
        (got,) = await client.messages(1)
        assert "subscription" not in got.headers
        await client.send("UNSUBSCRIBE", destination=ROOM, receipt="r")
        assert (await client.next()).command == "RECEIPT"
        await client.post("b", receipt="r2")
        assert (await client.next()).headers["receipt-id"] == "r2"

    async def test_there_is_a_bound(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(subscriptions=2)) as site:
            client = await site.stomp_user()
            for name in ("a", "b"):
                await client.subscribe(ROOM, name)
            await client.send("SUBSCRIBE", id="c", destination=ROOM)
            assert await client.error() == ("too_many_subscriptions", 4405)

    @pytest.mark.parametrize("ack", ["client-individual", "other"])
    async def test_single_acks_are_refused(self, site: Site, ack: str) -> None:
        client = await site.stomp_user()
        await client.send("SUBSCRIBE", id="1", destination=ROOM, ack=ack)
        code, _ = await client.error()
        assert code == ("bad_request" if ack == "client-individual" else "invalid_header")

    async def test_a_subscription_id_has_a_length(self, site: Site) -> None:
        """It is part of every MESSAGE, and views are cached by it."""
        client = await site.stomp_user()
        await client.send("SUBSCRIBE", id="i" * 257, destination=ROOM)
        assert await client.error() == ("bad_request", 4405)


class TestRevocation:
    """I6: a lost membership ends subscriptions at once, and not the connection."""

    async def test_the_last_message_says_so_and_nothing_follows_it(self, site: Site) -> None:
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        await bob.subscribe("/user/queue/rooms", "l")
        await bob.subscribe()
        await site.remove(BOB)
        last, change = await bob.messages(2)
        removed = {"type": "removed", "to": "bob", "roomId": "1"}
        assert (last.json, last.headers["subscription"]) == (removed, "s1")
        assert (change.json, change.headers["subscription"]) == (removed, "l")
        await alice.post("secret", receipt="r")
        await alice.next()
        await bob.post("from outside")
        assert await bob.error() == ("not_a_member", 4404)
        assert await site.history() == ["secret"]

    async def test_every_subscription_to_the_room_ends_and_no_other(self, site: Site) -> None:
        alice = await site.stomp_user("alice")
        await site.store.members.add(ONE, CAROL, Role.OWNER)
        await alice.subscribe(ROOM, "log")
        await alice.subscribe(f"{ROOM}/activity", "activity")
        await alice.subscribe("/topic/rooms/2", "other")
        await site.remove(ALICE)
        ended = await alice.messages(2)
        assert {one.headers["subscription"] for one in ended} == {"log", "activity"}
        await alice.post("over there", "2")
        assert await alice.contents(1) == ["over there"]

    async def test_who_is_a_member_again_may_subscribe_again(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe()
        await site.remove(BOB)
        await bob.messages(1)
        await site.store.members.add(ONE, BOB, Role.MEMBER)
        await bob.subscribe()
