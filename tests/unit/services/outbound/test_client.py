"""`outbound.client`: what is dialled is what the rules allow; every answer has its bounds."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from allibe_services.outbound import (
    AddressRefused,
    LoopbackForTests,
    OutboundClient,
    Rules,
    TimedOut,
    TimeLimits,
    Unreachable,
    Untrusted,
    UrlRefused,
    outbound_client,
)
from allibe_services.outbound.client import LOOKUPS
from tests.support.certificates import tls_pair
from tests.support.moody_server import MoodyServer

LOOPBACK = Rules(loopback=LoopbackForTests())
HEADERS = {"Content-Type": "text/plain"}
SOON = TimeLimits(connect=0.5, total=0.5)
"""For what would never end: the test waits for that long."""

PATIENT = TimeLimits(connect=2.0, total=2.0)
"""Likewise, where something must happen before."""

Resolve = Callable[..., None]


@pytest.fixture
async def server() -> AsyncIterator[MoodyServer]:
    async with MoodyServer.running() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    async with outbound_client(LOOPBACK) as client:
        yield client


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Says what a name resolves to: addresses for the first lookup, the second, and so on."""
    real = socket.getaddrinfo

    def set_answers(*answers: list[str]) -> None:
        waiting = list(answers)

        def look_up(_: str, port: int, **options: Any) -> list[Any]:
            found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            options["flags"] = socket.AI_NUMERICHOST
            return [one for address in found for one in real(address, port, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return set_answers


async def test_an_answer_is_status_and_retry_after(
    server: MoodyServer, client: OutboundClient
) -> None:
    answer = await client.post(str(server.url), b"x", HEADERS)
    assert (answer.status, answer.retry_after) == (204, None)
    server.answers(429, retry_after="7")
    answer = await client.post(str(server.url), b"x", HEADERS)
    assert (answer.status, answer.retry_after) == (429, "7")


async def test_connections_are_used_again(server: MoodyServer, client: OutboundClient) -> None:
    for status in (200, 404, 500):
        server.answers(status)
        for _ in range(3):
            await client.post(str(server.url), b"x", HEADERS)
    assert server.asked == 9
    assert len(server.connections) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer(
    server: MoodyServer, client: OutboundClient, status: int
) -> None:
    server.answers(status, location=str(server.url / "elsewhere"))
    assert (await client.post(str(server.url), b"x", HEADERS)).status == status
    assert server.asked == 1


async def test_a_body_without_end_is_not_read_to_its_end(
    server: MoodyServer, client: OutboundClient
) -> None:
    server.floods(201)
    assert (await client.post(str(server.url), b"x", HEADERS)).status == 201
    server.answers(204)
    await client.post(str(server.url), b"x", HEADERS)
    assert len(server.connections) == 2
    assert server.flooded < 64 << 20  # what sockets hold, and not ten seconds of loopback


async def test_a_status_stands_whatever_becomes_of_the_body(server: MoodyServer) -> None:
    """It was taken: a second try would show it twice."""
    server.stalls(201)
    async with outbound_client(LOOPBACK, limits=PATIENT) as client:
        assert (await client.post(str(server.url), b"x", HEADERS)).status == 201


async def test_who_does_not_answer_is_waited_for_only_so_long(server: MoodyServer) -> None:
    server.hangs()
    async with outbound_client(LOOPBACK, limits=SOON) as client:
        with pytest.raises(TimedOut):
            await client.post(str(server.url), b"x", HEADERS)


async def test_who_hangs_up_is_unreachable(server: MoodyServer, client: OutboundClient) -> None:
    server.hangs_up()
    with pytest.raises(Unreachable):
        await client.post(str(server.url), b"x", HEADERS)
    assert server.asked == 1


async def test_nobody_is_unreachable(client: OutboundClient) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(Unreachable):
            await client.post(f"http://127.0.0.1:{port}/", b"x", HEADERS)


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"\0" * 1000,
        b"",
    ],
)
async def test_what_is_no_http_is_unreachable(client: OutboundClient, answer: bytes) -> None:
    """Headers without end among them."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable):
            await client.post(f"http://127.0.0.1:{port}/", b"x", HEADERS)


async def test_cookies_are_not_kept(server: MoodyServer, client: OutboundClient) -> None:
    seen: list[str | None] = []

    async def mood(request: Any) -> Any:
        seen.append(request.headers.get("Cookie"))
        answer = await server.take(request)
        answer.headers["Set-Cookie"] = "a=b"
        return answer

    server.mood = mood
    for _ in range(2):  # by name: jars keep nothing for an address
        await client.post(str(server.url.with_host("localhost")), b"x", HEADERS)
    assert seen == [None, None]


async def test_a_proxy_of_the_environment_is_not_asked(
    server: MoodyServer, client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look names up where nobody checks."""
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await client.post(str(server.url), b"x", HEADERS)).status == 204


