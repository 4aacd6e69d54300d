"""ACK and NACK."""

import pytest

from tests.integration.gateway import BOB, ONE, ROOM, Site, token


class TestAcks:
    """`ack:client`: a cumulative ACK is the user's read marker."""

    async def marker(self, site: Site) -> int:
        members = await site.store.members.of_room(ONE, most=10)
        return next(one.read_offset for one in members if one.user == BOB)

    @pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
    async def test_an_ack_moves_the_marker_and_the_room_hears_of_it(
        self, site: Site, version: str
    ) -> None:
        alice = await site.stomp_user("alice")
        await alice.subscribe(f"{ROOM}/activity", "activity")
        bob = await site.stomp()
        await bob.connect(accept_version=version, Authorization=token("bob"))
        await bob.subscribe(ack="client")
        for content in ("a", "b", "c"):
            await alice.post(content)
        second = (await bob.messages(3))[1]
        ack_id = second.headers["ack"] if version == "1.2" else second.headers["message-id"]
        names = {"1.0": "message_id", "1.1": "message_id", "1.2": "id"}
        more = {} if version == "1.2" else {"subscription": "s1"}
        await bob.send("ACK", receipt="r", **{names[version]: ack_id}, **more)
        assert (await bob.next()).headers["receipt-id"] == "r"
        assert await self.marker(site) == 2
        assert (await alice.next()).json == {
            "type": "read",
            "roomId": "1",
            "user": "bob",
            "offset": 2,
        }

    async def test_with_auto_there_is_no_ack_header(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.subscribe()
        await client.post()
        assert "ack" not in (await client.messages(1))[0].headers

    async def test_a_nack_changes_nothing(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe(ack="client")
        await bob.post()
        (got,) = await bob.messages(1)
        await bob.send("NACK", id=got.headers["ack"], receipt="r")
        assert (await bob.next()).command == "RECEIPT"
        assert await self.marker(site) == 0

    async def test_what_is_no_position_cannot_be_acked(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe(ack="client")
        await bob.send("ACK", id="nonsense")
        assert await bob.error() == ("bad_request", 4405)

    @pytest.mark.parametrize("message_id", ["2.e.1", "1.zzz.1"])
    async def test_what_is_of_no_subscription_any_more_changes_nothing(
        self, site: Site, message_id: str
    ) -> None:
        """Another room's, another epoch's: it was true when it was sent."""
        bob = await site.stomp_user("bob")
        await bob.subscribe(ack="client")
        await bob.post()
        await bob.messages(1)
        await bob.send("ACK", id=message_id, receipt="r")
        assert (await bob.next()).headers["receipt-id"] == "r"
        assert await self.marker(site) == 0

    @pytest.mark.parametrize("destination", [f"{ROOM}/activity", "/user/queue/rooms"])
    async def test_only_the_log_has_a_marker(self, site: Site, destination: str) -> None:
        bob = await site.stomp_user("bob")
        await bob.send("SUBSCRIBE", id="1", destination=destination, ack="client")
        assert await bob.error() == ("bad_request", 4405)
