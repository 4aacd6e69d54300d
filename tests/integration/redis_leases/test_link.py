"""The link itself: its connections, how it closes, what it does with what asyncio throws at it."""

import asyncio
import gc
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import redis.asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from allibe_services.contracts.errors import LeasesUnavailable
from allibe_services.presence.redis import RedisPresence
from allibe_services.redis_link import CONNECTIONS, RedisLink
from deploy.cluster.servers import Redis
from tests.integration.redis_leases.calls import ALICE, BOB, LEASES, ONE, fails_in_time, works_soon
from tests.integration.redis_leases.conftest import OpenLink
from tests.support.presences import connected, looking


def connections(server: Redis) -> int:
    return server.command("CLIENT", "LIST", "TYPE", "normal").count("name=allibe")


class TestConnections:
    async def test_there_is_none_before_the_first_call(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        assert connections(server) == 0
        await presence.ping()
        assert connections(server) == 1

    async def test_a_thousand_calls_at_once_share_a_few(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        await presence.renew(LEASES)
        answers = await asyncio.gather(*(looking(presence, ONE) for _ in range(1000)))
        assert all(answer == {ALICE, BOB} for answer in answers)
        assert 1 < connections(server) <= CONNECTIONS

    async def test_there_are_as_many_as_are_asked_for(
        self, server: Redis, open_link: OpenLink
    ) -> None:
        presence = RedisPresence(open_link(connections=2))
        await asyncio.gather(*(presence.renew(LEASES) for _ in range(100)))
        assert connections(server) == 2

    async def test_trouble_leaves_no_more_of_them(
        self, server: Redis, presence: RedisPresence
    ) -> None:
        for _ in range(3):
            await asyncio.gather(*(presence.renew(LEASES) for _ in range(50)))
            server.freeze()
            await asyncio.gather(*(fails_in_time(presence.renew(LEASES)) for _ in range(50)))
            server.thaw()
            await works_soon(presence)
            await asyncio.sleep(0.1)
            assert connections(server) <= CONNECTIONS

    async def test_a_turn_that_does_not_come_in_time_is_a_failure(
        self, server: Redis, open_link: OpenLink
    ) -> None:
        presence = RedisPresence(open_link(connections=1, call_seconds=0.5))
        await presence.ping()
        server.freeze()
        await asyncio.gather(*(fails_in_time(presence.ping(), 1) for _ in range(5)))


class TestClosing:
    async def test_it_closes_all_connections_without_a_warning(self, server: Redis) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            link = RedisLink(server.url(), call_seconds=5)
            presence = RedisPresence(link)
            await asyncio.gather(*(presence.renew(LEASES) for _ in range(50)))
            await presence.close()
            await link.close()
            await link.close()
            del link, presence
            gc.collect()
            await asyncio.sleep(0.05)
        assert connections(server) == 0
        assert [str(each.message) for each in caught] == []

    async def test_calls_under_way_end_first_and_later_ones_are_refused(
        self, server: Redis
    ) -> None:
        link = RedisLink(server.url(), call_seconds=5)
        presence = RedisPresence(link)
        under_way = [asyncio.create_task(presence.renew(LEASES)) for _ in range(20)]
        await asyncio.sleep(0)
        await link.close()
        answers = await asyncio.gather(*under_way, return_exceptions=True)
        assert {type(answer) for answer in answers} <= {type(None), LeasesUnavailable}
        assert answers[:CONNECTIONS] == [None] * CONNECTIONS
        assert await fails_in_time(presence.ping()) < 0.2
        assert connections(server) == 0

    async def test_a_redis_that_hangs_does_not_keep_it_open(
        self, server: Redis, caplog: pytest.LogCaptureFixture
    ) -> None:
        link = RedisLink(server.url(), call_seconds=5)
        await link.ping()
        server.freeze()
        calls = [asyncio.create_task(fails_in_time(link.ping(), 3)) for _ in range(20)]
        await asyncio.sleep(0)
        async with asyncio.timeout(3):
            await link.close()
        await asyncio.gather(*calls)
        server.thaw()
        gc.collect()
        await asyncio.sleep(0.1)
        assert connections(server) == 0
        assert caplog.records == []


class TestCancelling:
    async def test_calls_that_are_cancelled_harm_no_other(self, presence: RedisPresence) -> None:
        """No answer goes to whoever has the connection next."""
        await presence.renew(LEASES)
        for n in range(200):
            call = asyncio.create_task(looking(presence, ONE))
            for _ in range(n % 12):
                await asyncio.sleep(0)
            call.cancel()
            other = await connected(presence, [ALICE])
            assert other == {ALICE}
            await asyncio.wait([call])

    @pytest.mark.parametrize("error", [None, redis.exceptions.ConnectionError("gone")])
    async def test_a_cancellation_that_the_library_swallows_is_none_the_less(
        self, link: RedisLink, monkeypatch: pytest.MonkeyPatch, error: Exception | None
    ) -> None:
        """`asyncio.wait_for` of Python 3.11 does, in one turn of the loop."""

        async def swallow(*_: object) -> None:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                if error is not None:
                    raise error from None

        monkeypatch.setattr(redis.asyncio.Redis, "eval", swallow)
        call = asyncio.create_task(link.ping())
        await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()


class TestUvloop:
    """Its transports raise `RuntimeError` for a write after they have been closed."""

    async def test_once_it_is_not_noticed(
        self, presence: RedisPresence, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await presence.renew(LEASES)
        _break_writes(monkeypatch, 1)
        assert await looking(presence, ONE) == {ALICE, BOB}

    async def test_again_it_is_the_one_error(
        self, presence: RedisPresence, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await presence.renew(LEASES)
        _break_writes(monkeypatch, 100)
        await fails_in_time(presence.screens([ALICE]))
        monkeypatch.undo()
        await works_soon(presence)


def _break_writes(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    write, left = asyncio.StreamWriter.writelines, times

    def writelines(self: asyncio.StreamWriter, data: list[bytes]) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise RuntimeError("unable to perform operation; the handler is closed")
        write(self, data)

    monkeypatch.setattr(asyncio.StreamWriter, "writelines", writelines)


class TestTls:
    async def test_rediss_checks_the_certificate(
        self, server: Redis, open_link: OpenLink, tmp_path: Path
    ) -> None:
        certificate = _certificate(tmp_path)
        async with _tls(server.port, certificate) as port:
            url = server.url().replace("redis://", "rediss://").replace(str(server.port), str(port))
            await works_soon(RedisPresence(open_link(f"{url}?ssl_ca_certs={certificate}")))
            await fails_in_time(open_link(url).ping())
            await fails_in_time(open_link(server.url().replace("redis:", "rediss:")).ping())


def _certificate(folder: Path) -> Path:
    """Write a key, and a certificate of its own making for 127.0.0.1, to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@asynccontextmanager
async def _tls(port: int, certificate: Path) -> AsyncIterator[int]:
    """TLS in front of a port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    serving: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection("127.0.0.1", port)
        for pair in ((reader, to_redis), (from_redis, writer)):
            serving.add(asyncio.create_task(pump(*pair)))

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]
        for task in serving:
            task.cancel()
