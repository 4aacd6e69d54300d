"""Redis that hangs, is gone, comes back empty or behind another network: one error, soon over."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from allibe_services.contracts.errors import LeasesUnavailable, TicketInvalid
from allibe_services.presence.base import Lease
from allibe_services.presence.redis import RedisPresence
from allibe_services.redis_link import FIRST_PAUSE, RedisLink
from allibe_services.tickets.base import TICKET_LENGTH
from allibe_services.tickets.redis import RedisTickets
from allibe_services.workers.redis import RedisWorkers
from deploy.cluster.servers import Redis
from tests.integration.redis_leases.calls import (
    ALICE,
    BOB,
    LEASES,
    ONE,
    TWO,
    fails_in_time,
    works_soon,
)
from tests.integration.redis_leases.conftest import OpenLink
from tests.support.presences import looking
from tests.support.tcp_proxy import TcpProxy


async def _redeem(link: RedisLink) -> None:
    with suppress(TicketInvalid):
        await RedisTickets(link).redeem("x" * TICKET_LENGTH)


CALLS: dict[str, Callable[[RedisLink], Awaitable[object]]] = {
    "renew": lambda link: RedisPresence(link).renew(LEASES),
    "end": lambda link: RedisPresence(link).end(["a"]),
    "screens": lambda link: RedisPresence(link).screens([ALICE]),
    "lookers": lambda link: RedisPresence(link).lookers([ONE], most=1),
    "ping": lambda link: RedisPresence(link).ping(),
    "announce": lambda link: RedisWorkers(link).announce("w"),
    "leave": lambda link: RedisWorkers(link).leave("w"),
    "ping of workers": lambda link: RedisWorkers(link).ping(),
    "redeem": _redeem,
}


class TestFrozen:
    """SIGSTOP: connections are there and stay there, and nothing comes."""

    @pytest.mark.parametrize("call", CALLS)
    async def test_each_call_fails_in_time(self, server: Redis, link: RedisLink, call: str) -> None:
        await CALLS[call](link)
        server.freeze()
        await fails_in_time(CALLS[call](link))

    async def test_a_new_connection_fails_in_time(self, server: Redis, link: RedisLink) -> None:
        server.freeze()
        await fails_in_time(link.ping())

    async def test_a_publish_limit_that_is_shorter_counts(
        self, server: Redis, open_link: OpenLink
    ) -> None:
        link = open_link(call_seconds=0.2)
        await link.ping()
        server.freeze()
        await fails_in_time(link.ping(), 0.6)

    async def test_one_call_waits_and_the_next_ones_do_not(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        """The notifier asks for each room with news: each would wait in vain, one by one."""
        server.freeze()
        await fails_in_time(presence.screens([ALICE]))
        for _ in range(100):
            assert await fails_in_time(presence.screens([ALICE])) < 0.2

    async def test_a_thousand_calls_at_once_end_in_the_time_of_one(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        await presence.renew(LEASES)
        server.freeze()
        calls = [fails_in_time(presence.screens([ALICE])) for _ in range(1000)]
        assert max(await asyncio.gather(*calls)) < 2.5

    async def test_while_it_is_away_one_caller_at_a_time_finds_out(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        server.freeze()
        await fails_in_time(presence.ping())
        await asyncio.sleep(FIRST_PAUSE + 0.1)
        waits = await asyncio.gather(*(fails_in_time(presence.ping()) for _ in range(20)))
        assert sorted(wait > 0.5 for wait in waits) == [False] * 19 + [True]

    async def test_if_that_one_is_cancelled_another_one_does(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        server.freeze()
        await fails_in_time(presence.ping())
        await asyncio.sleep(FIRST_PAUSE + 0.1)
        asking = asyncio.create_task(presence.ping())
        await asyncio.sleep(0.1)
        assert await fails_in_time(presence.ping()) < 0.2
        server.thaw()
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        await presence.ping()

    async def test_it_works_again_by_itself(self, server: Redis, presence: RedisPresence) -> None:
        await presence.renew(LEASES)
        server.freeze()
        await fails_in_time(presence.renew(LEASES))
        server.thaw()
        await works_soon(presence)

    async def test_a_renewal_of_many_batches_ends_with_the_first_that_fails(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        await presence.ping()
        server.freeze()
        many = [Lease(f"c{n}", ALICE, (ONE,)) for n in range(10_000)]
        await fails_in_time(presence.renew(many))


class TestGone:
    async def test_killed_it_fails_at_once_and_restarted_it_works(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        """Everything that it knew is lost, scripts included."""
        await presence.renew(LEASES)
        server.kill()
        assert await fails_in_time(presence.screens([ALICE])) < 1
        server.start()
        async with asyncio.timeout(3):
            while True:
                try:
                    assert await looking(presence, ONE) == set()
                    break
                except LeasesUnavailable:
                    await asyncio.sleep(0.02)
        await works_soon(presence)

    async def test_a_restart_between_two_calls_is_not_noticed(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        """What is left of the connection is replaced, and the call made again, at once."""
        await presence.renew(LEASES)
        server.restart()
        await presence.renew(LEASES)
        assert await looking(presence, TWO) == {BOB}

    async def test_it_need_not_be_there_at_first(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        server.stop()
        await fails_in_time(presence.ping())
        server.start()
        await works_soon(presence)

    async def test_flushed_it_works_with_nothing_known(
        self, server: Redis, link: RedisLink, presence: RedisPresence
    ) -> None:
        await presence.renew(LEASES)
        await RedisWorkers(link).announce("one")
        server.flush()
        server.command("SCRIPT", "FLUSH")
        assert await looking(presence, ONE) == set()
        assert await RedisWorkers(link).announce("two") == {"two"}
        await presence.end(["a"])
        await presence.renew(LEASES)
        assert await looking(presence, ONE) == {ALICE, BOB}


async def test_paused_it_fails_in_time_and_works_afterwards(
    server: Redis, presence: RedisPresence
) -> None:
    await presence.renew(LEASES)
    server.command("CLIENT", "PAUSE", "2500", "ALL")
    await fails_in_time(presence.renew(LEASES))
    await works_soon(presence, 5)


async def test_a_pause_of_writes_lets_reads_go_on(server: Redis, presence: RedisPresence) -> None:
    await presence.renew(LEASES)
    server.command("CLIENT", "PAUSE", "1000", "WRITE")
    assert await looking(presence, ONE) == {ALICE, BOB}
    await presence.renew(LEASES)


async def test_connections_that_are_killed_are_replaced_unnoticed(
    server: Redis, presence: RedisPresence
) -> None:
    await asyncio.gather(*(presence.renew(LEASES) for _ in range(20)))
    server.command("CLIENT", "KILL", "TYPE", "normal")
    for _ in range(20):
        await presence.renew(LEASES)
    assert await looking(presence, ONE) == {ALICE, BOB}


async def test_connections_that_are_killed_again_and_again_cost_a_few_calls(
    server: Redis, presence: RedisPresence
) -> None:
    """Under load, in the middle of calls: each ends in time, with an answer or the one error."""
    stop = time.monotonic() + 2
    failed = 0

    async def busy() -> None:
        nonlocal failed
        while time.monotonic() < stop:
            try:
                async with asyncio.timeout(2.5):
                    await presence.renew(LEASES)
                    assert await looking(presence, ONE) == {ALICE, BOB}
            except LeasesUnavailable:
                failed += 1
                await asyncio.sleep(0.01)

    async def killer() -> None:
        while time.monotonic() < stop:
            await asyncio.to_thread(server.command, "CLIENT", "KILL", "TYPE", "normal")

    await asyncio.gather(killer(), *(busy() for _ in range(50)))
    await works_soon(presence)


class TestNetwork:
    async def test_a_stall_is_a_failure_in_time(
        self, proxy: TcpProxy, through_proxy: RedisPresence
    ) -> None:
        await through_proxy.renew(LEASES)
        proxy.stall()
        await fails_in_time(through_proxy.renew(LEASES))
        proxy.heal()
        await works_soon(through_proxy)

    async def test_a_stall_of_new_connections_too(
        self, proxy: TcpProxy, through_proxy: RedisPresence
    ) -> None:
        proxy.stall()
        await fails_in_time(through_proxy.ping())
        proxy.heal()
        await works_soon(through_proxy)

    async def test_a_trickle_does_not_stretch_the_limit(
        self, proxy: TcpProxy, through_proxy: RedisPresence
    ) -> None:
        """Each byte comes within the socket's limit, the answer does not come within ours."""
        await through_proxy.renew([Lease(f"c{n}", ALICE, (ONE,)) for n in range(99)])
        proxy.slow(100)
        await fails_in_time(through_proxy.screens([ALICE]))
        proxy.heal()
        await works_soon(through_proxy)

    async def test_small_pieces_make_no_difference(
        self, proxy: TcpProxy, through_proxy: RedisPresence
    ) -> None:
        proxy.slice(7)
        await works_soon(through_proxy)

    async def test_what_was_cut_off_is_not_asked_connection_by_connection(
        self, server: Redis, proxy: TcpProxy, through_proxy: RedisPresence
    ) -> None:
        """A firewall that forgot them: eight idle connections would cost eight waits."""
        await asyncio.gather(*(through_proxy.renew(LEASES) for _ in range(50)))
        before = proxy.connections
        assert before > 1
        proxy.stall()
        await fails_in_time(through_proxy.ping())
        await asyncio.sleep(0.1)
        clients = server.command("CLIENT", "LIST", "TYPE", "normal").count("name=allibe")
        assert clients == before  # the proxy tells Redis nothing either
        proxy.cut()
        proxy.heal()
        await works_soon(through_proxy)


