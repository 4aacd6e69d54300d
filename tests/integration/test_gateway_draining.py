"""SIGTERM at a gateway with clients: each leaves at its own time, and is served until then."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from allibe_gateway.limits import Limits
from tests.integration.gateway import JsonClient, Site, running
from tests.support.until import until

RATE, HAND_OVER = 20, 0.3


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    limits = Limits(drain_rate=RATE, hand_over_seconds=HAND_OVER)
    async with running(tmp_path, limits=limits) as site:
        yield site


class TestHints:
    async def test_each_is_told_its_own_time_and_closed_a_little_after_it(self, site: Site) -> None:
        clients = [await site.json_user(user) for user in ("alice", "bob") * 5]
        loop = asyncio.get_running_loop()

        async def end(client: JsonClient) -> tuple[int, float]:
            hint = await client.next_of("reconnect")
            ended = await client.end()
            assert (ended.code, ended.reason) == (1012, "service restart: resume")
            return hint["inMs"], loop.time() - began

        began = loop.time()
        draining = asyncio.create_task(site.gateway.drain(5))
        ends = sorted(await asyncio.gather(*map(end, clients)))
        await draining
        assert [slot for slot, _ in ends] == [number * 1000 // RATE for number in range(10)]
        assert all(at >= slot / 1000 + HAND_OVER - 0.01 for slot, at in ends), ends

    async def test_over_stomp_it_is_a_header_for_who_listens_to_errors(self, site: Site) -> None:
        knows, other = await site.stomp_user("alice"), await site.stomp_user("bob")
        await knows.subscribe("/user/queue/errors", "e")
        draining = asyncio.create_task(site.gateway.drain(5))
        hint = await knows.next()
        slot = hint.json["inMs"]
        assert hint.json == {"type": "reconnect", "inMs": slot}
        assert hint.command == "MESSAGE"
        assert hint.headers["x-reconnect-ms"] == str(slot)
        assert hint.headers["subscription"] == "e"
        assert hint.headers["destination"] == "/user/queue/errors"
        assert {(await one.end()).code for one in (knows, other)} == {1012}
        await draining

    async def test_it_is_served_as_before_until_then(self, tmp_path: Path) -> None:
        """Both ways: what others post comes, what it posts is taken."""
        async with running(tmp_path, limits=Limits(drain_rate=2)) as site:
            alice, bob = await site.json_user("alice"), await site.stomp_user("bob")
            await bob.subscribe()
            await bob.subscribe("/user/queue/errors", "e")
            draining = asyncio.create_task(site.gateway.drain(10))
            await alice.next_of("reconnect")
            assert (await bob.next()).headers["x-reconnect-ms"] in ("0", "500")
            await alice.send("message", content="still here")
            assert (await alice.next_of("ack"))["roomId"] == "1"
            assert await bob.contents(1) == ["still here"]
            await bob.post("me too", receipt="r")
            got = {(await bob.next()).command for _ in range(2)}
            assert got == {"MESSAGE", "RECEIPT"}
            assert {(await one.end()).code for one in (alice, bob)} == {1012}
            await draining
            assert await site.history() == ["still here", "me too"]

    async def test_when_all_have_left_by_themselves_it_is_over(self, tmp_path: Path) -> None:
        """Who knows of hints costs the process no wait."""
        limits = Limits(drain_rate=20, hand_over_seconds=60)
        async with running(tmp_path, limits=limits) as site:
            clients = [await site.json_user() for _ in range(3)]
            draining = asyncio.create_task(site.gateway.drain(200))
            for client in clients:
                hint = await client.next_of("reconnect")
                await asyncio.sleep(hint["inMs"] / 1000)
                await client.close()
            await asyncio.wait_for(draining, 10)


async def test_nobody_stays_longer_than_the_whole_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for receipts that do not come, nor for peers that answer no close."""

    async def never(_: object) -> object:
        return await asyncio.Event().wait()

    monkeypatch.setattr(site.store.log, "append", never)
    waiting, deaf = await site.stomp_user("alice"), await site.json_user("bob")
    deaf.socket._autoclose = False
    await waiting.post("a", receipt="r")
    await until(lambda: site.figure("messages_in_total") == 1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    draining = asyncio.create_task(site.gateway.drain(1))
    assert (await waiting.end()).code == 1012
    assert loop.time() - began >= 0.7  # so long it waits for the receipt
    await asyncio.wait_for(draining, 5)
