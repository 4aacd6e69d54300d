"""Redis that is there and says no: out of memory, a replica, a wrong password, loading."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from allibe_services.presence.redis import RedisPresence
from deploy.cluster.servers import Redis
from tests.integration.redis_leases.calls import (
    ALICE,
    BOB,
    LEASES,
    ONE,
    fails_in_time,
    works_soon,
)
from tests.integration.redis_leases.conftest import OpenLink
from tests.support.presences import connected, looking

Respond = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def test_a_wrong_password_until_it_is_right(
    server: Redis, open_link: OpenLink, presence: RedisPresence
) -> None:
    url = server.url()
    password = url.split(":")[2].split("@")[0]
    wrong = RedisPresence(open_link(url.replace(password, "hunter2")))
    none = RedisPresence(open_link(url.replace(f":{password}@", "")))
    with capture_logs() as logs:
        for refused in (wrong, none):
            await fails_in_time(refused.ping())
            await fails_in_time(refused.screens([ALICE]))
    assert [entry["event"] for entry in logs] == ["redis_away", "redis_away"]
    assert "hunter2" not in str(logs)
    server.command("CONFIG", "SET", "requirepass", "hunter2")
    await works_soon(wrong)


async def test_a_password_that_is_changed_lets_old_connections_be(
    server: Redis, presence: RedisPresence
) -> None:
    await presence.renew(LEASES)
    server.command("CONFIG", "SET", "requirepass", "another")
    assert await looking(presence, ONE) == {ALICE, BOB}


async def test_out_of_memory_reads_go_on_and_it_is_said_once(
    server: Redis, presence: RedisPresence
) -> None:
    await presence.renew(LEASES)
    with capture_logs() as logs:
        server.command("CONFIG", "SET", "maxmemory", "1")
        for _ in range(5):
            await fails_in_time(presence.renew(LEASES))
            await fails_in_time(presence.ping())
            assert await looking(presence, ONE) == {ALICE, BOB}
            await presence.end(["nobody"])
        server.command("CONFIG", "SET", "maxmemory", "0")
        await presence.renew(LEASES)  # at once: nobody waits for who answers
        assert await looking(presence, ONE) == {ALICE, BOB}
        assert [entry["event"] for entry in logs] == ["redis_away"]
        await presence.ping()
    assert [entry["event"] for entry in logs] == ["redis_away", "redis_connected"]
    assert logs[0]["error"].startswith("OutOfMemoryError: ")


async def test_a_replica_takes_no_writes(server: Redis, presence: RedisPresence) -> None:
    await presence.renew(LEASES)
    server.command("REPLICAOF", "127.0.0.1", "1")
    with capture_logs() as logs:
        await fails_in_time(presence.renew(LEASES))
        await fails_in_time(presence.ping())
        await fails_in_time(presence.end(["a"]))
        assert await looking(presence, ONE) == {ALICE, BOB}
        assert await connected(presence, [ALICE]) == {ALICE}
        await fails_in_time(presence.renew(LEASES))
        server.command("REPLICAOF", "NO", "ONE")
        for again in (presence.renew(LEASES), presence.end(["c"]), presence.ping()):
            await again
    assert [entry["event"] for entry in logs] == ["redis_away", "redis_connected"]


async def test_after_a_failover_the_address_is_asked_again(
    server: Redis, presence: RedisPresence
) -> None:
    """The old connections lead to what was the primary, and go on to do so."""
    await asyncio.gather(*(presence.renew(LEASES) for _ in range(50)))
    before = _ids(server)
    server.command("REPLICAOF", "127.0.0.1", "1")
    await fails_in_time(presence.renew(LEASES))
    server.command("REPLICAOF", "NO", "ONE")
    await presence.renew(LEASES)
    assert len(before) > 1
    assert not before & _ids(server)


def _ids(server: Redis) -> set[str]:
    lines = server.command("CLIENT", "LIST", "TYPE", "normal").splitlines()
    return {line.split()[0] for line in lines if "name=allibe" in line}


@pytest.mark.parametrize(
    "answer",
    [
        "-LOADING Redis is loading the dataset in memory",
        "-MASTERDOWN Link with MASTER is down",
        "-CLUSTERDOWN The cluster is down",
        "-MOVED 3999 127.0.0.1:6381",
        "-BUSY Redis is busy running a script",
        "-MISCONF Redis is configured to save RDB snapshots",
        "-NOPERM this user has no permissions",
        "-NOREPLICAS Not enough good replicas to write",
        "-ERR max number of clients reached",
        "-ERR something that nobody has heard of",
        "HTTP/1.1 400 Bad Request",
    ],
)
async def test_whatever_it_says_is_the_one_error(open_link: OpenLink, answer: str) -> None:
    async with _says(answer) as port:
        presence = RedisPresence(open_link(f"redis://:secret@127.0.0.1:{port}/1"))
        for _ in range(3):
            await fails_in_time(presence.renew(LEASES))
            await fails_in_time(presence.screens([ALICE]))


async def test_who_hangs_up_at_once_is_the_same_error(open_link: OpenLink) -> None:
    async with _says("") as port:
        await fails_in_time(open_link(f"redis://127.0.0.1:{port}").ping())


async def test_many_slow_answers_are_one_that_is_too_slow(open_link: OpenLink) -> None:
    """A new connection asks four times; each answer comes in time for the socket's own limit."""
    async with _says("+OK", after=0.9) as port:
        await fails_in_time(open_link(f"redis://:secret@127.0.0.1:{port}/1").ping())


@asynccontextmanager
async def _says(answer: str, *, after: float = 0) -> AsyncIterator[int]:
    """Say this to every command, so many seconds later; nothing at all is to hang up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while answer and (line := await reader.readline()):
                if line.startswith(b"*"):
                    await asyncio.sleep(after)
                    writer.write(f"{answer}\r\n".encode())
        except OSError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
