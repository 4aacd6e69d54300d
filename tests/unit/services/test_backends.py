"""`backends`: the only module that picks implementations, by the URLs' schemes."""

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest

from allibe_services.backends import (
    backends,
    check_for_separate_processes,
    migrate_store,
    signer,
    verifier,
)
from allibe_services.contracts.errors import (
    KeysUnavailable,
    LeasesUnavailable,
    NotConfirmed,
    ShuttingDown,
    StoreUnavailable,
    TokenInvalid,
)
from allibe_services.contracts.ids import RoomId
from allibe_services.presence.redis import RedisPresence
from allibe_services.settings import Settings
from allibe_services.store.measured import MeasuredDatabase
from allibe_services.store.postgresql import PostgresqlDatabase
from allibe_services.store.sql import SqlStore
from allibe_services.workers.redis import RedisWorkers
from tests.support.commands import post
from tests.unit.services.keys import OTHER_SECRET, SECRET, pair


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/allibe.db", jwt_secret=SECRET)


async def test_the_embedded_mode_needs_no_server(settings: Settings) -> None:
    migrate_store(settings)
    async with backends(settings) as parts:
        await parts.store.ping()
        await parts.bus.ping()
        await parts.presence.ping()
        assert await parts.store.log.heads([RoomId("1")]) == {}
    with pytest.raises(ShuttingDown):
        await parts.bus.ping()
    with pytest.raises(StoreUnavailable):
        await parts.store.log.heads([RoomId("1")])


async def test_the_publish_limit_reaches_the_bus(settings: Settings) -> None:
    async with backends(msgspec.structs.replace(settings, publish_seconds=0.01)) as parts:
        with pytest.raises(NotConfirmed):
            await parts.bus.post(post())


