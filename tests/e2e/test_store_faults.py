"""A database that is locked, a disk that is full, writes that fail: no receipt, no loss, no end.

A client gets an error that may be retried within the publish time limit, `/readyz` says 503, and
once the fault is over everything works again by itself: nothing lost, and what is sent again under
its clientMessageId is stored once.
"""

import asyncio
import json
import os
import resource
import sqlite3
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.json_client import Json
from tests.support.server import Server, eventually, running
from tests.support.stomp_client import StompClient

PUBLISH_SECONDS = 1.0


class Fault(ABC):
    """Something that keeps a server from writing to its database."""

    def __init__(
        self, folder: Path, stack: ExitStack, publish_seconds: float = PUBLISH_SECONDS
    ) -> None:
        self._stack = stack
        self._settings = {"ALLIBE_PUBLISH_SECONDS": str(publish_seconds)}
        self.server = self._start(folder)

    def _start(self, folder: Path) -> Server:
        return self._stack.enter_context(running(folder, environment=self._settings))

    @abstractmethod
    def begin(self) -> None:
        """Let writes fail from now on, or soon."""

    @abstractmethod
    def end(self) -> None:
        """Let them succeed again."""

    def server_is_gone(self) -> None:
        """End the fault after the server was killed."""
        self.end()


class Locked(Fault):
    """Another process holds the lock of a writer."""

    def __init__(
        self, folder: Path, stack: ExitStack, publish_seconds: float = PUBLISH_SECONDS
    ) -> None:
        super().__init__(folder, stack, publish_seconds)
        self._other = sqlite3.connect(self.server.database, isolation_level=None, timeout=10)
        stack.callback(self._other.close)

    def begin(self) -> None:
        self._other.execute("BEGIN EXCLUSIVE")

    def end(self) -> None:
        self._other.execute("ROLLBACK")


class WritesFail(Fault):
    """Files must not grow any more: writes fail as on a broken disk (EFBIG)."""

    def begin(self) -> None:
        largest = max(path.stat().st_size for path in self.server.data.iterdir())
        self._limit(max(largest, self.server.log_size() + 65_536))

    def end(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def server_is_gone(self) -> None:
        """The limit went with its process."""

    def _limit(self, size: int) -> None:
        _, hard = resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.server.pid, resource.RLIMIT_FSIZE, (size, hard))


class FullDisk(Fault):
    """No space is left (ENOSPC), on a small disk of its own."""

    def _start(self, folder: Path) -> Server:
        disk = folder / "data"
        disk.mkdir(parents=True)
        self._filler = disk / "filler"
        options = ("-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs")
        subprocess.run(["mount", *options, disk], check=True, capture_output=True)
        self._stack.callback(lambda: subprocess.run(["umount", disk], check=True))
        return super()._start(folder)

    def begin(self) -> None:
        with self._filler.open("wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                return

    def end(self) -> None:
        self._filler.unlink()


def _may_mount() -> bool:
    """Root may, unless the container forbids it; others have `WritesFail`."""
    if os.geteuid() != 0:
        return False
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


FAULTS: dict[str, type[Fault]] = {
    "a locked database": Locked,
    "a full disk": FullDisk if _may_mount() else WritesFail,
    "writes that fail": WritesFail,
}


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fault]:
    with ExitStack() as stack:
        yield FAULTS[request.param](tmp_path, stack)


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Locked]:
    with ExitStack() as stack:
        yield Locked(tmp_path, stack)


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Locked]:
    """The same with a publish time limit that no lock of these tests reaches."""
    with ExitStack() as stack:
        yield Locked(tmp_path, stack, publish_seconds=60)


class Sender:
    """Posts messages over STOMP with soft errors, each under an id of its own."""

    def __init__(self, client: StompClient, room: str) -> None:
        self._client = client
        self._room = room
        self.receipted: list[str] = []

    async def send(self, name: str) -> Json | None:
        """Send one; return the error that came instead of its receipt."""
        body = {"content": name.ljust(4000, "."), "roomId": self._room, "clientMessageId": name}
        headers = {"destination": "/app/message", "receipt": name}
        await self._client.send_frame("SEND", headers, json.dumps(body))
        answer = await self._client.take(
            lambda frame: (
                frame.headers.get("receipt-id") == name
                or frame.headers.get("subscription") == "errors"
            )
        )
        if answer.command == "RECEIPT":
            self.receipted.append(name)
            return None
        error: Json = json.loads(answer.body)
        assert error["receiptId"] == name
        return error

    async def send_until_refused(self) -> tuple[str, Json]:
        """Return the first that got an error, and the error."""
        for number in range(3000):
            name = f"m-{number}"
            if (error := await self.send(name)) is not None:
                return name, error
        raise AssertionError("12 MB were stored where nothing could be stored")


