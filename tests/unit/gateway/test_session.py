"""`session`: what one user may do on one connection, and what that does. Posting is beside."""

import asyncio

import pytest

from allibe_gateway import session as module
from allibe_gateway.session import Session
from allibe_services.contracts.errors import (
    BadRequest,
    BusUnavailable,
    InvalidRoomId,
    NotAllowed,
    NotAMember,
    SenderMismatch,
    StoreUnavailable,
    TokenExpired,
    TokenInvalid,
    TokenRequired,
)
from allibe_services.contracts.events import MemberRead, RoomChanged, RoomLeft, ScreenLeft, Typing
from tests.support.presences import connected, looking
from tests.support.until import until
from tests.unit.gateway.fakes import ROOM, message, settle
from tests.unit.gateway.users import User, ignored
from tests.unit.gateway.world import ALICE, OTHER, token


class TestSigningIn:
    """The first token says who this is; a later one may extend it, and be of nobody else."""

    async def test_a_token_says_who_it_is(self, stranger: User) -> None:
        identity = await stranger.session.sign_in(f"Bearer {token(name='Alice')}")
        assert (identity.user_id, identity.name) == (ALICE, "Alice")
        assert stranger.session.require_identity() == identity
        assert stranger.world.bus.keys == {"user.alice"}

    async def test_nothing_can_be_done_before(self, stranger: User) -> None:
        session = stranger.session
        for doing in (
            session.post(ROOM, "hello", settled=ignored),
            session.typing(ROOM),
            session.read(ROOM, 1),
            session.leave(ROOM),
            stranger.subscribe(),
        ):
            with pytest.raises(TokenRequired):
                await doing
        assert stranger.world.bus.published == []
        assert stranger.world.bus.posted == []

    async def test_a_bad_token_leaves_nobody_signed_in(self, stranger: User) -> None:
        with pytest.raises(TokenInvalid):
            await stranger.session.sign_in("nonsense")
        with pytest.raises(TokenRequired):
            stranger.session.require_identity()
        assert stranger.world.bus.keys == set()

    async def test_another_users_token_is_refused_and_changes_nothing(self, alice: User) -> None:
        before = alice.session.identity
        for _ in range(2):
            with pytest.raises(NotAllowed):
                await alice.session.sign_in(token("bob"))
        assert alice.session.identity == before

    async def test_the_same_token_again_is_not_verified_again(
        self, stranger: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each SEND may bear it."""
        signed = token()
        await stranger.session.sign_in(signed)
        verified = []
        monkeypatch.setattr(
            type(stranger.world.shared.verifier),
            "verified",
            lambda _, text: verified.append(text),
        )
        await stranger.session.sign_in(signed)
        assert verified == []

    async def test_the_same_token_again_after_its_end_is_expired(self, stranger: User) -> None:
        signed = token(ttl=100)
        await stranger.session.sign_in(signed)
        stranger.world.ahead = 101
        with pytest.raises(TokenExpired):
            await stranger.session.sign_in(signed)

    async def test_a_bus_that_is_away_signs_nobody_in_and_the_next_try_does(
        self, stranger: User
    ) -> None:
        """Signed in without the user's events, a lost membership would go unnoticed (I6)."""
        signed = token()
        stranger.world.bus.away = True
        with pytest.raises(BusUnavailable):
            await stranger.session.sign_in(signed)
        with pytest.raises(TokenRequired):
            stranger.session.require_identity()
        stranger.world.bus.away = False
        await stranger.session.sign_in(signed)
        await settle()
        assert stranger.world.bus.keys == {"user.alice"}


class TestDeadlines:
    """A connection has so long to sign in, and lasts as long as its token."""

    async def test_who_does_not_sign_in_is_told_and_ended(self, stranger: User) -> None:
        stranger.world.pass_time(9)
        assert stranger.door.failed == []
        stranger.world.pass_time(2)
        assert [type(one) for one in stranger.door.failed] == [TokenRequired]

    async def test_who_shows_a_token_in_time_has_done_so_however_long_the_bus_takes(
        self, stranger: User
    ) -> None:
        """As it does when ten thousand come back at once."""
        stranger.world.bus.free_to_bind.clear()
        signing_in = asyncio.create_task(stranger.session.sign_in(token()))
        await settle()
        stranger.world.pass_time(11)
        stranger.world.bus.free_to_bind.set()
        await signing_in
        assert stranger.door.failed == []

    async def test_who_is_not_signed_in_then_has_to_try_again_in_time(self, stranger: User) -> None:
        stranger.world.bus.away = True
        with pytest.raises(BusUnavailable):
            await stranger.session.sign_in(token())
        stranger.world.pass_time(11)
        assert [type(one) for one in stranger.door.failed] == [TokenRequired]

    async def test_who_signed_in_lasts_until_the_token_ends(self, stranger: User) -> None:
        await stranger.session.sign_in(token(ttl=100))
        stranger.world.pass_time(99)
        assert stranger.door.failed == []
        stranger.world.pass_time(2)
        assert [type(one) for one in stranger.door.failed] == [TokenExpired]
        with pytest.raises(TokenExpired):
            await stranger.post()

    async def test_a_later_token_extends_it(self, stranger: User) -> None:
        await stranger.session.sign_in(token(ttl=100))
        await stranger.session.sign_in(token(ttl=1000))
        stranger.world.pass_time(500)
        assert stranger.door.failed == []
        stranger.session.require_identity()

    async def test_a_token_that_ends_earlier_does_not_shorten_it(self, stranger: User) -> None:
        await stranger.session.sign_in(token(ttl=1000))
        await stranger.session.sign_in(token(ttl=100))
        stranger.world.pass_time(500)
        assert stranger.door.failed == []
        stranger.session.require_identity()

    async def test_a_closed_session_hears_of_none(self, stranger: User) -> None:
        await stranger.session.close()
        stranger.world.pass_time(100)
        assert stranger.door.failed == []


class TestPassingBy:
    async def test_typing_tells_the_room(self, alice: User) -> None:
        await alice.session.typing(ROOM)
        assert alice.world.bus.published == [
            Typing(room_id=ROOM, user=ALICE, user_name="Alice"),
        ]

    async def test_typing_is_no_flood_in_several_rooms_either(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for room in (ROOM, OTHER) * 20:
            await alice.session.typing(room)
        assert len(alice.world.bus.published) == 1
        monkeypatch.setattr(module, "TYPING_SECONDS", 0)
        await alice.session.typing(OTHER)
        assert len(alice.world.bus.published) == 2

    async def test_reading_moves_the_marker_and_tells_room_and_user(self, alice: User) -> None:
        await alice.session.read(ROOM, 5)
        assert alice.world.bus.published == [
            MemberRead(room_id=ROOM, user=ALICE, offset=5),
            RoomChanged(to=ALICE, room_id=ROOM, unread_count=7),
        ]
        await alice.session.read(ROOM, 3)  # it never goes back, and nobody hears of it
        assert len(alice.world.bus.published) == 2

    async def test_an_offset_is_not_negative(self, alice: User) -> None:
        with pytest.raises(BadRequest):
            await alice.session.read(ROOM, -1)

    async def test_leaving_the_screen_ends_its_subscriptions_and_tells_the_room(
        self, alice: User
    ) -> None:
        await alice.subscribe("log")
        await alice.subscribe("activity", stream="activity")
        await alice.subscribe("other", OTHER)
        await alice.session.leave(ROOM, "alice")
        assert alice.session.subscriptions.ids() == ["other"]
        assert alice.world.bus.published == [ScreenLeft(room_id=ROOM, user=ALICE)]
        assert alice.door.revoked == []

    async def test_nobody_leaves_for_another(self, alice: User) -> None:
        with pytest.raises(SenderMismatch):
            await alice.session.leave(ROOM, "bob")

    @pytest.mark.parametrize("call", [Session.typing, Session.leave])
    async def test_only_in_rooms_of_ones_own(self, alice: User, call: object) -> None:
        assert call in (Session.typing, Session.leave)
        for room, error in (("3", NotAMember), ("a b", InvalidRoomId)):
            with pytest.raises(error):
                await (
                    alice.session.typing(room)
                    if call is Session.typing
                    else alice.session.leave(room)
                )
        with pytest.raises(NotAMember):
            await alice.session.read("3", 1)

    async def test_a_bus_that_is_away_is_told(self, alice: User) -> None:
        alice.world.bus.away = True
        with pytest.raises(BusUnavailable):
            await alice.session.typing(ROOM)


class TestPresence:
    async def test_the_screen_is_the_rooms_of_the_log(self, alice: User) -> None:
        await alice.subscribe("log")
        await alice.subscribe("again")
        await alice.subscribe("activity", OTHER, "activity")
        await alice.world.reporter.report()
        assert await looking(alice.world.presence, ROOM) == {ALICE}
        assert await looking(alice.world.presence, OTHER) == set()

    async def test_it_follows_subscriptions_and_ends_with_the_connection(self, alice: User) -> None:
        await alice.subscribe("log")
        await alice.world.reporter.report()
        alice.session.unsubscribe("log")
        await alice.world.reporter.report()
        assert await looking(alice.world.presence, ROOM) == set()
        assert await connected(alice.world.presence, [ALICE]) == {ALICE}
        await alice.session.close()
        await alice.world.reporter.report()
        assert await connected(alice.world.presence, [ALICE]) == set()

    async def test_a_hidden_window_looks_at_nothing_and_is_still_connected(
        self, alice: User
    ) -> None:
        await alice.subscribe("log")
        alice.session.show(visible=False)
        await alice.subscribe("other", OTHER)
        await alice.world.reporter.report()
        assert await looking(alice.world.presence, ROOM) == set()
        assert await looking(alice.world.presence, OTHER) == set()
        assert await connected(alice.world.presence, [ALICE]) == {ALICE}
        alice.session.show(visible=True)
        await alice.world.reporter.report()
        assert await looking(alice.world.presence, ROOM) == {ALICE}
        assert await looking(alice.world.presence, OTHER) == {ALICE}

    async def test_what_is_no_change_is_not_reported(
        self, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await alice.subscribe("log")
        reported: list[object] = []
        monkeypatch.setattr(alice.world.reporter, "changed", lambda *of: reported.append(of))
        for _ in range(3):
            alice.session.show(visible=True)
        assert reported == []

    async def test_nobody_is_present_before_the_sign_in(self, stranger: User) -> None:
        assert stranger.session.lease() is None


class TestEnding:
    async def test_closing_lets_go_of_everything(self, alice: User) -> None:
        await alice.subscribe("log")
        await alice.session.close()
        await settle()
        assert "user.alice" not in alice.world.bus.keys
        alice.world.hub.on_events(alice.world.store.log.commit())
        await settle()
        assert alice.subscriber.frames == []
        assert alice.world.figure("subscriptions") == 0

    async def test_another_connection_of_the_user_is_not_touched(self, alice: User) -> None:
        laptop = User(alice.world, "c2")
        await laptop.session.sign_in(token())
        await laptop.subscribe()
        await alice.session.close()
        alice.world.hub.on_events(
            [*alice.world.store.log.commit(), RoomLeft(to=ALICE, room_id=OTHER)]
        )
        await settle()
        assert laptop.subscriber.offsets == [1]
        assert len(laptop.door.events) == 1
        await laptop.session.close()

    async def test_a_log_that_was_reset_ends_those_who_listen_to_it(self, alice: User) -> None:
        bob = User(alice.world, "c2")
        await bob.session.sign_in(token("bob"))
        await alice.subscribe()
        alice.world.hub.on_events([message(1, epoch="e2")])
        assert (alice.door.resets, bob.door.resets) == (1, 0)
        await bob.session.close()

    async def test_one_that_is_joining_it_too(self, alice: User) -> None:
        alice.world.store.log.hold()
        subscribing = asyncio.create_task(alice.subscribe())
        await until(lambda: bool(alice.world.store.log.reads))
        alice.world.hub.on_events([message(1, epoch="e2")])
        alice.world.store.log.let_go()
        with pytest.raises(StoreUnavailable):
            await subscribing
        assert alice.door.resets == 1
