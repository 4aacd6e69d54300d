"""`session`: commands, and how many may be without a receipt."""

import asyncio

import pytest

from allibe_services.bus.base import Posted
from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.errors import (
    AllibeError,
    BadRequest,
    BusUnavailable,
    ContentTooLong,
    InvalidContent,
    InvalidRoomId,
    NotAMember,
    NotConfirmed,
    SenderMismatch,
)
from tests.unit.gateway.fakes import ROOM, settle, stored
from tests.unit.gateway.users import IMPATIENT, User, ignored
from tests.unit.gateway.world import ALICE


class TestPosting:
    async def test_the_command_says_who_what_and_when(self, alice: User) -> None:
        told: list[tuple[PostMessage, Posted]] = []
        await alice.session.post(
            ROOM,
            "안녕",
            settled=lambda *what: told.append(what),
            client_message_id="c-1",
            sender="alice",
        )
        [(command, future)] = alice.world.bus.posted
        future.set_result(None)
        await settle()
        assert told == [(command, future)]
        assert command == PostMessage(
            message_id=command.message_id,
            room_id=ROOM,
            sender=ALICE,
            content="안녕",
            sent_at=command.sent_at,
            sender_name="Alice",
            client_message_id="c-1",
        )
        assert alice.world.figure("messages_in_total") == 1

    async def test_each_message_has_an_id_of_its_own(self, alice: User) -> None:
        for _ in range(2):
            await alice.post()
        assert len({command.message_id for command, _ in alice.world.bus.posted}) == 2

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"room_id": "a b"}, InvalidRoomId),
            ({"room_id": ""}, InvalidRoomId),
            ({"room_id": "*"}, InvalidRoomId),
            ({"room_id": "x" * 65}, InvalidRoomId),
            ({"room_id": "3"}, NotAMember),
            ({"content": ""}, InvalidContent),
            ({"content": " \n"}, InvalidContent),
            ({"content": "a\0"}, InvalidContent),
            ({"content": "x" * 8193}, ContentTooLong),
            ({"content": "한" * 2731}, ContentTooLong),
            ({"sender": "bob"}, SenderMismatch),
            ({"sender": ""}, SenderMismatch),
            ({"client_message_id": ""}, BadRequest),
            ({"client_message_id": "a b"}, BadRequest),
            ({"client_message_id": "x" * 65}, BadRequest),
        ],
    )
    async def test_what_is_wrong_is_refused_and_goes_nowhere(
        self, alice: User, arguments: dict[str, str], error: type[AllibeError]
    ) -> None:
        good = {"room_id": "1", "content": "hello"}
        with pytest.raises(error):
            await alice.session.post(**(good | arguments), settled=ignored)
        assert alice.world.bus.posted == []

    async def test_the_longest_content_is_taken(self, alice: User) -> None:
        await alice.post("x" * 8192)


class TestInFlight:
    """So many messages may be without a receipt; the next one waits, and its socket with it."""

    async def test_the_next_one_waits_for_room(self, alice: User) -> None:
        """I7: back-pressure to the client, not a queue here."""
        futures = [await alice.post() for _ in range(2)]
        third = asyncio.create_task(alice.post())
        await settle()
        assert len(alice.world.bus.posted) == 2
        futures[1].set_exception(NotConfirmed())  # a failure is settled as well
        await third
        assert len(alice.world.bus.posted) == 3
        assert isinstance(futures[1].exception(), NotConfirmed)  # which else is logged as lost

    @pytest.mark.parametrize("limits", [IMPATIENT])
    async def test_it_does_not_wait_for_ever(self, alice: User) -> None:
        for _ in range(2):
            await alice.post()
        with pytest.raises(NotConfirmed):
            await alice.post()
        assert len(alice.world.bus.posted) == 2

    async def test_settled_returns_once_nothing_is_in_flight(self, alice: User) -> None:
        await alice.session.settled()
        futures = [await alice.post() for _ in range(2)]
        settling = [asyncio.create_task(alice.session.settled()) for _ in range(2)]
        for number, future in enumerate(futures):
            await settle()
            assert not settling[0].done()
            future.set_result(stored(alice.world.bus.posted[number][0], number + 1))
        await asyncio.gather(*settling)

    @pytest.mark.parametrize("limits", [IMPATIENT])
    async def test_settled_gives_up_after_its_time(self, alice: User) -> None:
        await alice.post()
        with pytest.raises(NotConfirmed):
            await alice.session.settled()

    async def test_one_that_ended_at_once_is_settled_in_the_next_step(self, alice: User) -> None:
        """Overloaded, or closed: the bus answers before it returns."""
        original = alice.world.bus.post

        def post(command: PostMessage) -> "asyncio.Future[Stored | None]":
            future = original(command)
            future.set_exception(BusUnavailable())
            return future

        alice.world.bus.post = post  # type: ignore[method-assign]
        for _ in range(5):
            future = await alice.post()
            assert isinstance(future.exception(), BusUnavailable)
        await alice.session.settled()