class TestAddresses:
    """Checked where the connection is made."""

    async def test_a_name_that_leads_inside_is_refused(
        self, server: MoodyServer, resolve: Resolve
    ) -> None:
        rules = Rules(ports=frozenset({server.url.port or 0}))
        async with outbound_client(rules) as client:
            for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"):
                resolve([address])
                with pytest.raises(AddressRefused):
                    await client.post(f"https://rebound.example:{server.url.port}/", b"x", HEADERS)
            resolve(["127.0.0.1", "::1", "10.0.0.1"])
            with pytest.raises(AddressRefused):
                await client.post(f"https://rebound.example:{server.url.port}/", b"x", HEADERS)
        assert server.asked == 0

    async def test_the_name_of_this_machine_leads_inside(self, server: MoodyServer) -> None:
        """The system's own resolver, not a patched one."""
        async with outbound_client(Rules(ports=frozenset({server.url.port or 0}))) as client:
            with pytest.raises(AddressRefused):
                await client.post(f"https://localhost:{server.url.port}/", b"x", HEADERS)

    async def test_a_name_that_changes_its_mind_gains_nothing(
        self, resolve: Resolve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """DNS rebinding: an address that is allowed, and at the next lookup one inside."""
        tls, trust = tls_pair(tmp_path)
        rules = Rules(hosts=("localhost",), loopback=LoopbackForTests(trust))
        dialled: list[str] = []
        allowed = Rules.allows

        def allows(self: Rules, address: str) -> bool:
            dialled.append(address)
            return allowed(self, address)

        monkeypatch.setattr(Rules, "allows", allows)
        async with MoodyServer.running(tls) as server, outbound_client(rules) as client:
            resolve(["127.0.0.1"], ["10.0.0.1"])
            assert (await client.post(str(server.url), b"x", HEADERS)).status == 204
            server.floods(500)  # so that the connection is not used again
            await client.post(str(server.url), b"x", HEADERS)
            with pytest.raises(AddressRefused):
                await client.post(str(server.url), b"x", HEADERS)
        assert dialled == ["127.0.0.1", "10.0.0.1"]

    async def test_of_several_addresses_those_that_are_allowed_are_dialled(
        self, server: MoodyServer, client: OutboundClient, resolve: Resolve
    ) -> None:
        resolve(["10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1"])
        url = f"http://localhost:{server.url.port}/"
        assert (await client.post(url, b"x", HEADERS)).status == 204

    async def test_private_rules_reach_a_private_host_and_no_metadata(
        self, resolve: Resolve, tmp_path: Path
    ) -> None:
        tls, trust = tls_pair(tmp_path)
        async with MoodyServer.running(tls) as server:
            rules = Rules(
                hosts=("hooks.corp.example",),
                ports=frozenset({server.url.port or 0}),
                private=True,
                loopback=LoopbackForTests(trust),
            )
            async with outbound_client(rules) as client:
                url = f"https://hooks.corp.example:{server.url.port}/"
                resolve(["127.0.0.1"])
                with pytest.raises(Untrusted, match="Hostname mismatch"):
                    await client.post(url, b"x", HEADERS)
                resolve(["169.254.169.254"])
                with pytest.raises(AddressRefused):
                    await client.post(url, b"x", HEADERS)

    @pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
    def test_they_are_checked_on_the_loop_of_production_too(self, run: Callable[..., None]) -> None:
        """uvloop connects by ways of its own."""

        async def ask() -> None:
            async with MoodyServer.running() as server:
                async with outbound_client(LOOPBACK) as client:
                    url = f"http://localhost:{server.url.port}/"
                    assert (await client.post(url, b"x", HEADERS)).status == 204
                rules = Rules(ports=frozenset({server.url.port or 0}))
                async with outbound_client(rules) as client:
                    with pytest.raises(AddressRefused):
                        await client.post(url.replace("http:", "https:"), b"x", HEADERS)
                assert server.asked == 1

        run(ask())

    async def test_a_url_against_the_rules_is_not_looked_up(
        self, client: OutboundClient, resolve: Resolve
    ) -> None:
        resolve([])
        for url in ("http://hooks.example/", "https://127.1/", "https://a@b.example/"):
            with pytest.raises(UrlRefused):
                await client.post(url, b"x", HEADERS)
            with pytest.raises(UrlRefused):
                client.origin(url)


async def test_tls_is_for_names_that_are_proven(tmp_path: Path) -> None:
    tls, trust = tls_pair(tmp_path)
    async with MoodyServer.running(tls) as server:
        believing = Rules(loopback=LoopbackForTests(trust))
        async with outbound_client(believing) as client:
            assert (await client.post(str(server.url), b"x", HEADERS)).status == 204
        async with outbound_client(LOOPBACK) as client:
            with pytest.raises(Untrusted, match="self-signed certificate"):
                await client.post(str(server.url), b"x", HEADERS)


async def test_names_that_nobody_answers_for_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, server: MoodyServer
) -> None:
    """More of them than threads: those that were given up do not pile up behind the threads."""
    released, looked_up = threading.Event(), []

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        looked_up.append(host)
        released.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with outbound_client(LOOPBACK, limits=PATIENT) as client:
        many = [
            client.post(f"https://slow-{number}.example/", b"x", HEADERS)
            for number in range(2 * LOOKUPS)
        ]
        outcomes = await asyncio.gather(*many, return_exceptions=True)
        assert [type(one) for one in outcomes] == [TimedOut] * len(many)
        # An address needs no lookup, so this one is not behind them.
        assert (await client.post(str(server.url), b"x", HEADERS)).status == 204
        released.set()
    assert len(looked_up) == LOOKUPS