class TestOneProcess:
    """The in-process bus reaches no other process, so no other may serve the same database.

    `flock` belongs to an open file: opening twice in this process is as good as two processes.
    """

    async def test_who_comes_second_is_refused_in_one_line(self, settings: Settings) -> None:
        async with backends(settings):
            with pytest.raises(ValueError, match=r"^.*/allibe\.db is in use by another") as caught:
                async with backends(settings):
                    pytest.fail("it was opened")
        assert "\n" not in str(caught.value)

    async def test_another_name_of_the_same_file_is_no_way_around_it(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        (tmp_path / "other.db").symlink_to("allibe.db")
        url = f"sqlite:///{tmp_path}/other.db"
        async with backends(settings):
            with pytest.raises(ValueError, match="in use"):
                async with backends(msgspec.structs.replace(settings, database_url=url)):
                    pytest.fail("it was opened")

    async def test_one_after_the_other_is_fine(self, settings: Settings) -> None:
        """`serve --demo` opens them to seed the rooms, then to serve; also after a failure."""
        with pytest.raises(LookupError):
            async with backends(settings):
                raise LookupError
        async with backends(settings):
            pass
        async with backends(settings) as parts:
            await parts.bus.ping()

    async def test_migrating_needs_no_lock(self, settings: Settings) -> None:
        async with backends(settings):
            migrate_store(settings)

    async def test_the_lock_is_a_file_that_only_its_owner_may_open(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        async with backends(settings):
            pass
        assert stat.S_IMODE((tmp_path / "allibe.db.lock").stat().st_mode) == 0o600


async def test_postgresql_is_picked_by_its_url_and_may_have_any_number_of_processes(
    settings: Settings,
) -> None:
    """It is opened when it is first needed: processes may start before it does."""
    away = msgspec.structs.replace(
        settings, database_url="postgresql://allibe:hunter2@127.0.0.1:1/chat"
    )
    async with backends(away) as one, backends(away) as two:
        for parts in (one, two):
            with pytest.raises(StoreUnavailable):
                await parts.store.ping()


async def test_its_connections_are_as_many_as_the_settings_say(settings: Settings) -> None:
    url = "postgresql://allibe@127.0.0.1:1/chat"
    two = msgspec.structs.replace(settings, database_url=url, database_connections=2)
    async with backends(two) as parts:
        assert isinstance(parts.store, SqlStore)
        assert isinstance(parts.store._database, MeasuredDatabase)
        database = parts.store._database._database
        assert isinstance(database, PostgresqlDatabase)
        assert database._turns._value == 2


@pytest.mark.parametrize(
    ("field", "url", "variable"),
    [
        ("bus_url", "kafka://u:hunter2@mq", "ALLIBE_BUS_URL"),
        ("redis_url", "memcached://u:hunter2@cache", "ALLIBE_REDIS_URL"),
        ("database_url", "mysql://u:hunter2@db/chat", "ALLIBE_DATABASE_URL"),
        ("database_url", "nonsense", "ALLIBE_DATABASE_URL"),
    ],
)
async def test_a_url_that_nothing_answers_to_is_named_without_its_password(
    settings: Settings, field: str, url: str, variable: str
) -> None:
    with pytest.raises(ValueError, match=f"^{variable}: no implementation for") as caught:
        async with backends(msgspec.structs.replace(settings, **{field: url})):
            pytest.fail("it was opened")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("field", ["bus_url", "redis_url", "database_url"])
@pytest.mark.parametrize("url", ["amqp://u:hunter2@[mq", "amqp://u:hunter2@m\u2100q/"])
async def test_what_is_no_url_is_named_and_not_quoted(
    settings: Settings, field: str, url: str
) -> None:
    """The text of Python's own error holds the password."""
    broken = msgspec.structs.replace(settings, **{field: url})
    with pytest.raises(ValueError, match=f"^ALLIBE_{field.upper()}: not a URL$"):
        async with backends(broken):
            pytest.fail("it was opened")
    if field == "bus_url":
        with pytest.raises(ValueError, match=r"^ALLIBE_BUS_URL: not a URL$"):
            check_for_separate_processes(broken)


def test_separate_processes_need_a_bus_between_them(settings: Settings) -> None:
    with pytest.raises(ValueError, match=r"^ALLIBE_BUS_URL: .*allibe serve"):
        check_for_separate_processes(settings)
    check_for_separate_processes(msgspec.structs.replace(settings, bus_url="amqp://mq"))


async def test_a_bus_between_processes_needs_a_database_for_several(settings: Settings) -> None:
    """SQLite has one writer, and the lock that keeps others out is for the in-process bus."""
    ours = msgspec.structs.replace(settings, bus_url="amqp://u:hunter2@mq/")
    with pytest.raises(ValueError, match=r"^ALLIBE_DATABASE_URL: SQLite serves one") as caught:
        async with backends(ours):
            pytest.fail("it was opened")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_bus_between_processes_needs_presence_between_them(settings: Settings) -> None:
    """Workers would each think that they are alone, and nobody would be notified."""
    ours = msgspec.structs.replace(
        settings, bus_url="amqp://u:hunter2@mq/", database_url="postgresql://u:hunter2@db/chat"
    )
    with pytest.raises(ValueError, match=r"^ALLIBE_REDIS_URL: .*redis://…$") as caught:
        async with backends(ours):
            pytest.fail("it was opened")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_redis_is_picked_by_its_url_and_need_not_be_there(settings: Settings) -> None:
    """Losing it costs no message: the process starts, goes on, and ends without it."""
    migrate_store(settings)
    for scheme in ("redis", "rediss"):
        away = msgspec.structs.replace(settings, redis_url=f"{scheme}://:hunter2@127.0.0.1:1/0")
        async with asyncio.timeout(5), backends(away) as parts:
            assert isinstance(parts.presence, RedisPresence)
            assert isinstance(parts.workers, RedisWorkers)
            for ping in (parts.presence.ping, parts.workers.ping):
                with pytest.raises(LeasesUnavailable):
                    await ping()
            await parts.bus.ping()
            await parts.store.ping()


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis:///0",
        "redis://u:hunter2@cache/chat",
        "redis://u:hunter2@cache/0/1",
        "redis://u:hunter2@cache:99999/0",
        "redis://u:hunter2/7@cache/0",
        "redis://u:hunter2@[cache/0",
        "redis://u:hunter2@cache/0#1",
        "redis://cache/0?password=hunter2",
        "redis://u:hunter2@cache/0?socket_timeout=60",
        "redis://u:hunter2@cache/0?max_connections=",
        "redis://u:hunter2@cache/0?ssl_ca_certs=/ca.pem",
        "rediss://u:hunter2@cache/0?ssl_password=hunter2",
        "rediss://u:hunter2@cache/0?ssl_cert_reqs=maybe",
        "rediss://u:hunter2@cache/0?ssl_ca_certs=/absent.pem",
    ],
)
async def test_a_redis_url_that_cannot_be_used_is_named_and_never_quoted(
    settings: Settings, url: str
) -> None:
    """Its options could loosen our limits, or hold a password that `allibe check` shows."""
    with pytest.raises(ValueError, match=r"^ALLIBE_REDIS_URL: ") as caught:
        async with backends(msgspec.structs.replace(settings, redis_url=url)):
            pytest.fail("it was opened")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


