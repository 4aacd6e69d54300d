"""`contracts.ids`, `messages`, `routing`: names, positions, times and keys."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_services.contracts.events import RoomLeft, Typing, key_of
from allibe_services.contracts.ids import (
    Position,
    RoomId,
    UserId,
    is_client_message_id,
    is_room_id,
    is_user_id,
    new_message_id,
)
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.routing import command_key, shard_of

ROOM_IDS = st.text("ABCxyz019_-", min_size=1, max_size=64).map(RoomId)


class TestNames:
    @pytest.mark.parametrize("text", ["1", "a", "A-b_9", "x" * 64, "-", "_"])
    def test_room_ids(self, text: str) -> None:
        assert is_room_id(text)

    @pytest.mark.parametrize(
        "text", ["", "x" * 65, "a b", "a.b", "a/b", "*", "#", "방", "a\n", "a\0"]
    )
    def test_what_is_no_room_id(self, text: str) -> None:
        """They stand in URLs, STOMP headers and AMQP routing keys."""
        assert not is_room_id(text)

    @pytest.mark.parametrize("text", ["a", "auth0|123", "a@b.c", "x" * 128, "~!", "...", ".a"])
    def test_user_ids(self, text: str) -> None:
        assert is_user_id(text)

    @pytest.mark.parametrize(
        "text", ["", "x" * 129, "a b", "a#", "*", "é", "a\n", "\x7f", ".", ".."]
    )
    def test_what_is_no_user_id(self, text: str) -> None:
        assert not is_user_id(text)

    @given(st.text(max_size=130))
    def test_no_name_has_a_wildcard_a_blank_or_a_control_character(self, text: str) -> None:
        if is_user_id(text) or is_room_id(text):
            assert text.isascii()
            assert text.isprintable()
            assert not set("*# ").intersection(text)

    @pytest.mark.parametrize(("text", "good"), [("c-1", True), ("", False), ("x" * 65, False)])
    def test_client_message_ids(self, text: str, good: bool) -> None:
        assert is_client_message_id(text) == good

    def test_message_ids_are_unique_and_sorted_by_time(self) -> None:
        made = [new_message_id() for _ in range(100)]
        assert sorted(made) == made
        assert len(set(made)) == 100


class TestPositions:
    """`<roomId>.<epoch>.<offset>`: what a client sends back to recover."""

    @given(
        ROOM_IDS,
        st.text("abcxyz0189", min_size=1, max_size=16),
        st.integers(0, 10**18 - 1),
    )
    def test_the_text_spells_the_position(self, room: RoomId, epoch: str, offset: int) -> None:
        position = Position(room, epoch, offset)
        assert Position.parse(str(position)) == position

    @given(st.text("1a.-_ \n", max_size=12) | st.text(max_size=20))
    def test_text_spells_one_position_or_none(self, text: str) -> None:
        position = Position.parse(text)
        assert position is None or str(position) == text

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "1",
            "1.e",
            "1.e.",
            "1.e.x",
            "1.e.-1",
            "1.e.01",
            "1.E.1",
            "1.e.1\n",
            "1.e." + "9" * 19,
        ],
    )
    def test_what_is_none(self, text: str) -> None:
        assert Position.parse(text) is None


class TestTimes:
    @given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))])))
    def test_milliseconds_are_exact(self, when: datetime) -> None:
        """Live equals history: what is stored comes back as it was shown."""
        ms = milliseconds(when)
        assert milliseconds(moment(ms)) == ms
        assert timedelta(0) <= when - moment(ms) < timedelta(milliseconds=1)

    def test_now_is_cut_to_what_is_stored(self) -> None:
        present = now()
        assert moment(milliseconds(present)) == present


class TestRouting:
    @given(ROOM_IDS, st.integers(1, 64))
    def test_a_room_has_one_shard(self, room: RoomId, shards: int) -> None:
        assert 0 <= shard_of(room, shards) < shards
        assert command_key(room, shards) == f"{shard_of(room, shards)}.{room}"

    def test_the_shard_is_the_same_for_every_process_for_ever(self) -> None:
        """`crc32`, not `hash`: stored in queues that outlive deployments."""
        assert [shard_of(RoomId(room), 16) for room in ("1", "2", "lobby")] == [7, 13, 7]

    def test_rooms_spread(self) -> None:
        shards = [shard_of(RoomId(str(number)), 16) for number in range(1600)]
        assert all(50 < shards.count(shard) < 200 for shard in range(16))

    def test_events_go_to_their_room_or_user(self) -> None:
        alice, room = UserId("alice"), RoomId("1")
        assert key_of(Typing(room_id=room, user=alice)) == "room.1"
        assert key_of(RoomLeft(to=alice, room_id=room)) == "user.alice"
