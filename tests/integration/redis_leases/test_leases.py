"""What is in Redis: seen by all processes, by its own clock, and gone when nobody renews it."""

import asyncio
import re
import time

import pytest

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import DEVICES, LEASE_SECONDS, Lease
from allibe_services.presence.redis import BATCH, ENDS, USERS, RedisPresence
from allibe_services.redis_link import PREFIX, RedisLink
from allibe_services.workers.base import LEASE_SECONDS as WORKER_SECONDS
from allibe_services.workers.redis import RedisWorkers
from deploy.cluster.servers import Redis
from tests.integration.redis_leases.calls import ALICE, BOB, LEASES, ONE, TWO
from tests.integration.redis_leases.conftest import OpenLink
from tests.support.presences import connected, looking


def keys(server: Redis) -> list[str]:
    return server.command("KEYS", "*").split()


def size(server: Redis, key: str) -> int:
    return int(server.command("ZCARD", PREFIX + key))


def end_now(server: Redis, key: str, member: str) -> None:
    """Let a lease have ended there, as that of a gateway that has died."""
    server.command("ZADD", PREFIX + key, "XX", str(int(time.time() * 1000) - 1), member)


async def test_processes_see_one_anothers_leases(open_link: OpenLink) -> None:
    one, other = RedisPresence(open_link()), RedisPresence(open_link())
    await one.renew([LEASES[0]])
    await other.renew([LEASES[1]])
    for presence in (one, other):
        assert await looking(presence, ONE) == {ALICE, BOB}
        assert await connected(presence, [ALICE, BOB]) == {ALICE, BOB}
    await other.end(["a"])
    await other.close()
    assert await looking(one, ONE) == {BOB}


async def test_workers_see_one_another(open_link: OpenLink) -> None:
    one, other = RedisWorkers(open_link()), RedisWorkers(open_link())
    await one.announce("one")
    assert await other.announce("other") == {"one", "other"}
    await other.leave("other")
    assert await one.announce("one") == {"one"}


async def test_what_happens_at_once_leaves_what_the_last_one_says(
    server: Redis, open_link: OpenLink
) -> None:
    """Scripts run one by one: no lease is half of one and half of another."""
    presences = [RedisPresence(open_link()) for _ in range(4)]
    rooms = [RoomId(f"r{n}") for n in range(5)]
    await asyncio.gather(
        *(
            presences[n % 4].renew([Lease("a", UserId(f"u{n % 3}"), (rooms[n % 5], ONE))])
            for n in range(150)
        )
    )
    assert size(server, "room:1") == 1
    assert sum(size(server, f"room:{room}") for room in rooms) == 1
    assert sum(size(server, f"user:u{n}") for n in range(3)) == 1
    await presences[0].end(["a"])
    assert keys(server) == []


async def test_no_script_reads_the_leases_of_more_than_a_thousand_connections(
    server: Redis, presence: RedisPresence
) -> None:
    """Redis does nothing else meanwhile: 500 users of 50 connections each held it for 0.1 s."""
    users = [UserId(f"u{n}") for n in range(2 * USERS)]
    await presence.renew(
        [Lease(f"{user} {n}", user, (ONE,)) for user in users for n in range(2 * DEVICES)]
    )
    server.command("CONFIG", "RESETSTAT")
    assert await connected(presence, users) == set(users)
    calls = dict(re.findall(r"cmdstat_(\w+):calls=(\d+)", server.command("INFO", "commandstats")))
    assert (calls["eval"], calls["get"]) == ("2", str(2 * USERS * DEVICES))
    assert USERS * DEVICES <= 1000


