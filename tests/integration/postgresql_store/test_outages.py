"""`store.postgresql` when the server is away or frozen, or the network fails, and after."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from allibe_services.contracts.commands import Stored
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.store.database import CALL_SECONDS
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from deploy.cluster.servers import PostgreSQL
from tests.support.commands import post
from tests.support.tcp_proxy import TcpProxy

from .conftest import Open, make_rooms
from .looks import ONE, eventually, history, run, unavailable


@pytest.fixture
def proxy(postgres: PostgreSQL) -> Iterator[TcpProxy]:
    with TcpProxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def by_proxy(url: str, postgres: PostgreSQL, proxy: TcpProxy) -> str:
    """The URL of the database through the proxy."""
    return url.replace(f":{postgres.port}/", f":{proxy.port}/")


class TestTerminated:
    async def test_a_call_is_told_to_try_again_and_the_next_one_goes_on(
        self, store: SqlStore, url: str, postgres: PostgreSQL
    ) -> None:
        calls = [
            asyncio.create_task(store._database.write(run, "SELECT pg_sleep(3)")) for _ in range(3)
        ]
        await asyncio.sleep(0.2)
        with capture_logs() as logs:
            cut = await asyncio.to_thread(postgres.terminate_backends, url.rpartition("/")[2])
            answers = await asyncio.gather(*calls, return_exceptions=True)

        assert cut >= 3
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
        assert {entry["error"] for entry in logs} <= {"57P01", "08003"}  # or how it looks to us
        await store.log.append([post()])
        assert len(await history(store)) == 1

    async def test_idle_connections_are_replaced_unnoticed(
        self, store: SqlStore, url: str, postgres: PostgreSQL
    ) -> None:
        await asyncio.gather(*(store.log.heads([ONE]) for _ in range(8)))
        await asyncio.to_thread(postgres.terminate_backends, url.rpartition("/")[2])
        await asyncio.sleep(0.2)

        with capture_logs() as logs:
            await asyncio.gather(*(store.log.append([post()]) for _ in range(8)))
        assert logs == []
        assert len(await history(store)) == 8


class TestAway:
    async def test_calls_fail_in_time_and_go_on_when_it_is_back(
        self, own_server: PostgreSQL, own_url: str, open_store: Open
    ) -> None:
        store, command = open_store(own_url), post(client="c-1")
        await make_rooms(store)
        await asyncio.to_thread(own_server.stop)

        for _ in range(2):
            with unavailable(within=CALL_SECONDS):
                await store.log.append([command])
            with unavailable(within=CALL_SECONDS):
                await store.log.heads([ONE])
            with unavailable(within=CALL_SECONDS):
                await store.ping()

        await asyncio.to_thread(own_server.start)
        await store.ping()
        await store.log.append([command])
        await asyncio.to_thread(own_server.restart)
        await asyncio.sleep(0.1)
        await store.log.append([command, post()])
        assert len(await history(store)) == 2

    async def test_calls_during_a_restart_only_wait_or_are_told_to_try_again(
        self, own_server: PostgreSQL, own_url: str, open_store: Open
    ) -> None:
        """57P03: the server accepts connections before it serves them."""
        store = open_store(own_url)
        await make_rooms(store)
        restarting = asyncio.create_task(asyncio.to_thread(own_server.restart))
        numbers = iter(range(100_000))
        while not restarting.done():
            try:
                await store.log.append([post(client=str(next(numbers)))])
            except StoreUnavailable:
                await asyncio.sleep(0.01)
        await restarting

        await eventually(store.ping)
        await history(store)

    async def test_one_that_nobody_listens_for_is_told_at_once(self, open_store: Open) -> None:
        store = open_store("postgresql://allibe:hunter2@127.0.0.1:1/allibe")
        with capture_logs() as logs, unavailable(within=0):
            await store.ping()
        assert [entry["error"] for entry in logs] == ["ConnectionRefusedError"]


class TestFrozen:
    async def test_the_time_limit_holds_and_all_goes_on_when_it_thaws(
        self, own_server: PostgreSQL, own_url: str, open_store: Open
    ) -> None:
        store = open_store(own_url, call_seconds=0.5)
        await make_rooms(store)
        await asyncio.gather(*(store.log.heads([ONE]) for _ in range(8)))
        running = asyncio.create_task(store._database.write(run, "SELECT pg_sleep(2)"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(own_server.freeze)

        started = time.monotonic()
        calls = [*(store.log.append([post()]) for _ in range(20)), store.ping(), running]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert time.monotonic() - started < 1.5
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 22
        with unavailable(within=0.5):  # with a new connection
            await store.log.heads([ONE])

        await asyncio.to_thread(own_server.thaw)
        await eventually(store.ping)
        await store.log.append([post()])
        await history(store)

    async def test_whoever_comes_first_meets_the_limit_too(
        self, own_server: PostgreSQL, own_url: str, open_store: Open
    ) -> None:
        store = open_store(own_url, call_seconds=0.5)
        await asyncio.to_thread(own_server.freeze)
        for _ in range(2):
            with unavailable(within=0.5):
                await store.ping()
        await asyncio.to_thread(own_server.thaw)
        await eventually(store.ping)

    async def test_closing_does_not_wait_for_it(
        self, own_server: PostgreSQL, own_url: str, open_store: Open
    ) -> None:
        store = open_store(own_url, call_seconds=0.2, close_seconds=0.3)
        await asyncio.gather(*(store.log.heads([ONE]) for _ in range(4)))
        running = asyncio.create_task(store._database.write(run, "SELECT pg_sleep(2)"))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(own_server.freeze)

        started = time.monotonic()
        await store.close()

        assert time.monotonic() - started < 1.3
        with pytest.raises(StoreUnavailable):
            await running
        await asyncio.to_thread(own_server.thaw)


class TestNetwork:
    async def test_of_many_connections_that_hang_one_call_finds_out(
        self, store: SqlStore, open_store: Open
    ) -> None:
        """After a router forgot them, each would otherwise cost a caller its time."""
        many = open_store(call_seconds=0.5)
        sleeping = "SELECT pg_backend_pid() FROM pg_sleep(0.2)"
        answers = await asyncio.gather(*(many._database.read(run, sleeping) for _ in range(4)))
        backends = {pid for pid in answers if isinstance(pid, int)}
        assert len(backends) == 4
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        try:
            with unavailable(within=0.5):
                await many.log.append([post()])
            for _ in range(4):
                await many.log.append([post()])
        finally:
            for pid in backends:
                os.kill(pid, signal.SIGCONT)

        assert len(await history(store)) == 4

    async def test_a_network_that_swallows_everything_costs_no_more_than_the_limit(
        self, by_proxy: str, proxy: TcpProxy, store: SqlStore, open_store: Open
    ) -> None:
        remote = open_store(by_proxy, call_seconds=0.5)
        await asyncio.gather(*(remote._database.read(run, "SELECT pg_sleep(0.1)") for _ in "1234"))
        proxy.stall()
        with unavailable(within=0.5):
            await remote.log.append([post()])

        proxy.heal()
        await remote.log.append([post()])
        assert len(await history(store)) >= 1

    async def test_connections_that_are_lost_in_the_middle_store_each_message_once(
        self, store: SqlStore, open_store: Open
    ) -> None:
        """Whether a commit whose answer was lost took place, only repeating it tells."""
        remote = open_store()
        assert isinstance(remote._database, PostgresqlDatabase)
        lose = remote._database._connections.drop
        sent: list[str] = []
        lost = repeated = 0

        async def lose_now_and_then() -> None:
            for n in range(60):
                await asyncio.sleep(0.004 + n % 11 * 0.005)
                lose()

        losing = asyncio.create_task(lose_now_and_then())
        while not losing.done():
            batch = [post(client=f"c-{len(sent) + k}") for k in range(20)]
            sent += [command.message_id for command in batch]
            while True:
                try:
                    outcomes = await remote.log.append(batch)
                    break
                except StoreUnavailable:
                    lost += 1
            repeated += isinstance(outcomes[0], Stored) and outcomes[0].duplicate

        print(f"{lost} calls lost, of which {repeated} had been committed")
        assert lost > 3
        assert [message.message_id for message in await history(store)] == sent
