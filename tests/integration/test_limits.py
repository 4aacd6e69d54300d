"""Each limit at each door: refused with the right code and a hint, counted, or only counted."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from allibe_gateway.addresses import Addresses
from allibe_gateway.app import Entry
from allibe_gateway.limits import Limits
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import LIMITS, Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics
from tests.integration.gateway import Site, StompClient, running, token

HOUR = 3600
"""A rate of one an hour: what is refused once is refused for the rest of the test."""

RARELY = 1 / HOUR


class Limited:
    """A gateway with limits, and their figures."""

    def __init__(self, site: Site, registry: CollectorRegistry) -> None:
        self.site = site
        self._registry = registry

    def exceeded(self, limit: str, *, enforced: bool = True) -> float:
        labels = {"limit": limit, "enforced": str(enforced).lower()}
        return self._registry.get_sample_value("allibe_limit_exceeded_total", labels) or 0.0


@asynccontextmanager
async def limited(
    folder: Path, *, limits: Limits | None = None, proxies: str = "", **policy: Any
) -> AsyncIterator[Limited]:
    registry = CollectorRegistry()
    limiter = Limiter(Policy(**policy), LimitMetrics(registry))
    entry = Entry(limiter=limiter, addresses=Addresses(proxies))
    async with running(folder, limits=limits, entry=entry) as site:
        yield Limited(site, registry)


async def refusal(client: StompClient) -> tuple[str, int, int | None]:
    """Return the code of the ERROR that comes next, its hint, and the close code."""
    answer = await client.next()
    assert answer.command == "ERROR", answer
    assert answer.headers["x-retryable"] == "true"
    ended = await client.end()
    return answer.headers["x-code"], int(answer.headers["x-retry-after-ms"]), ended.code


class TestMessages:
    async def test_over_stomp_an_error_ends_the_connection(self, tmp_path: Path) -> None:
        async with limited(tmp_path, user_messages=Rate(RARELY, 2)) as it:
            alice = await it.site.stomp_user()
            for number in range(3):
                await alice.post(f"m{number}", receipt=f"r{number}")
            assert {(await alice.next()).headers["receipt-id"] for _ in range(2)} == {"r0", "r1"}
            code, hint, close = await refusal(alice)
            assert (code, close) == ("rate_limited", 4429)
            assert 0 < hint <= HOUR * 1000
            assert await it.site.history() == ["m0", "m1"]
            assert it.exceeded("user_messages") == 1

    async def test_softly_the_connection_lives_and_others_do_not_notice(
        self, tmp_path: Path
    ) -> None:
        async with limited(tmp_path, user_messages=Rate(RARELY, 1)) as it:
            alice = await it.site.stomp_user(x_soft_errors="true")
            await alice.subscribe("/user/queue/errors", "errors")
            await alice.post("m0", receipt="r0")
            assert (await alice.next()).command == "RECEIPT"
            await alice.post("m1", receipt="r1")
            body = (await alice.next()).json
            assert (body["code"], body["retryable"]) == ("rate_limited", True)
            assert body["receiptId"] == "r1"
            assert body["retryAfterMs"] > 0
            bob = await it.site.stomp_user("bob")
            await bob.post("b0", receipt="r")
            assert (await bob.next()).command == "RECEIPT"
            await alice.app("typing", {"roomId": "1"}, receipt="typing")
            assert (await alice.next()).command == "RECEIPT"

    async def test_over_json_the_connection_lives(self, tmp_path: Path) -> None:
        async with limited(tmp_path, user_messages=Rate(RARELY, 1)) as it:
            alice = await it.site.json_user()
            await alice.send("message", content="m0", clientMessageId="c0")
            await alice.next_of("ack")
            await alice.send("message", content="m1", clientMessageId="c1")
            error = await alice.next_of("error")
            assert (error["code"], error["clientMessageId"]) == ("rate_limited", "c1")
            assert error["retryAfterMs"] > 0
            await alice.send("ping")
            await alice.next_of("pong")

    async def test_all_doors_of_a_user_count_together(self, tmp_path: Path) -> None:
        async with limited(tmp_path, user_messages=Rate(RARELY, 1)) as it:
            stomp, other = await it.site.stomp_user(), await it.site.json_user()
            await stomp.post("m0", receipt="r0")
            await stomp.next()
            await other.send("message", content="m1")
            assert (await other.next_of("error"))["code"] == "rate_limited"

    async def test_a_room_is_limited_for_all_of_its_members(self, tmp_path: Path) -> None:
        async with limited(tmp_path, room_messages=Rate(RARELY, 1)) as it:
            alice, bob = await it.site.json_user(), await it.site.json_user("bob")
            elsewhere = await it.site.json_user(room="2")
            await alice.send("message", content="m0")
            await alice.next_of("ack")
            await bob.send("message", content="m1")
            assert (await bob.next_of("error"))["code"] == "rate_limited"
            await elsewhere.send("message", content="m2")
            await elsewhere.next_of("ack")
            assert it.exceeded("room_messages") == 1

    async def test_slow_mode(self, tmp_path: Path) -> None:
        async with limited(tmp_path, slow_mode=Rate(1 / 30, 1)) as it:
            alice, bob = await it.site.json_user(), await it.site.json_user("bob")
            for one in (alice, bob):
                await one.send("message", content="m")
                await one.next_of("ack")
            await alice.send("message", content="m")
            error = await alice.next_of("error")
            assert error["code"] == "rate_limited"
            assert 20_000 < error["retryAfterMs"] <= 30_000
            assert it.exceeded("slow_mode") == 1

    async def test_who_waits_as_told_is_let_through(self, tmp_path: Path) -> None:
        async with limited(tmp_path, user_messages=Rate(1, 1)) as it:
            alice = await it.site.json_user()
            for number in range(2):
                await alice.send("message", content=f"m{number}")
            hint = (await alice.next_of("error"))["retryAfterMs"]
            assert 0 < hint <= 1000
            await asyncio.sleep(hint / 1000)
            await alice.send("message", content="m1")
            await it.site.until_stored("m0", "m1")

    async def test_what_is_no_members_spends_nothing_of_the_room(self, tmp_path: Path) -> None:
        async with limited(tmp_path, room_messages=Rate(RARELY, 1)) as it:
            carol = await it.site.stomp_user("carol")
            await carol.post("m")
            assert (await carol.error())[0] == "not_a_member"
            alice = await it.site.json_user()
            await alice.send("message", content="m")
            await alice.next_of("ack")


class TestConnections:
    async def test_of_a_user_over_stomp(self, tmp_path: Path) -> None:
        async with limited(tmp_path, user_connections=1) as it:
            first = await it.site.stomp_user()
            second = await it.site.stomp()
            await second.send("CONNECT", accept_version="1.2", host="h", Authorization=token())
            code, hint, close = await refusal(second)
            assert (code, close) == ("rate_limited", 4429)
            assert hint > 0
            await it.site.stomp_user("bob")
            await first.close()
            await until_let_in(it.site)
            assert it.exceeded("user_connections") >= 1

    async def test_of_a_user_over_json(self, tmp_path: Path) -> None:
        async with limited(tmp_path, user_connections=1) as it:
            await it.site.stomp_user()
            second = await it.site.json(f"roomId=1&token={token()}")
            error = await second.next()
            assert (error["code"], error["retryAfterMs"] > 0) == ("rate_limited", True)
            assert (await second.end()).code == 4429

    async def test_from_an_address_that_a_proxy_tells(self, tmp_path: Path) -> None:
        async with limited(tmp_path, proxies="127.0.0.0/8", address_connections=1) as it:
            one, two = ({"X-Forwarded-For": f"1.1.1.1, 20.0.0.{n}"} for n in (1, 2))
            await it.site.stomp(headers=one)
            refused = await it.site.stomp(headers=one)
            code, hint, close = await refusal(refused)
            assert (code, close) == ("rate_limited", 4429)
            assert hint > 0
            other = await it.site.json(f"roomId=1&token={token()}", headers=one)
            error = await other.next()
            assert (error["code"], error["retryAfterMs"] > 0) == ("rate_limited", True)
            await (await it.site.stomp(headers=two)).connect()
            assert it.exceeded("address_connections") == 2

    async def test_without_proxies_nobody_is_counted_by_what_he_says(self, tmp_path: Path) -> None:
        async with limited(tmp_path, address_connections=1) as it:
            for _ in range(3):
                client = await it.site.stomp(headers={"X-Forwarded-For": "20.0.0.1"})
                await client.connect()

    async def test_new_ones_too_fast_are_told_when_to_come_back(self, tmp_path: Path) -> None:
        async with limited(tmp_path, new_connections=Rate(RARELY, 1)) as it:
            first = await it.site.stomp_user()
            code, hint, close = await refusal(await it.site.stomp())
            assert (code, close) == ("overloaded", 1013)
            assert 1_000 <= hint <= 30_000
            other = await it.site.json(f"roomId=1&token={token()}")
            error = await other.next()
            assert error["code"] == "overloaded"
            assert error["retryAfterMs"] >= 1_000
            assert (await other.end()).code == 1013
            assert it.exceeded("new_connections") == 2
            await first.subscribe()  # who is in does not notice

    async def test_new_ones_over_sockjs_are_told_the_same(self, tmp_path: Path) -> None:
        async with limited(tmp_path, new_connections=Rate(RARELY, 1)) as it:
            await it.site.stomp_user()
            url = f"{it.site.url}/allibe-ws/000/sessions/xhr"
            said = ""
            for _ in range(3):
                async with it.site.http.post(url) as answer:
                    said += await answer.text()
            assert "x-code:overloaded" in json.loads(said.splitlines()[1][1:])[0]
            assert json.loads(said.splitlines()[2][1:]) == [1013, "try again later"]

    async def test_what_asks_for_no_websocket_is_not_counted(self, tmp_path: Path) -> None:
        async with limited(tmp_path, new_connections=Rate(RARELY, 1)) as it:
            for _ in range(3):
                async with it.site.http.get(f"{it.site.url}/ws/chat") as answer:
                    assert answer.status == 400
            await it.site.stomp_user()

    async def test_that_nobody_signs_in_on(self, tmp_path: Path) -> None:
        async with limited(tmp_path, unsigned_connections=1) as it:
            idle = await it.site.stomp()
            await idle.connect()
            code, hint, close = await refusal(await it.site.stomp())
            assert (code, close) == ("overloaded", 1013)
            assert hint > 0
            await idle.app("auth", {}, Authorization=token(), receipt="r")
            await idle.next()
            await it.site.stomp_user("bob")
            assert it.exceeded("unsigned_connections") == 1


class TestFrames:
    async def test_who_sends_too_many_is_held_back_and_loses_nothing(self, tmp_path: Path) -> None:
        async with limited(tmp_path, connection_frames=Rate(50, 5)) as it:
            alice = await it.site.json_user()
            began = time.monotonic()
            for _ in range(20):
                await alice.send("ping")
            for _ in range(20):
                await alice.next_of("pong")
            assert time.monotonic() - began > 0.2
            assert it.exceeded("connection_frames") > 0

    async def test_bytes_count_by_themselves(self, tmp_path: Path) -> None:
        async with limited(tmp_path, connection_bytes=Rate(50_000, 4_000)) as it:
            alice = await it.site.stomp_user()
            for _ in range(4):
                await alice.app("typing", {"roomId": "1", "more": "x" * 2_000}, receipt="r")
            for _ in range(4):
                assert (await alice.next()).command == "RECEIPT"
            assert it.exceeded("connection_bytes") > 0

    async def test_far_too_many_in_one_message_end_the_connection(self, tmp_path: Path) -> None:
        async with limited(tmp_path, connection_frames=Rate(1, 10)) as it:
            alice = await it.site.stomp_user()
            await alice.raw("UNSUBSCRIBE\nid:none\n\n\0" * 50)
            code, hint, close = await refusal(alice)
            assert (code, close) == ("rate_limited", 4429)
            assert hint > 10_000


async def test_subscriptions_and_the_time_to_sign_in_are_counted_too(tmp_path: Path) -> None:
    limits = Limits(subscriptions=1, sign_in_seconds=0.2)
    async with limited(tmp_path, limits=limits) as it:
        alice, nobody = await it.site.stomp_user(), await it.site.stomp()
        await alice.subscribe("/topic/rooms/1", "s1")
        await alice.send("SUBSCRIBE", destination="/topic/rooms/2", id="s2")
        assert await alice.error() == ("too_many_subscriptions", 4405)
        assert await nobody.error() == ("token_required", 4401)
        assert it.exceeded("subscriptions") == 1
        assert it.exceeded("sign_in") == 1


async def test_a_dry_run_counts_all_of_them_and_refuses_nothing(tmp_path: Path) -> None:
    once = Rate(RARELY, 1)
    policy: dict[str, Any] = {
        "user_messages": once,
        "room_messages": once,
        "slow_mode": once,
        "connection_frames": once,
        "connection_bytes": once,
        "new_connections": once,
        "user_connections": 1,
        "address_connections": 1,
        "unsigned_connections": 1,
        "dry_run": frozenset(LIMITS),
    }
    limits = Limits(subscriptions=1, sign_in_seconds=0.2)
    async with limited(tmp_path, limits=limits, proxies="127.0.0.0/8", **policy) as it:
        nobody, alice = await it.site.stomp(), await it.site.stomp_user()
        other = await it.site.stomp_user()
        for client, room in ((alice, "1"), (alice, "2"), (other, "1")):
            await client.subscribe(f"/topic/rooms/{room}", f"s{room}")
        await asyncio.sleep(0.3)
        await nobody.connect()
        for number in range(2):
            await alice.post(f"m{number}", "2")
        assert await alice.contents(2) == ["m0", "m1"]
        known = set(LIMITS) - {"user_requests"}  # which is of HTTP
        assert {one for one in known if not it.exceeded(one, enforced=False)} == set()
        assert {one for one in known if it.exceeded(one)} == set()


async def until_let_in(site: Site) -> None:
    """Connect as alice as soon as the server has seen the other connection end."""
    while True:
        client = await site.stomp()
        await client.send("CONNECT", accept_version="1.2", host="h", Authorization=token())
        if (await client.next()).command == "CONNECTED":
            return
        await asyncio.sleep(0.01)
