"""`session`: tickets in the place of tokens, and tokens that are revoked."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from allibe_services.contracts.errors import (
    NotAllowed,
    StoreUnavailable,
    TicketInvalid,
    TokenExpired,
    TokenRequired,
    TokenRevoked,
)
from allibe_services.contracts.revocations import Kind
from tests.unit.gateway.fakes import settle
from tests.unit.gateway.users import User
from tests.unit.gateway.world import ALICE, World, token, token_of

LATER = datetime.now(UTC) + timedelta(hours=1)


async def revoke(world: World, kind: Kind, subject: str) -> None:
    """Revoke, and let the gateway find it."""
    await world.store.revocations.revoke(kind, subject, expires_at=LATER)
    await world.revoked.catch_up()


async def ticket(world: World, signed: str) -> str:
    return await world.tickets.issue(world.shared.verifier.verify(signed))


class TestTickets:
    async def test_a_ticket_signs_in_as_the_token_that_asked_for_it(
        self, stranger: User, world: World
    ) -> None:
        signed = token_of(name="Alice", exp=time.time() + 100)
        identity = await stranger.session.redeem(await ticket(world, signed))
        assert (identity.user_id, identity.name) == (ALICE, "Alice")
        assert stranger.session.require_identity() == identity
        assert world.bus.keys == {"user.alice"}

    async def test_the_connection_ends_with_that_token(self, stranger: User, world: World) -> None:
        await stranger.session.redeem(await ticket(world, token(ttl=100)))
        world.pass_time(99)
        assert stranger.door.failed == []
        world.pass_time(2)
        assert [type(one) for one in stranger.door.failed] == [TokenExpired]

    async def test_a_later_token_extends_it(self, stranger: User, world: World) -> None:
        await stranger.session.redeem(await ticket(world, token(ttl=100)))
        await stranger.session.sign_in(token(ttl=1000))
        world.pass_time(500)
        assert stranger.door.failed == []
        with pytest.raises(NotAllowed):
            await stranger.session.sign_in(token("bob", ttl=5000))

    async def test_a_used_one_signs_nobody_in(self, stranger: User, world: World) -> None:
        used = await ticket(world, token())
        await world.tickets.redeem(used)
        with pytest.raises(TicketInvalid):
            await stranger.session.redeem(used)
        with pytest.raises(TokenRequired):
            stranger.session.require_identity()

    async def test_it_is_worth_no_more_than_its_token(self, stranger: User, world: World) -> None:
        over = await ticket(world, token(ttl=100))
        revoked = await ticket(world, token_of(jti="t-1"))
        await revoke(world, "token", "t-1")
        with pytest.raises(TokenRevoked):
            await stranger.session.redeem(revoked)
        world.ahead = 101
        with pytest.raises(TokenExpired):
            await stranger.session.redeem(over)


class TestRevocations:
    async def test_a_users_connections_end(self, alice: User, world: World) -> None:
        await revoke(world, "user", "alice")
        assert [type(one) for one in alice.door.failed] == [TokenRevoked]

    async def test_another_users_do_not(self, alice: User, world: World) -> None:
        await revoke(world, "user", "bob")
        await revoke(world, "token", "t-1")
        assert alice.door.failed == []

    async def test_the_connection_of_a_token_ends_and_no_other(self, world: World) -> None:
        users = [User(world, f"c{number}") for number in range(3)]
        for number, user in enumerate(users):
            await user.session.sign_in(token_of(jti=f"t-{number}"))
        await revoke(world, "token", "t-1")
        assert [len(user.door.failed) for user in users] == [0, 1, 0]
        for user in users:
            await user.session.close()

    async def test_a_revoked_token_signs_nobody_in_and_a_later_one_does(
        self, stranger: User, world: World
    ) -> None:
        world.store.revocations.ago = 5
        await revoke(world, "user", "alice")
        for revoked in (token_of(), token_of(iat=int(time.time()) - 6)):
            with pytest.raises(TokenRevoked):
                await stranger.session.sign_in(revoked)
        assert world.bus.keys == set()
        await stranger.session.sign_in(token_of(iat=int(time.time())))
        await revoke(world, "token", "t-1")
        assert stranger.door.failed == []

    async def test_who_extends_with_a_token_from_after_it_stays(
        self, alice: User, world: World
    ) -> None:
        """Here the gateway learns of the revocation only then."""
        world.store.revocations.ago = 5
        await world.store.revocations.revoke("user", "alice", expires_at=LATER)
        await alice.session.sign_in(token_of(iat=int(time.time()), exp=time.time() + 900))
        await world.revoked.catch_up()
        assert alice.door.failed == []

    async def test_one_that_comes_while_the_bus_is_asked_is_not_missed(
        self, stranger: User, world: World
    ) -> None:
        """The session is told of no revocation before it is attached."""
        world.bus.free_to_bind.clear()
        signing_in = asyncio.create_task(stranger.session.sign_in(token_of()))
        await settle()
        await revoke(world, "user", "alice")
        world.bus.free_to_bind.set()
        with pytest.raises(TokenRevoked):
            await signing_in
        await settle()
        assert stranger.session.identity is None
        assert world.bus.keys == set()

    async def test_what_cannot_be_known_lets_nobody_in(self, stranger: User, world: World) -> None:
        world.revoked._loaded = False
        with pytest.raises(StoreUnavailable):
            await stranger.session.sign_in(token())
