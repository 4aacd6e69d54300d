"""`auth.jwks_keys`: keys that come and go while tokens are verified."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from allibe_services.auth import TokenVerifier, jwks_keys
from allibe_services.auth.jwks_keys import JwksKeys
from allibe_services.contracts.errors import KeysUnavailable, TokenInvalid
from tests.unit.services.auth.published import document, entry, signed
from tests.unit.services.auth.tokens import b64
from tests.unit.services.keys import Pair

NEW = Pair(ec.generate_private_key(ec.SECP256R1()))


class Issuer:
    """Publishes keys; `away` and `hold` are its moods."""

    def __init__(self) -> None:
        self.published = document(entry(kid="old"))
        self.fetches = 0
        self.away = False
        self.free = asyncio.Event()
        self.free.set()

    async def fetch(self) -> bytes:
        self.fetches += 1
        await self.free.wait()
        if self.away:
            raise KeysUnavailable("no route")
        return self.published

    def rotate(self) -> None:
        self.published = document(entry(kid="new", of=NEW))


Start = Callable[..., Awaitable[TokenVerifier]]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def start(issuer: Issuer) -> AsyncIterator[Start]:
    """Start verifiers of the issuer's tokens; they have its keys, unless told not to wait."""
    tasks: list[asyncio.Task[None]] = []

    async def start_one(*, pause: float = 0.0, wait: bool = True) -> TokenVerifier:
        keys = JwksKeys("ES256", issuer.fetch, pause=pause)
        tasks.append(asyncio.create_task(keys.run()))
        verifier = TokenVerifier("ES256", keys)
        if wait:
            await verifier.verified(signed("old"))
        return verifier

    yield start_one
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_known_key_is_asked_of_nobody(issuer: Issuer, start: Start) -> None:
    verifier = await start()
    assert verifier.verify(signed("old")).user_id == "alice"
    assert (await verifier.verified(signed("old"))).user_id == "alice"
    assert issuer.fetches == 1


async def test_an_unknown_key_is_looked_for_once_for_all(issuer: Issuer, start: Start) -> None:
    """After a rotation everybody comes with the new key at once."""
    verifier = await start()
    issuer.rotate()
    issuer.free.clear()
    waiting = [asyncio.create_task(verifier.verified(signed("new", by=NEW))) for _ in range(50)]
    while issuer.fetches < 2:  # noqa: ASYNC110 - what is polled has no event
        await asyncio.sleep(0)
    issuer.free.set()
    assert {one.user_id for one in await asyncio.gather(*waiting)} == {"alice"}
    assert issuer.fetches == 2


async def test_a_key_that_was_withdrawn_verifies_no_more(issuer: Issuer, start: Start) -> None:
    verifier = await start()
    issuer.rotate()
    await verifier.verified(signed("new", by=NEW))
    with pytest.raises(TokenInvalid):
        await verifier.verified(signed("old"))


async def test_made_up_key_ids_cause_no_flood(issuer: Issuer, start: Start) -> None:
    """Between two fetches there is a pause, in which such tokens are told when to come again."""
    verifier = await start(pause=3600)
    for number in range(100):
        with pytest.raises(KeysUnavailable) as caught:
            await verifier.verified(signed(f"made-up-{number}"))
        assert 0 < (caught.value.retry_after_ms or 0) <= 3_600_001
    assert issuer.fetches == 1
    assert (await verifier.verified(signed("old"))).user_id == "alice"


async def test_a_key_that_the_issuer_does_not_have_is_invalid(issuer: Issuer, start: Start) -> None:
    verifier = await start()
    with pytest.raises(TokenInvalid):
        await verifier.verified(signed("made-up"))
    assert issuer.fetches == 2


@pytest.mark.parametrize("header", [{"alg": "HS256"}, {"alg": "none"}, {"alg": "ES384"}])
async def test_a_token_of_another_algorithm_is_refused_without_looking(
    issuer: Issuer, start: Start, header: dict[str, str]
) -> None:
    verifier = await start()
    _, body, signature = signed("made-up").split(".")
    head = b64(str(header | {"kid": "made-up"}).replace("'", '"').encode())
    with pytest.raises(TokenInvalid):
        await verifier.verified(f"{head}.{body}.{signature}")
    assert issuer.fetches == 1


@pytest.mark.parametrize("failure", ["away", "nonsense", "empty"])
async def test_while_the_issuer_fails_old_keys_go_on(
    issuer: Issuer, start: Start, failure: str
) -> None:
    """What is known stays; what is not known may be good: it is to be tried again."""
    verifier = await start()
    issuer.away = failure == "away"
    issuer.published = b"<html>" if failure == "nonsense" else document()
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await verifier.verified(signed("new", by=NEW))
        assert (await verifier.verified(signed("old"))).user_id == "alice"
    issuer.away = False
    issuer.rotate()
    assert (await verifier.verified(signed("new", by=NEW))).user_id == "alice"


async def test_without_any_key_a_token_is_to_be_tried_again(issuer: Issuer, start: Start) -> None:
    """The process started while the issuer was away; it is not ready either."""
    issuer.away = True
    verifier = await start(wait=False)
    with pytest.raises(KeysUnavailable):
        await verifier.keys.ping()
    with pytest.raises(KeysUnavailable):
        await verifier.verified(signed("old"))
    issuer.away = False
    assert (await verifier.verified(signed("old"))).user_id == "alice"
    await verifier.keys.ping()


async def test_without_any_key_they_are_fetched_until_there_are(
    issuer: Issuer, start: Start
) -> None:
    """Nobody has to ask: the process becomes ready by itself."""
    issuer.away = True
    verifier = await start(pause=0.002, wait=False)
    async with asyncio.timeout(10):
        while issuer.fetches < 3:  # noqa: ASYNC110 - what is polled has no event
            await asyncio.sleep(0.002)
        issuer.away = False
        while True:
            with suppress(KeysUnavailable):
                await verifier.keys.ping()
                break
            await asyncio.sleep(0.002)
    assert verifier.verify(signed("old")).user_id == "alice"


async def test_keys_are_fetched_again_by_themselves(
    issuer: Issuer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks_keys, "REFRESH_SECONDS", 0.005)
    verifier = await start()
    issuer.rotate()
    async with asyncio.timeout(10):
        while True:
            try:
                verifier.verify(signed("new", by=NEW))
                break
            except TokenInvalid:
                await asyncio.sleep(0.005)


async def test_who_waits_for_an_issuer_that_hangs_is_let_go(
    issuer: Issuer, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks_keys, "WAIT_SECONDS", 0.02)
    verifier = await start()
    issuer.free.clear()
    with pytest.raises(KeysUnavailable):
        await verifier.verified(signed("made-up"))


async def test_each_fetch_is_told_and_only_changes_are_logged(issuer: Issuer) -> None:
    told: list[bool] = []
    keys = JwksKeys("ES256", issuer.fetch, pause=0.0, observe=told.append)
    running = asyncio.create_task(keys.run())
    with suppress(KeysUnavailable):
        await keys.look_for_more()
    issuer.away = True
    with pytest.raises(KeysUnavailable):
        await keys.look_for_more()
    running.cancel()
    assert told == [True, False]


async def test_the_token_without_a_key_id_is_of_the_only_key(issuer: Issuer, start: Start) -> None:
    verifier = await start()
    assert verifier.verify(signed()).user_id == "alice"
    issuer.published = document(entry(kid="old"), entry(kid="new", of=NEW))
    await verifier.verified(signed("new", by=NEW))
    with pytest.raises(TokenInvalid):
        await verifier.verified(signed())