async def _sender(clients: Clients, server: Server, room: str) -> Sender:
    client = await clients.stomp(server, "alice", x_soft_errors="true")
    await client.subscribe("/user/queue/errors", id="errors")
    return Sender(client, room)


async def _until_status(server: Server, status: int) -> None:
    what = f"/readyz says {status}"
    await asyncio.to_thread(eventually, lambda: server.readiness()[0] == status, what)


async def test_a_fault_of_the_store_is_told_and_over_when_it_is_over(
    fault: Fault, clients: Clients
) -> None:
    """The whole story, from the last good message to the first good one after it."""
    server = fault.server
    room = await clients.api(server, "alice").new_room(None, "bob")
    reader = await clients.stomp(server, "bob")
    await reader.subscribe(f"/topic/rooms/{room}")
    sender = await _sender(clients, server, room)
    assert await sender.send("before") is None

    fault.begin()
    refused, error = await sender.send_until_refused()
    assert (error["code"], error["retryable"]) == ("not_confirmed", True)
    status, text = await asyncio.to_thread(server.readiness)
    assert status == 503, text
    assert server.get("/livez") == "ok\n"

    fault.end()
    await _until_status(server, 200)
    assert await sender.send(refused) is None  # again, under the same id
    assert await sender.send("after") is None
    history = await clients.api(server, "alice").history(room)
    stored = [message["clientMessageId"] for message in history]
    assert len(stored) == len(set(stored)), "something was stored twice"
    assert set(stored) == set(sender.receipted), "what was receipted and what is stored differ"
    seen = [(await reader.body())["clientMessageId"] for _ in stored]
    assert seen == stored
    await reader.request("SEND", {"destination": "/app/typing"}, json.dumps({"roomId": room}))
    assert not reader.waiting