async def test_a_name_that_does_not_exist_is_unreachable(
    client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Unreachable) as caught:
        await client.post("https://absent.example/secret", b"x", HEADERS)
    assert "absent" not in str(caught.value)


async def test_a_socket_that_fails_as_uvloop_has_it_is_unreachable(
    server: MoodyServer, client: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def allows(*_: object) -> bool:
        raise RuntimeError("unable to perform operation: the handler is closed")

    monkeypatch.setattr(Rules, "allows", allows)
    with pytest.raises(Unreachable):
        await client.post(str(server.url), b"x", HEADERS)


async def test_a_client_that_is_closed_reaches_nobody(server: MoodyServer) -> None:
    async with outbound_client(LOOPBACK) as client:
        pass
    with pytest.raises(Unreachable):
        await client.post(str(server.url), b"x", HEADERS)


async def test_origins_are_written_as_browsers_do(client: OutboundClient) -> None:
    assert client.origin("https://Push.Example.net:443/a?b") == "https://push.example.net"
    assert client.origin("http://127.0.0.1:81/a") == "http://127.0.0.1:81"


async def test_what_is_wrong_is_said_once_with_its_cause_and_without_the_path(
    tmp_path: Path,
) -> None:
    tls, _ = tls_pair(tmp_path)
    async with MoodyServer.running(tls) as server, outbound_client(LOOPBACK) as client:
        url = str(server.url / "the-secret")
        with capture_logs() as logs:
            for _ in range(3):
                with pytest.raises(Untrusted):
                    await client.post(url, b"x", HEADERS)
    assert logs == [
        {
            "log_level": "warning",
            "event": "not_reached",
            "origin": str(server.url.origin()),
            "cause": "Untrusted: self-signed certificate",
        }
    ]


async def test_who_speaks_no_tls_is_not_trusted(server: MoodyServer) -> None:
    async with outbound_client(LOOPBACK) as client:
        with pytest.raises(Untrusted, match=r"RECORD|VERSION|HTTP"):
            await client.post(f"https://localhost:{server.url.port}/", b"x", HEADERS)
