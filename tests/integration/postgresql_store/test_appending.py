"""Appends to PostgreSQL by several at once: whatever they do to one another, the log is whole."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.ids import RoomId
from allibe_services.store import log
from allibe_services.store.sql import SqlStore
from tests.support.commands import post

from .conftest import Open
from .looks import ONE, eventually, history, other_client, run, stored

APPENDER = Path(__file__).with_name("appender.py")


@contextmanager
def appending(url: str, client_message_id: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process, in the middle of its append to room 1."""
    with subprocess.Popen(
        [sys.executable, APPENDER, url, client_message_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "middle\n"
            yield process
        finally:
            process.kill()


class TestAtOnce:
    async def test_the_same_rooms_in_opposite_orders_never_deadlock(
        self, store: SqlStore, open_store: Open, url: str
    ) -> None:
        rooms = [f"r{n}" for n in range(12)]
        for room in rooms:
            await store.rooms.create(room, post().sender, room_id=RoomId(room))
        stores = [store, open_store()]

        async def append_all(number: int) -> None:
            shuffled = random.Random(number)
            for round_ in range(30):
                order = rooms if number % 2 else rooms[::-1]
                if number >= 2:
                    order = shuffled.sample(rooms, len(rooms))
                commands = [post(f"{round_}", room=room) for room in order for _ in range(2)]
                stored(await stores[number % 2].log.append(commands))

        await asyncio.gather(*(append_all(number) for number in range(6)))

        for room in rooms:
            found = await history(store, RoomId(room))
            assert len(found) == 6 * 30 * 2
        async with other_client(url) as other:
            deadlocks = await other.fetchval(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
        assert deadlocks == 0

    async def test_two_workers_with_the_same_commands_store_each_once(
        self, store: SqlStore, open_store: Open
    ) -> None:
        """A shard that changed hands: both have what was not acked, in batches of their own."""
        by_client = [post(f"{n}", room="12"[n % 2], client=f"c-{n}") for n in range(300)]
        without = [post(f"{n}", room="12"[n % 2]) for n in range(300, 400)]
        commands = by_client + without
        answers: dict[str, set[tuple[str, int]]] = {}

        async def work(number: int) -> None:
            worker, size, at = open_store(), 7 + 6 * number, 0
            while at < len(commands):
                batch = commands[at : at + size]
                for command, outcome in zip(batch, await worker.log.append(batch), strict=True):
                    assert isinstance(outcome, Stored)
                    known = answers.setdefault(command.message_id, set())
                    known.add((outcome.message.room_id, outcome.message.offset))
                at += size

        await asyncio.gather(*(work(number) for number in range(3)))

        assert all(len(known) == 1 for known in answers.values())
        for room in ("1", "2"):
            ids = [message.message_id for message in await history(store, RoomId(room))]
            assert ids == [c.message_id for c in commands if c.room_id == room]

    async def test_a_retry_with_another_message_id_is_known_by_the_clients_own(
        self, store: SqlStore, open_store: Open
    ) -> None:
        other = open_store()
        tries = [[post(client=f"c-{n}") for n in range(20)] for _ in range(6)]

        answers = await asyncio.gather(
            *((store, other)[n % 2].log.append(commands) for n, commands in enumerate(tries))
        )

        assert all(stored(outcomes) == stored(answers[0]) for outcomes in answers)
        assert len(await history(store)) == 20


class TestOtherProcesses:
    async def test_one_that_is_killed_in_the_middle_leaves_nothing(
        self, store: SqlStore, url: str
    ) -> None:
        with appending(url, "c-1") as process:
            process.kill()
            process.wait()
            outcomes = await store.log.append([post("mine", client="c-1")])

        assert [message.offset for message in stored(outcomes)] == [1]
        assert [message.content for message in await history(store)] == ["mine"]

    async def test_one_that_is_stopped_in_the_middle_hands_over_and_cannot_come_back(
        self, store: SqlStore, url: str
    ) -> None:
        """A zombie: its shard went to another worker, then it wakes up."""
        with appending(url, "c-1") as process:
            process.send_signal(signal.SIGSTOP)
            started = time.monotonic()
            mine = [post("mine", client="c-1"), post("next")]
            await eventually(lambda: store.log.append(mine))
            assert time.monotonic() - started < 10  # of the 15 s that a hand-over may take
            before = await history(store)

            process.send_signal(signal.SIGCONT)
            said, _ = await asyncio.to_thread(process.communicate, "\n")

        assert said.splitlines()[-1] == "unavailable"
        assert await history(store) == before
        assert [message.content for message in before] == ["mine", "next"]


async def test_offsets_continue_what_the_room_says_and_nothing_else(
    store: SqlStore, open_store: Open
) -> None:
    """No sequence, no count: what was rolled back leaves no gap."""
    other = open_store()

    def append_and_fail(connection: Connection, commands: list[PostMessage]) -> None:
        log.append(connection, commands)
        run(connection, "SELECT 1")
        raise LookupError

    for n in range(5):
        try:
            await other._database.write(append_and_fail, [post(), post()])
        except LookupError:
            await store.log.append([post(str(n))])

    assert [message.content for message in await history(store, ONE)] == list("01234")