class TestKeys:
    async def test_all_are_in_one_slot_of_a_cluster(self, server: Redis, link: RedisLink) -> None:
        """`{…}` is what a Cluster reckons the slot with; users' ids may hold such braces too."""
        await RedisPresence(link).renew([Lease("{x}", UserId("{y}"), (ONE,))])
        await RedisPresence(link).ping()
        await RedisWorkers(link).announce("w")
        found = keys(server)
        assert len(found) == 5
        assert all(key.startswith("{allibe}:") for key in found)

    async def test_none_outlives_the_last_lease_in_it(self, server: Redis, link: RedisLink) -> None:
        await RedisPresence(link).renew(LEASES)
        await RedisWorkers(link).announce("w")
        await RedisPresence(link).ping()
        for key in keys(server):
            left = int(server.command("PTTL", key)) / 1000
            limit = {"workers": WORKER_SECONDS, "ping": 1}.get(key.split(":")[-1], LEASE_SECONDS)
            assert limit - 5 < left <= limit
            assert left > 0

    async def test_a_renewal_renews_them(self, server: Redis, presence: RedisPresence) -> None:
        await presence.renew(LEASES)
        for key in keys(server):
            server.command("PEXPIRE", key, "5000")
        await presence.renew(LEASES)
        assert all(int(server.command("PTTL", key)) > 50_000 for key in keys(server))

    async def test_they_do_end_by_themselves(self, server: Redis, presence: RedisPresence) -> None:
        await presence.renew(LEASES)
        for key in keys(server):
            server.command("PEXPIRE", key, "50")
        await asyncio.sleep(0.1)
        assert await looking(presence, ONE) == await connected(presence, [ALICE]) == set()
        assert keys(server) == []

    async def test_what_has_left_takes_no_memory(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        await presence.renew(LEASES)
        await presence.end(["a", "b"])
        assert keys(server) == []


class TestDeadGateways:
    """Nobody ends their leases. What they leave behind in busy rooms must not add up."""

    async def test_who_renews_a_lease_in_a_room_drops_what_has_ended_there(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        await presence.renew([Lease(f"dead{n}", UserId("u"), (ONE,)) for n in range(10)])
        for n in range(10):
            end_now(server, "room:1", f"dead{n} u")
            end_now(server, "user:u", f"dead{n}")
        assert await looking(presence, ONE) == await connected(presence, [UserId("u")]) == set()
        await presence.renew([Lease("alive", UserId("u"), (ONE,))])
        assert size(server, "room:1") == size(server, "user:u") == 1

    async def test_workers_that_died_are_dropped_too(self, server: Redis, link: RedisLink) -> None:
        await RedisWorkers(link).announce("dead")
        end_now(server, "workers", "dead")
        assert await RedisWorkers(link).announce("alive") == {"alive"}
        assert size(server, "workers") == 1


async def test_our_clock_does_not_matter(
    server: Redis, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines' clocks may be an hour apart."""
    now = time.time
    for hour in (3600, -3600):
        monkeypatch.setattr(time, "time", lambda hour=hour: now() + hour)
        monkeypatch.setattr(time, "time_ns", lambda hour=hour: int((now() + hour) * 1e9))
        await RedisPresence(link).renew(LEASES)
        await RedisWorkers(link).announce(f"w{hour}")
    assert await looking(RedisPresence(link), ONE) == {ALICE, BOB}
    assert await RedisWorkers(link).announce("w") == {"w3600", "w-3600", "w"}
    ends = float(server.command("ZSCORE", "{allibe}:room:2", "b bob")) / 1000
    assert 0 < ends - now() <= LEASE_SECONDS


class TestBatches:
    async def test_redis_is_never_busy_for_long(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        """While a script runs, everybody waits: 10,000 leases are many short ones."""
        many = [Lease(f"c{n}", UserId(f"u{n}"), (ONE, TWO)) for n in range(10_000)]
        server.command("CONFIG", "SET", "slowlog-log-slower-than", "50000")
        await presence.renew(many)
        await presence.renew(many)
        await connected(presence, [lease.user_id for lease in many])
        await presence.end([lease.connection_id for lease in many])
        assert server.command("SLOWLOG", "LEN") == "0"
        calls = int(_stat(server, "calls"))
        assert calls == 2 * -(-10_000 // (BATCH // 3)) + 10_000 // USERS + 10_000 // ENDS

    async def test_a_lease_of_more_rooms_than_a_batch_is_one_by_itself(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        rooms = tuple(RoomId(f"r{n}") for n in range(3 * BATCH))
        await presence.renew([LEASES[0], Lease("many", BOB, rooms), LEASES[1]])
        assert int(_stat(server, "calls")) == 3
        assert await looking(presence, rooms[-1]) == {BOB}
        await presence.renew([Lease("many", BOB)])
        assert len(keys(server)) == 7

    async def test_nothing_to_do_asks_nobody(self, server: Redis, presence: RedisPresence) -> None:
        await presence.renew([])
        await presence.end([])
        assert await connected(presence, []) == set()
        assert _stat(server, "calls") == "0"


def _stat(server: Redis, name: str) -> str:
    """Return a figure of the scripts that were run."""
    for line in server.command("INFO", "commandstats").splitlines():
        command, _, figures = line.strip().partition(":")
        if command == "cmdstat_eval":
            return dict(each.split("=") for each in figures.split(","))[name]
    return "0"
