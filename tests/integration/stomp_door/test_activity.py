"""Typing, read markers, leaving: seen by the others, and no flood."""

import pytest

from tests.integration.gateway import ROOM, Site


class TestPassingBy:
    async def test_typing_read_and_leave_are_seen_by_the_others(self, site: Site) -> None:
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        await alice.subscribe(f"{ROOM}/activity")
        await bob.subscribe()
        await bob.post("hello")
        await bob.messages(1)
        for name, body in (
            ("typing", {"roomId": "1"}),
            ("read", {"roomId": "1", "offset": 1}),
            ("leave", {"roomId": "1", "user": "bob"}),
        ):
            await bob.app(name, body, receipt=name)
            assert (await bob.next()).headers["receipt-id"] == name
        got = [one.json for one in await alice.messages(3)]
        assert got == [
            {"type": "typing", "roomId": "1", "user": "bob", "userName": "Bob"},
            {"type": "read", "roomId": "1", "user": "bob", "offset": 1},
            {"type": "left", "roomId": "1", "user": "bob"},
        ]

    async def test_leaving_ends_the_subscriptions_to_the_room(self, site: Site) -> None:
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        await bob.subscribe()
        await bob.app("leave", {"roomId": "1"}, receipt="r")
        await bob.next()
        await alice.post(receipt="r")
        await alice.next()
        await bob.nothing_more()

    @pytest.mark.parametrize(
        ("name", "body", "code"),
        [
            ("typing", {}, "bad_request"),
            ("typing", {"roomId": "2"}, "not_a_member"),
            ("read", {"roomId": "1"}, "bad_request"),
            ("read", {"roomId": "1", "offset": -1}, "bad_request"),
            ("read", {"roomId": "1", "offset": "1"}, "bad_request"),
            ("read", {"roomId": "2", "offset": 1}, "not_a_member"),
            ("leave", {"roomId": "1", "user": "alice"}, "sender_mismatch"),
        ],
    )
    async def test_bad_ones_are_refused(
        self, site: Site, name: str, body: object, code: str
    ) -> None:
        bob = await site.stomp_user("bob", x_soft_errors="true")
        await bob.app(name, body, receipt="r")
        assert (await bob.next()).json["code"] == code

    @pytest.mark.parametrize("offset", [2**63, 2**64, 10**36])
    async def test_an_offset_beyond_all_logs_is_the_end_or_refused(
        self, site: Site, offset: int
    ) -> None:
        bob = await site.stomp_user("bob", x_soft_errors="true")
        await bob.app("read", {"roomId": "1", "offset": offset}, receipt="r")
        assert (await bob.next()).command in ("RECEIPT", "MESSAGE")
        await bob.subscribe()

    async def test_typing_is_shown_once_a_second(self, site: Site) -> None:
        """What one client asks for must not cost all others."""
        bob = await site.stomp_user("bob")
        await bob.subscribe(f"{ROOM}/activity")
        alice = await site.stomp_user()
        for _ in range(200):
            await alice.send("SEND", '{"roomId": "1"}', destination="/app/typing")
        await alice.send("SEND", '{"roomId": "1"}', destination="/app/leave", receipt="left")
        assert (await alice.next()).headers["receipt-id"] == "left"
        seen: list[str] = []
        while not seen or seen[-1] != "left":
            (one,) = await bob.messages(1)
            seen.append(one.json["type"])
        assert 1 <= seen.count("typing") <= 5