class TestKeys:
    def test_a_secret_signs_and_verifies(self, settings: Settings) -> None:
        token = signer(settings).sign("alice", ttl=60)
        assert verifier(settings).verify(token).user_id == "alice"

    def test_tokens_of_the_former_secret_are_taken_and_no_longer_made(
        self, settings: Settings
    ) -> None:
        changing = msgspec.structs.replace(
            settings, jwt_secret=OTHER_SECRET, jwt_former_secret=settings.jwt_secret
        )
        for signed_by in (settings, changing):
            token = signer(signed_by).sign("alice", ttl=60)
            assert verifier(changing).verify(token).user_id == "alice"
        with pytest.raises(TokenInvalid):
            verifier(settings).verify(token)

    @pytest.mark.parametrize("key", ["jwt_public_key_file", "jwt_jwks_url"])
    def test_the_other_algorithms_have_no_former_secret(
        self, settings: Settings, tmp_path: Path, key: str
    ) -> None:
        """Whoever goes over to a key pair is not to believe that old tokens are taken."""
        (tmp_path / "public.pem").write_text(pair("EdDSA").public)
        keys = {
            "jwt_public_key_file": str(tmp_path / "public.pem"),
            "jwt_jwks_url": "https://issuer.example/keys",
        }
        ours = msgspec.structs.replace(
            settings, jwt_algorithm="EdDSA", jwt_former_secret=SECRET, **{key: keys[key]}
        )
        with pytest.raises(ValueError, match=r"^ALLIBE_JWT_FORMER_SECRET: only HS256"):
            verifier(ours)

    def test_audience_and_issuer_reach_both(self, settings: Settings) -> None:
        ours = msgspec.structs.replace(settings, jwt_audience="chat", jwt_issuer="us")
        token = signer(ours).sign("alice", ttl=60)
        assert verifier(ours).verify(token).user_id == "alice"

    def test_files_supply_a_pair(self, settings: Settings, tmp_path: Path) -> None:
        keys = pair("EdDSA")
        (tmp_path / "public.pem").write_text(keys.public)
        (tmp_path / "private.pem").write_text(keys.private)
        ours = msgspec.structs.replace(
            settings,
            jwt_algorithm="EdDSA",
            jwt_public_key_file=str(tmp_path / "public.pem"),
            jwt_private_key_file=str(tmp_path / "private.pem"),
        )
        token = signer(ours).sign("alice", ttl=60)
        assert verifier(ours).verify(token).user_id == "alice"

    async def test_keys_may_be_published(self, settings: Settings) -> None:
        """There are none yet: they are fetched when the process runs."""
        ours = msgspec.structs.replace(
            settings, jwt_algorithm="ES256", jwt_jwks_url="http://127.0.0.1:1/keys"
        )
        with pytest.raises(KeysUnavailable):
            await verifier(ours).keys.ping()

    @pytest.mark.parametrize(
        ("changes", "hint"),
        [
            ({"jwt_algorithm": "HS256"}, "HS256 has a secret"),
            ({"jwt_public_key_file": "/key.pem"}, "give one"),
            ({"jwt_jwks_url": "http://issuer.example/keys"}, "https only"),
            ({"jwt_jwks_url": "https://u:hunter2@issuer.example/keys"}, "no user and password"),
            ({"jwt_jwks_url": "keys.json"}, "not an https URL"),
        ],
    )
    def test_an_address_that_keys_must_not_come_from_is_named(
        self, settings: Settings, changes: dict[str, str], hint: str
    ) -> None:
        good = {"jwt_algorithm": "ES256", "jwt_jwks_url": "https://issuer.example/keys"}
        with pytest.raises(ValueError, match=f"^ALLIBE_JWT_JWKS_URL: .*{hint}") as caught:
            verifier(msgspec.structs.replace(settings, **(good | changes)))
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize(
        ("changes", "variable"),
        [
            ({"jwt_secret": None}, "ALLIBE_JWT_SECRET"),
            ({"jwt_secret": ""}, "ALLIBE_JWT_SECRET"),
            ({"jwt_secret": "hunter2"}, "ALLIBE_JWT_SECRET"),
            ({"jwt_secret": "hunter2", "jwt_former_secret": SECRET}, "ALLIBE_JWT_SECRET"),
            ({"jwt_former_secret": "hunter2"}, "ALLIBE_JWT_FORMER_SECRET"),
            ({"jwt_algorithm": "RS256"}, "ALLIBE_JWT_PUBLIC_KEY_FILE"),
            (
                {"jwt_algorithm": "RS256", "jwt_public_key_file": "/absent"},
                "ALLIBE_JWT_PUBLIC_KEY_FILE",
            ),
        ],
    )
    def test_a_missing_or_unfit_key_is_named_and_never_quoted(
        self, settings: Settings, changes: dict[str, str | None], variable: str
    ) -> None:
        """There is no default key."""
        with pytest.raises(ValueError, match=f"^{variable}: ") as caught:
            verifier(msgspec.structs.replace(settings, **changes))
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize("algorithm", ["none", "hs256", ""])
    def test_an_unknown_algorithm_is_named_as_such(
        self, settings: Settings, algorithm: str
    ) -> None:
        ours = msgspec.structs.replace(settings, jwt_algorithm=algorithm)
        with pytest.raises(ValueError, match=r"^ALLIBE_JWT_ALGORITHM: one of HS256, RS256"):
            verifier(ours)
