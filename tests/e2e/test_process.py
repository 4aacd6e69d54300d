"""`allibe` as a process: one-line errors at the start, a clean end, and the smaller commands."""

import asyncio
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

import jwt
import pytest

from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.inbox import Closed
from tests.support.json_client import JsonClient
from tests.support.server import SECRET, WAIT_SECONDS, Server, free_port, run_allibe
from tests.support.stomp_client import StompClient


def _assert_one_line(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """Exit code 1, and a line that says what is wrong; nothing else."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("allibe: ")
    for word in words:
        assert word in line


class TestStart:
    """What keeps it from starting is one line and exit code 1."""

    @pytest.mark.parametrize("demo", [True, False], ids=["demo", "no demo"])
    def test_a_taken_port_is_one_line(self, tmp_path: Path, demo: bool) -> None:
        """It names the port, so that the reader knows which one to change."""
        with socket.create_server(("127.0.0.1", free_port())) as taken:
            port = taken.getsockname()[1]
            arguments = ["--demo", "--data", str(tmp_path)] if demo else []
            done = run_allibe(
                "serve",
                "--port",
                str(port),
                *arguments,
                environment={
                    "ALLIBE_JWT_SECRET": SECRET,
                    "ALLIBE_OPS_PORT": "0",
                    "ALLIBE_DATABASE_URL": f"sqlite:///{tmp_path}/a.db",
                    "ALLIBE_LOG_LEVEL": "error",
                },
            )
        _assert_one_line(done, str(port), "taken")

    def test_a_taken_ops_port_is_one_line(self, tmp_path: Path) -> None:
        """The second port that it listens on is checked as the first one is."""
        with socket.create_server(("127.0.0.1", free_port())) as taken:
            port = taken.getsockname()[1]
            done = run_allibe(
                "serve",
                "--port",
                str(free_port()),
                environment={
                    "ALLIBE_JWT_SECRET": SECRET,
                    "ALLIBE_OPS_PORT": str(port),
                    "ALLIBE_DATABASE_URL": f"sqlite:///{tmp_path}/a.db",
                    "ALLIBE_LOG_LEVEL": "error",
                },
            )
        _assert_one_line(done, str(port), "taken")

    def test_without_demo_a_missing_key_is_one_line(self, tmp_path: Path) -> None:
        """Never a default secret. Nothing is created either."""
        done = run_allibe("serve", "--port", str(free_port()), folder=tmp_path)
        _assert_one_line(done, "ALLIBE_JWT_SECRET", "missing")
        assert list(tmp_path.iterdir()) == []

    def test_a_short_secret_is_one_line_and_not_shown(self, tmp_path: Path) -> None:
        """RFC 7518 §3.2: as long as the hash, at least."""
        done = run_allibe("serve", environment={"ALLIBE_JWT_SECRET": "hunter2"}, folder=tmp_path)
        _assert_one_line(done, "ALLIBE_JWT_SECRET", "32")
        assert "hunter2" not in done.stderr

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
    def test_the_demo_listens_on_loopback_only(self, tmp_path: Path, host: str) -> None:
        """It hands tokens to whoever asks."""
        done = run_allibe("serve", "--demo", "--host", host, "--data", str(tmp_path / "demo"))
        _assert_one_line(done, "loopback", host)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ALLIBE_HEART_BEAT_SECONDS", "soon"),
            ("ALLIBE_PORT", "70000"),
            ("ALLIBE_SLOW_CONSUMER_BYTE", "1"),
            ("ALLIBE_DATABASE_URL", "postgres://nowhere"),
            ("ALLIBE_BUS_URL", "carrier-pigeon:"),
            ("ALLIBE_REDIS_URL", "memcached://nowhere"),
            ("ALLIBE_LOG_LEVEL", "loud"),
            ("ALLIBE_JWT_ALGORITHM", "none"),
            ("ALLIBE_JWT_SECRET_FILE", "/nowhere/secret"),
        ],
    )
    def test_a_wrong_setting_is_one_line_that_names_it(
        self, tmp_path: Path, name: str, value: str
    ) -> None:
        """A typo in a limit must not go unnoticed."""
        good = {"ALLIBE_DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "ALLIBE_OPS_PORT": "0"}
        if not name.startswith("ALLIBE_JWT"):
            good["ALLIBE_JWT_SECRET"] = SECRET
        done = run_allibe(
            "serve",
            "--port",
            str(free_port()),
            environment=good | {name: value},
            folder=tmp_path,
        )
        _assert_one_line(done, name)

    def test_a_folder_that_cannot_be_used_is_one_line(self, tmp_path: Path) -> None:
        """`make run DATA=…` with a typo."""
        (tmp_path / "file").write_text("in the way")
        done = run_allibe("serve", "--demo", "--data", str(tmp_path / "file" / "data"))
        _assert_one_line(done, "file")

    def test_a_file_that_is_no_database_is_one_line(self, tmp_path: Path) -> None:
        """Nothing is overwritten."""
        database = tmp_path / "allibe.db"
        database.write_text("my diary " * 1000)
        done = run_allibe("serve", "--demo", "--data", str(tmp_path))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert database.read_text() == "my diary " * 1000

    @pytest.mark.parametrize("command", ["gateway", "rooms-api", "fanout-worker"])
    def test_a_process_of_its_own_needs_a_bus_that_reaches_others(
        self, tmp_path: Path, command: str
    ) -> None:
        """The in-process bus would leave it alone in the world."""
        environment = {"ALLIBE_JWT_SECRET": SECRET}
        done = run_allibe(command, environment=environment, folder=tmp_path)
        _assert_one_line(done, "ALLIBE_BUS_URL", "allibe serve")

    def test_a_second_one_on_the_same_data_is_one_line(self, start_server: StartServer) -> None:
        """`make run PORT=9000` beside `make run`: neither would hear what the other posts."""
        server = start_server()
        second = ("serve", "--demo", "--port", str(free_port()), "--data", str(server.data))
        _assert_one_line(run_allibe(*second), str(server.database), "in use")
        environment = {"ALLIBE_DATABASE_URL": f"sqlite:///{server.database}"}
        assert run_allibe("migrate", environment=environment).returncode == 0
        environment["ALLIBE_JWT_SECRET"] = SECRET
        assert run_allibe("check", environment=environment).returncode == 0

    def test_one_that_was_killed_is_in_nobodys_way(self, start_server: StartServer) -> None:
        """The lock goes with its process, not with a file that somebody must remove."""
        server = start_server()
        server.kill()
        assert server.database.with_name("allibe.db.lock").exists()
        server.restart()

    def test_it_takes_as_many_connections_as_the_system_allows(
        self, start_server: StartServer
    ) -> None:
        """Each is a file; it is the process that must ask for more than a shell gives it."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
        try:
            server = start_server()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert resource.prlimit(server.pid, resource.RLIMIT_NOFILE) == (hard, hard)

    def test_it_says_where_to_look_and_how_to_say_hello(self, start_server: StartServer) -> None:
        """The last line of `make run`."""
        server = start_server()
        assert f"http://127.0.0.1:{server.port}/" in server.log()
        assert "allibe chat --room 1 --user alice" in server.log()
        assert "<" in server.get("/")


class TestEnd:
    """SIGTERM and Ctrl-C: receipts for what was accepted, then close with 1012, then exit 0."""

    QUICKLY = 5.0
    """Seconds; it takes one, to follow a hint in. Connections that hang would cost several."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
    async def test_in_a_stream_of_sends_all_that_was_accepted_gets_its_receipt(
        self, start_server: StartServer, clients: Clients, number: int
    ) -> None:
        """What is stored was receipted, and what was receipted is stored, at both doors."""
        server = start_server()
        stomp = [await clients.stomp(server, user) for user in ("alice", "bob")]
        plain = await clients.json(server, "carol", "1")
        sending = [
            asyncio.create_task(_stomp_stream(one, number)) for number, one in enumerate(stomp)
        ]
        sending.append(asyncio.create_task(_json_stream(plain)))
        await stomp[0].receipt("0-100")
        await plain.take(lambda item: item["type"] == "ack" and item["clientMessageId"] == "j-20")
        everyone: list[StompClient | JsonClient] = [*stomp, plain]
        codes = asyncio.gather(*(one.closed() for one in everyone))
        began = time.monotonic()
        assert await asyncio.to_thread(server.stop, number) == 0
        assert time.monotonic() - began < self.QUICKLY
        assert await codes == [disconnects.RESTART.code] * 3
        await asyncio.gather(*sending)
        receipted = {"0-100", "j-20"}
        for one in stomp:
            receipted |= {frame.headers["receipt-id"] for frame in one.waiting}
        receipted |= {item["clientMessageId"] for item in plain.waiting if item["type"] == "ack"}
        server.restart()
        history = await clients.api(server, "alice").history("1")
        stored = [message["clientMessageId"] for message in history]
        assert len(stored) == len(set(stored))
        assert set(stored) == receipted

    async def test_idle_connections_are_told_to_come_back(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """1012, "service restart": clients reconnect by themselves. Also who never signed in."""
        server = start_server()
        idle: list[StompClient | JsonClient] = [
            await clients.stomp(server, "alice"),
            await clients.json(server, "bob", "1"),
            await clients.web_socket(server),
        ]
        assert await asyncio.to_thread(server.stop) == 0
        for client in idle:
            assert await client.closed() == disconnects.RESTART.code

    async def test_a_client_that_does_not_answer_the_close_delays_the_end_only_a_little(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """It has three seconds."""
        server = start_server()
        deaf = await clients.stomp(server, "alice")
        deaf.web_socket._autoclose = False
        began = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - began < 10

    async def test_it_is_unready_before_it_stops_to_take_connections(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """So a load balancer notices first, if it looks often enough: within 3 s here."""
        server = start_server(ALLIBE_DRAIN_LEAD_SECONDS="3")
        os.kill(server.pid, signal.SIGTERM)
        status = 200
        async with asyncio.timeout(WAIT_SECONDS):
            while status == 200:
                async with clients.session.get(f"{server.ops_url}/readyz") as answer:
                    status = answer.status
        assert status == 503
        late = await clients.json(server, "alice", "1")
        assert (await late.post("in time"))["offset"] == 1
        assert await late.closed() == disconnects.RESTART.code
        assert await asyncio.to_thread(server.wait) == 0

    async def test_it_ends_within_its_time_whatever_the_rate(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """At one a second these would need half a minute; one of them answers nothing at all."""
        server = start_server(ALLIBE_DRAIN_RATE="1", ALLIBE_DRAIN_SECONDS="4")
        deaf, *others = [await clients.stomp(server, "alice") for _ in range(30)]
        deaf.web_socket._autoclose = False
        codes = asyncio.gather(*(one.closed() for one in others))
        began = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - began < 15
        assert set(await codes) == {disconnects.RESTART.code}

    async def test_it_starts_again_with_all_that_it_had(
        self, start_server: StartServer, clients: Clients
    ) -> None:
        """Rooms, messages, read markers and tokens (the demo keeps its secret) outlive it."""
        server = start_server()
        alice = clients.api(server, "alice")
        await alice.ask("POST", "/rooms/1/messages", {"content": "before"})
        before = await alice.rooms()
        server.restart()
        assert await alice.rooms() == before
        status, message = await alice.ask("POST", "/rooms/1/messages", {"content": "after"})
        assert (status, message["offset"]) == (201, 2)


async def _stomp_stream(client: StompClient, number: int) -> None:
    """Send as fast as the socket takes it, until it is closed."""
    try:
        for index in range(100_000):
            name = f"{number}-{index}"
            body = json.dumps({"roomId": "1", "content": name, "clientMessageId": name})
            headers = {"destination": "/app/message", "receipt": name}
            await client.send_frame("SEND", headers, body)
            if index % 50 == 0:
                await asyncio.sleep(0)
    except (ConnectionError, Closed):
        return


async def _json_stream(client: JsonClient) -> None:
    try:
        for index in range(100_000):
            name = f"j-{index}"
            await client.send(type="message", content=name, clientMessageId=name)
            await asyncio.sleep(0)
    except (ConnectionError, Closed):
        return


class TestCommands:
    """`token`, `check` and `migrate`."""

    def test_token_prints_a_token_for_the_user(self) -> None:
        """Signed with the configured secret, and nothing but the token on the line."""
        done = run_allibe(
            "token",
            *("--user", "alice", "--ttl", "60", "--name", "Alice", "--scope", "chat:admin"),
            environment={"ALLIBE_JWT_SECRET": SECRET, "ALLIBE_JWT_AUDIENCE": "chat"},
        )
        assert (done.returncode, done.stderr) == (0, "")
        claims = jwt.decode(done.stdout.strip(), SECRET, ["HS256"], audience="chat")
        assert (claims["sub"], claims["name"], claims["scope"]) == ("alice", "Alice", "chat:admin")
        assert 50 < claims["exp"] - time.time() <= 60

    async def test_its_token_opens_the_server_of_the_same_key(
        self, private_server: Server, clients: Clients
    ) -> None:
        """What an operator does to look into a server."""
        done = run_allibe(
            "token",
            *("--user", "alice"),
            environment={"ALLIBE_JWT_SECRET": SECRET, "ALLIBE_JWT_AUDIENCE": "allibe-tests"},
        )
        client = await clients.web_socket(private_server)
        connected = await client.connect(done.stdout.strip())
        assert connected.headers["user-name"] == "alice"

    def test_token_without_a_key_is_one_line(self) -> None:
        """The demo's tokens come from its address; this command needs the key."""
        _assert_one_line(run_allibe("token", "--user", "alice"), "ALLIBE_JWT_SECRET")

    def test_token_refuses_what_cannot_be_a_user(self) -> None:
        """A wildcard would be a routing key."""
        environment = {"ALLIBE_JWT_SECRET": SECRET}
        _assert_one_line(run_allibe("token", "--user", "a*", environment=environment), "user id")

    def test_check_shows_the_settings_and_hides_secrets(self, tmp_path: Path) -> None:
        """All is well: exit code 0, and no problem on standard error, but that nothing is there."""
        environment = {
            "ALLIBE_JWT_SECRET": SECRET,
            "ALLIBE_DATABASE_URL": f"sqlite:///{tmp_path}/a.db",
        }
        done = run_allibe("check", environment=environment)
        assert (done.returncode, done.stderr.count("\n")) == (0, 1)
        assert done.stderr.startswith("note: ALLIBE_DATABASE_URL: there is no database at ")
        assert "ALLIBE_PORT=8080" in done.stdout.splitlines()
        assert "ALLIBE_JWT_SECRET=(set, hidden)" in done.stdout.splitlines()
        assert SECRET not in done.stdout

    def test_check_says_what_is_wrong(self, tmp_path: Path) -> None:
        """All problems at once, on standard error, and exit code 1."""
        environment = {
            "ALLIBE_LOG_FORMAT": "xml",
            "ALLIBE_HOST": "nowhere at all",
            "ALLIBE_DATABASE_URL": f"sqlite:///{tmp_path}/a.db",
        }
        done = run_allibe("check", environment=environment)
        assert done.returncode == 1
        for name in ("ALLIBE_JWT_SECRET", "ALLIBE_LOG_FORMAT", "ALLIBE_HOST"):
            assert f"problem: {name}" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_migrate_makes_the_tables_and_may_be_repeated(self, tmp_path: Path) -> None:
        """The second time there is nothing to do."""
        environment = {"ALLIBE_DATABASE_URL": f"sqlite:///{tmp_path}/sub/a.db"}
        for _ in range(2):
            done = run_allibe("migrate", environment=environment)
            assert done.returncode == 0
            assert done.stdout == "The database is up to date.\n"
        connection = sqlite3.connect(tmp_path / "sub" / "a.db")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        connection.close()
        assert {"rooms", "members", "messages"} <= tables
