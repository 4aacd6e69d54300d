"""`auth.revoked`: what is refused before its time, and how soon each process knows."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from allibe_services.auth import TokenVerifier, revoked
from allibe_services.auth.revoked import Revoked
from allibe_services.contracts.errors import (
    StoreUnavailable,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from allibe_services.contracts.identity import Identity
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.revocations import Revocation
from tests.support.revocations import MemoryRevocations
from tests.unit.services.auth.tokens import claims, raw
from tests.unit.services.keys import OTHER_SECRET, SECRET

LATER = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def store() -> MemoryRevocations:
    return MemoryRevocations()


@pytest.fixture
async def known(store: MemoryRevocations) -> Revoked:
    made = Revoked(store)
    await made.catch_up()
    return made


def identity(user: str = "alice", **fields: object) -> Identity:
    return Identity(UserId(user), time.time() + 600, **fields)  # type: ignore[arg-type]


def is_refused(known: Revoked, given: Identity) -> bool:
    try:
        known.check(given)
    except TokenRevoked:
        return True
    return False


async def test_of_a_user_all_tokens_up_to_then_are_refused(
    store: MemoryRevocations, known: Revoked
) -> None:
    made = await store.revoke("user", "alice", expires_at=LATER)
    await known.catch_up()
    then = made.revoked_at.timestamp()
    for issued_at in (0.0, 1.0, then - 1, then, float(int(then))):
        assert is_refused(known, identity(issued_at=issued_at))
    assert not is_refused(known, identity(issued_at=then + 0.001))
    assert not is_refused(known, identity("bob", issued_at=1.0))


async def test_a_token_that_does_not_say_when_is_from_before(
    store: MemoryRevocations, known: Revoked
) -> None:
    assert not is_refused(known, identity())
    await store.revoke("user", "alice", expires_at=LATER)
    await known.catch_up()
    assert is_refused(known, identity())


async def test_a_token_is_refused_by_its_id_and_no_other(
    store: MemoryRevocations, known: Revoked
) -> None:
    await store.revoke("token", "t-1", expires_at=LATER)
    await known.catch_up()
    assert is_refused(known, identity("bob", token_id="t-1", issued_at=time.time() + 9))
    for other in (None, "t-2", "alice"):
        assert not is_refused(known, identity(token_id=other))
    assert not is_refused(known, identity("t-1", issued_at=1.0))


async def test_the_verifier_refuses_what_is_revoked_and_only_what_was_good(
    store: MemoryRevocations, known: Revoked
) -> None:
    """Who cannot sign learns nothing of what is revoked."""
    verifier = TokenVerifier("HS256", SECRET, revoked=known)
    good = raw(claims(jti="t-1", iat=int(time.time()) - 5))
    assert verifier.verify(good).token_id == "t-1"
    await store.revoke("token", "t-1", expires_at=LATER)
    await known.catch_up()
    with pytest.raises(TokenRevoked):
        verifier.verify(good)
    with pytest.raises(TokenInvalid):
        verifier.verify(raw(claims(jti="t-1"), key=OTHER_SECRET))
    with pytest.raises(TokenExpired):
        verifier.verify(raw(claims(jti="t-1", exp=1)))


async def test_nobody_is_let_in_before_they_are_known(store: MemoryRevocations) -> None:
    """The database is away when the process starts."""
    fresh = Revoked(store)
    with pytest.raises(StoreUnavailable):
        fresh.check(identity())
    store.away = True
    with pytest.raises(StoreUnavailable):
        await fresh.catch_up()
    with pytest.raises(StoreUnavailable):
        fresh.check(identity())


async def test_what_was_known_stays_while_the_store_is_away(
    store: MemoryRevocations, known: Revoked
) -> None:
    await store.revoke("user", "alice", expires_at=LATER)
    await known.catch_up()
    store.away = True
    with pytest.raises(StoreUnavailable):
        await known.catch_up()
    assert is_refused(known, identity())
    assert not is_refused(known, identity("bob"))


async def test_new_ones_are_found_by_themselves_also_after_the_store_was_away(
    store: MemoryRevocations, known: Revoked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revoked, "POLL_SECONDS", 0.002)
    store.away = True
    running = asyncio.create_task(known.run())
    reads = store.reads
    async with asyncio.timeout(10):
        while store.reads < reads + 3:  # noqa: ASYNC110 - what is polled has no event
            await asyncio.sleep(0.002)
        store.away = False
        await store.revoke("user", "alice", expires_at=LATER)
        while not is_refused(known, identity()):  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.002)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_who_wants_to_know_is_told_once_they_count(
    store: MemoryRevocations, known: Revoked
) -> None:
    told: list[str] = []

    def hear(news: Sequence[Revocation]) -> None:
        assert is_refused(known, identity())
        told.extend(one.subject for one in news)

    known.tell(hear)
    await known.catch_up()
    for subject in ("alice", "bob"):
        await store.revoke("user", subject, expires_at=LATER)
    await known.catch_up()
    await known.catch_up()
    assert told == ["alice", "bob"]


async def test_many_are_read_in_parts(
    store: MemoryRevocations, known: Revoked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revoked, "PAGE", 2)
    for number in range(5):
        await store.revoke("user", f"user-{number}", expires_at=LATER)
    await known.catch_up()
    assert all(is_refused(known, identity(f"user-{number}")) for number in range(5))


async def test_a_restored_database_is_read_from_its_beginning(
    store: MemoryRevocations, known: Revoked
) -> None:
    """Its numbers are from before: the next ones were seen already, under other names."""
    for subject in ("alice", "bob", "carol"):
        await store.revoke("user", subject, expires_at=LATER)
    await known.catch_up()
    del store.kept[1:]
    store.last = 1
    await store.revoke("user", "dave", expires_at=LATER)
    await known.catch_up()
    assert is_refused(known, identity("dave"))
    assert is_refused(known, identity("carol"))


async def test_what_is_over_is_forgotten(store: MemoryRevocations) -> None:
    held: list[int] = []
    ahead = 0.0
    known = Revoked(store, clock=lambda: time.time() + ahead, observe=held.append)
    await store.revoke("user", "alice", expires_at=now() + timedelta(seconds=60))
    await store.revoke("token", "t-1", expires_at=now() + timedelta(seconds=60))
    await store.revoke("user", "bob", expires_at=now() + timedelta(days=1))
    await known.catch_up()
    assert held[-1] == 3
    ahead = revoked.SWEEP_SECONDS + 61
    await known.catch_up()
    assert held[-1] == 1
    assert is_refused(known, identity("bob"))
