"""SUBSCRIBE with `x-since`."""

import asyncio
from pathlib import Path

import pytest

from allibe_gateway.limits import Limits
from tests.integration.gateway import ROOM, Site, StompClient, running


class TestRecovery:
    """`x-since`: what follows it comes first, then the RECEIPT, then what is new (I5)."""

    async def fill(self, site: Site, count: int) -> tuple[StompClient, list[str]]:
        """Post so many messages; return alice's client and their message-ids."""
        client = await site.stomp_user()
        await client.subscribe()
        for number in range(1, count + 1):
            await client.post(str(number))
        return client, [one.headers["message-id"] for one in await client.messages(count)]

    async def since(self, client: StompClient, message_id: str) -> None:
        await client.send("SUBSCRIBE", id="s", destination=ROOM, receipt="r", x_since=message_id)

    async def test_it_continues_with_the_next_one(self, site: Site) -> None:
        alice, ids = await self.fill(site, 5)
        bob = await site.stomp_user("bob")
        await self.since(bob, ids[1])
        assert await bob.contents(3) == ["3", "4", "5"]
        receipt = await bob.next()
        assert receipt.command == "RECEIPT"
        assert receipt.headers == {
            "receipt-id": "r",
            "x-recovered": "true",
            "x-offset": "5",
            "x-epoch": ids[0].split(".")[1],
        }
        await alice.post("6")
        assert await bob.contents(1) == ["6"]

    async def test_from_offset_0_it_is_the_whole_log(self, site: Site) -> None:
        _, ids = await self.fill(site, 3)
        bob = await site.stomp_user("bob")
        await self.since(bob, ids[0].rpartition(".")[0] + ".0")
        assert await bob.contents(3) == ["1", "2", "3"]

    async def test_at_the_end_there_is_nothing_to_replay(self, site: Site) -> None:
        _, ids = await self.fill(site, 2)
        bob = await site.stomp_user("bob")
        await self.since(bob, ids[-1])
        assert (await bob.next()).headers["x-recovered"] == "true"

    async def test_another_epoch_is_told(self, site: Site) -> None:
        alice, _ = await self.fill(site, 2)
        bob = await site.stomp_user("bob")
        await self.since(bob, "1.zzz.1")
        receipt = await bob.next()
        assert (receipt.headers["x-recovered"], receipt.headers["x-offset"]) == ("false", "2")
        await alice.post("3")
        assert await bob.contents(1) == ["3"]

    async def test_too_far_behind_is_told(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(recovery_messages=3)) as site:
            _, ids = await self.fill(site, 5)
            bob = await site.stomp_user("bob")
            await self.since(bob, ids[0])
            assert (await bob.next()).headers["x-recovered"] == "false"
            again = await site.stomp_user("bob")
            await self.since(again, ids[1])
            assert await again.contents(3) == ["3", "4", "5"]

    async def test_without_it_nothing_is_said_of_recovery(self, site: Site) -> None:
        client = await site.stomp_user()
        receipt = await client.subscribe()
        assert set(receipt.headers) == {"receipt-id", "x-offset", "x-epoch"}

    @pytest.mark.parametrize("since", ["1", "1.e", "1.e.-1", "1.e.01", "nonsense", "1.e.1.2"])
    async def test_what_is_no_message_id_is_refused(self, site: Site, since: str) -> None:
        client = await site.stomp_user()
        await self.since(client, since)
        assert await client.error() == ("bad_request", 4405)

    async def test_coming_back_into_a_stream_of_messages_loses_and_doubles_none(
        self, site: Site
    ) -> None:
        """I3, over and over, while somebody writes."""
        alice, ids = await self.fill(site, 1)
        epoch = ids[0].split(".")[1]
        count = 120

        async def write() -> None:
            for number in range(2, count + 1):
                await alice.post(str(number))

        writing = asyncio.create_task(write())
        seen = ["1"]
        while len(seen) < count:
            bob = await site.stomp_user("bob")
            await self.since(bob, f"1.{epoch}.{len(seen)}")
            goal = min(len(seen) + 17, count)
            while len(seen) < goal:
                got = await bob.next()
                if got.command == "MESSAGE":
                    seen.append(got.json["content"])
                else:
                    assert got.headers["x-recovered"] == "true"
            await bob.close()
        await writing
        assert seen == [str(number) for number in range(1, count + 1)]
