"""How a connection ends, by either side, in order or by its token."""

import asyncio
from pathlib import Path

from allibe_gateway.limits import Limits
from tests.integration.gateway import Site, running, token
from tests.support.until import until


class TestEnding:
    async def test_disconnect_is_answered_after_all_that_came_before(self, site: Site) -> None:
        client = await site.stomp_user()
        for number in range(5):
            await client.post(str(number), receipt=str(number))
        await client.send("DISCONNECT", receipt="bye")
        receipts = [(await client.next()).headers["receipt-id"] for _ in range(6)]
        assert receipts == ["0", "1", "2", "3", "4", "bye"]
        ended = await client.end()
        assert (ended.code, ended.reason) == (1000, "bye")

    async def test_a_client_that_just_goes_leaves_nothing_behind(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.subscribe()
        assert site.figure("connections", door="stomp") == 1
        await client.close()
        await until(lambda: site.figure("connections", door="stomp") == 0)
        assert site.figure("subscriptions") == 0

    async def test_who_never_connects_is_ended(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(sign_in_seconds=0.5)) as site:
            silent = await site.stomp()
            anonymous = await site.stomp()
            await anonymous.connect()
            alice = await site.stomp_user("alice")
            assert await silent.error() == ("token_required", 4401)
            assert await anonymous.error() == ("token_required", 4401)
            await alice.subscribe()

    async def test_at_the_tokens_end_delivery_stops_both_ways(self, site: Site) -> None:
        """`exp`: an ERROR that says "get a token", then the end."""
        alice, bob = await site.stomp_user("alice"), await site.stomp()
        await bob.connect(Authorization=token("bob", ttl=0.8))
        await bob.subscribe()
        assert await bob.error() == ("token_expired", 4403)
        await alice.post(receipt="r")
        await alice.next()

    async def test_one_that_was_extended_goes_on(self, site: Site) -> None:
        bob = await site.stomp()
        await bob.connect(Authorization=token("bob", ttl=0.8))
        await bob.app("auth", {}, Authorization=token("bob", ttl=600))
        await asyncio.sleep(0.9)  # past the first one's end
        await bob.subscribe()