async def test_after_a_fault_the_database_is_sound(fault: Fault, clients: Clients) -> None:
    """What was stored before is still there after a restart, and the file passes its own check."""
    server = fault.server
    room = await clients.api(server, "alice").new_room()
    sender = await _sender(clients, server, room)
    await sender.send("before")
    fault.begin()
    refused, _ = await sender.send_until_refused()
    server.kill()
    fault.server_is_gone()
    server.restart()
    sender_again = await _sender(clients, server, room)
    assert await sender_again.send(refused) is None
    contents = await clients.api(server, "alice").contents(room)
    names = [content.rstrip(".") for content in contents]
    assert names == [*sender.receipted, refused]
    assert await asyncio.to_thread(server.stop) == 0
    connection = sqlite3.connect(server.database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


class TestLocked:
    """Locked by another process, as by a backup or a curious person with `sqlite3`."""

    async def test_a_short_lock_is_waited_for(self, patient: Locked, clients: Clients) -> None:
        """Within the publish time limit nobody notices but by the delay: no error, a receipt."""
        room = await clients.api(patient.server, "alice").new_room()
        client = await clients.stomp(patient.server, "alice")
        await client.post(room, "before")
        patient.begin()
        posting = asyncio.create_task(client.post(room, "meanwhile"))
        await asyncio.to_thread(patient.server.until_counted, "allibe_gateway_messages_in_total", 2)
        patient.end()
        assert (await posting).command == "RECEIPT"
        assert await clients.api(patient.server, "alice").contents(room) == ["before", "meanwhile"]

    async def test_a_lock_that_outlasts_the_database_is_waited_for_too(
        self, patient: Locked, clients: Clients
    ) -> None:
        """SQLite gives up after two seconds; the worker keeps what it has and tries again."""
        room = await clients.api(patient.server, "alice").new_room()
        client = await clients.stomp(patient.server, "alice")
        patient.begin()
        posting = asyncio.create_task(client.post(room, "meanwhile"))
        await asyncio.to_thread(
            eventually, lambda: "shard_stalled" in patient.server.log(), "the worker has stalled"
        )
        patient.end()
        assert (await posting).command == "RECEIPT"
        assert await clients.api(patient.server, "alice").contents(room) == ["meanwhile"]
        await _until_status(patient.server, 200)

    async def test_stomp_without_soft_errors_is_told_to_resume(
        self, locked: Locked, clients: Clients
    ) -> None:
        """ERROR with `x-retryable: true` and the receipt's id, then 4406; no RECEIPT. In time."""
        client = await clients.stomp(locked.server, "alice")
        await client.post("1", "before")
        locked.begin()
        began = time.monotonic()
        body = json.dumps({"content": "lost?", "roomId": "1", "clientMessageId": "once"})
        headers = {"destination": "/app/message", "receipt": "r9"}
        await client.send_frame("SEND", headers, body)
        error = await client.error()
        assert PUBLISH_SECONDS * 0.9 <= time.monotonic() - began < PUBLISH_SECONDS + 5
        assert error.headers["x-code"] == "not_confirmed"
        assert error.headers["x-retryable"] == "true"
        assert error.headers["receipt-id"] == "r9"
        assert await client.closed() == disconnects.UNAVAILABLE.code
        assert not client.waiting
        locked.end()
        again = await clients.stomp(locked.server, "alice")
        await again.request("SEND", {"destination": "/app/message"}, body)
        contents = await clients.api(locked.server, "alice").contents("1")
        assert contents == ["before", "lost?"]

    async def test_the_json_door_says_which_message_may_be_sent_again(
        self, locked: Locked, clients: Clients
    ) -> None:
        """`error` with the clientMessageId; sent again it is acked with its place in the log."""
        client = await clients.json(locked.server, "alice", "1")
        await client.post("before")
        locked.begin()
        await client.send(type="message", content="lost?", clientMessageId="once")
        error = await client.of_type("error")
        assert (error["code"], error["retryable"]) == ("not_confirmed", True)
        assert error["clientMessageId"] == "once"
        locked.end()
        ack = await client.post("lost?", clientMessageId="once")
        assert ack["offset"] == 2
        assert await clients.api(locked.server, "alice").contents("1") == ["before", "lost?"]

    async def test_over_http_it_is_a_504_that_says_when_to_come_back(
        self, locked: Locked, clients: Clients
    ) -> None:
        """The same code as over the sockets."""
        alice = clients.api(locked.server, "alice")
        locked.begin()
        message = {"content": "lost?", "clientMessageId": "once"}
        status, problem = await alice.ask("POST", "/rooms/1/messages", message)
        assert (status, problem["code"], problem["retryable"]) == (504, "not_confirmed", True)
        locked.end()
        status, stored = await alice.ask("POST", "/rooms/1/messages", message)
        assert status in (200, 201)
        assert stored["offset"] == 1

    async def test_reading_goes_on(self, locked: Locked, clients: Clients) -> None:
        """WAL: readers never wait for a writer. Rooms open, history and lists are there."""
        alice = clients.api(locked.server, "alice")
        await alice.ask("POST", "/rooms/1/messages", {"content": "before"})
        locked.begin()
        assert await alice.contents("1") == ["before"]
        assert {room["roomId"] for room in await alice.rooms()} == {"1", "2"}
        client = await clients.stomp(locked.server, "bob")
        receipt = await client.subscribe("/topic/rooms/1")
        assert receipt.headers["x-offset"] == "1"
        locked.end()

    async def test_other_writes_are_told_to_come_back(
        self, locked: Locked, clients: Clients
    ) -> None:
        """A new room, a member less: 503, and nothing has changed, then or later."""
        alice = clients.api(locked.server, "alice")
        await alice.ask("POST", "/rooms/1/messages", {"content": "before"})
        locked.begin()
        answers = await asyncio.gather(
            alice.ask("POST", "/rooms", {"name": "Room", "roomId": "new"}),
            alice.ask("DELETE", "/rooms/2/members/bob"),
        )
        locked.end()
        for status, problem in answers:
            assert (status, problem["code"]) == (503, "store_unavailable")
            assert problem["retryable"] is True
        assert {room["roomId"] for room in await alice.rooms()} == {"1", "2"}
        assert "2" in {room["roomId"] for room in await clients.api(locked.server, "bob").rooms()}

    async def test_several_senders_keep_their_order_through_a_lock(
        self, patient: Locked, clients: Clients
    ) -> None:
        """I4: what waits in the line while the database is locked comes out as it went in."""
        room = await clients.api(patient.server, "alice").new_room(None, "bob")
        senders = [await clients.stomp(patient.server, user) for user in ("alice", "bob")]
        patient.begin()
        posting = []
        for number in range(20):
            for client in senders:
                posting.append(asyncio.create_task(client.post(room, str(number))))
                await asyncio.sleep(0)
        await asyncio.to_thread(
            patient.server.until_counted, "allibe_gateway_messages_in_total", len(posting)
        )
        patient.end()
        await asyncio.gather(*posting)
        history = await clients.api(patient.server, "alice").history(room)
        for user in ("alice", "bob"):
            said = [message["content"] for message in history if message["sender"] == user]
            assert said == [str(number) for number in range(20)]