class TestLog:
    """One line when it goes, one when it comes back."""

    async def test_it_is_not_one_per_call(self, server: Redis, presence: RedisPresence) -> None:
        with capture_logs() as logs:
            await presence.ping()
            server.kill()
            for _ in range(10):
                await fails_in_time(presence.ping())
                await fails_in_time(presence.screens([ALICE]))
            server.start()
            await works_soon(presence)
            await presence.ping()
        assert [entry["event"] for entry in logs] == [
            "redis_connected",
            "redis_away",
            "redis_connected",
        ]

    async def test_it_says_why_and_not_with_what(self, server: Redis, open_link: OpenLink) -> None:
        password = server.url().split(":")[2].split("@")[0]
        server.freeze()
        with capture_logs() as logs:
            await fails_in_time(open_link().ping())
            await fails_in_time(open_link(server.url().replace(str(server.port), "1")).ping())
            await fails_in_time(open_link(call_seconds=0.1).ping())
        assert [entry["event"] for entry in logs] == ["redis_away"] * 3
        assert all(entry["error"] and "\n" not in entry["error"] for entry in logs)
        assert logs[0]["error"] == f"TimeoutError: Timeout reading from 127.0.0.1:{server.port}"
        assert logs[1]["error"].startswith("ConnectionError: Error 111 connecting to 127.0.0.1:1.")
        assert logs[2]["error"] == "TimeoutError: no answer in time"
        assert password not in str(logs)
