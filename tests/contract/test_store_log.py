"""`store.base.RoomLog`: every sentence of its docstrings, against every store."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest

from allibe_services.contracts.commands import Outcome, PostMessage, Rejected, Stored
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.contracts.messages import Message
from allibe_services.contracts.rooms import Head
from allibe_services.store.base import Store

Post = Callable[..., PostMessage]

ALICE = UserId("alice")
ONE = RoomId("1")
TWO = RoomId("2")


@pytest.fixture(autouse=True)
async def _rooms(store: Store) -> None:
    for room_id in (ONE, TWO):
        await store.rooms.create(f"Room {room_id}", ALICE, room_id=room_id)


def messages(outcomes: Sequence[Outcome]) -> list[Message]:
    """Return the messages of outcomes that must all be `Stored`."""
    assert all(isinstance(outcome, Stored) for outcome in outcomes), outcomes
    return [outcome.message for outcome in outcomes if isinstance(outcome, Stored)]


async def history(store: Store, room_id: RoomId = ONE) -> list[Message]:
    return await store.log.after(room_id, 0, most=10_000)


class TestAppend:
    async def test_offsets_count_from_one_in_the_order_given(
        self, store: Store, post: Post
    ) -> None:
        first = await store.log.append([post(content="a"), post(content="b")])
        second = await store.log.append([post(content="c")])

        assert [m.offset for m in messages(first + second)] == [1, 2, 3]
        assert [m.content for m in await history(store)] == ["a", "b", "c"]

    async def test_each_room_has_offsets_of_its_own(self, store: Store, post: Post) -> None:
        outcomes = await store.log.append([post("1"), post("2"), post("1"), post("2"), post("2")])

        assert [(m.room_id, m.offset) for m in messages(outcomes)] == [
            ("1", 1),
            ("2", 1),
            ("1", 2),
            ("2", 2),
            ("2", 3),
        ]

    async def test_nothing_to_append_is_no_outcome(self, store: Store) -> None:
        assert await store.log.append([]) == []

    async def test_the_outcome_is_the_message_as_history_has_it(
        self, store: Store, post: Post
    ) -> None:
        seoul = timezone(timedelta(hours=9))
        command = post(
            content="안녕하세요 👋\r\n\t\x01",
            name="김앨리스",
            client="c-1",
            at=datetime(2026, 11, 23, 12, 0, 0, 123_987, tzinfo=seoul),
        )

        outcomes = await store.log.append([command])

        assert outcomes == [
            Stored(
                Message(
                    room_id=ONE,
                    epoch=(await store.log.heads([ONE]))[ONE].epoch,
                    offset=1,
                    message_id=command.message_id,
                    sender=ALICE,
                    content="안녕하세요 👋\r\n\t\x01",
                    sent_at=datetime(2026, 11, 23, 3, 0, 0, 123_000, tzinfo=UTC),
                    sender_name="김앨리스",
                    client_message_id="c-1",
                )
            )
        ]
        assert await history(store) == messages(outcomes)

    async def test_it_is_there_for_another_process_on_return(
        self, store: Store, open_store: Callable[[], Awaitable[Store]], post: Post
    ) -> None:
        outcomes = await store.log.append([post()])

        assert await history(await open_store()) == messages(outcomes)

    async def test_the_rooms_last_message_and_offset_move(self, store: Store, post: Post) -> None:
        at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        await store.log.append([post(content="a"), post(content="b", sender="bob", at=at)])

        room = await store.rooms.get(ONE, ALICE)
        assert (room.last_offset, room.last_message) == (2, "b")
        assert (room.last_message_at, room.last_message_sender) == (at, "bob")

    async def test_many_commands_in_many_rooms_fit_in_one_call(
        self, store: Store, post: Post
    ) -> None:
        for n in range(100):
            await store.rooms.create("room", ALICE, room_id=RoomId(f"many-{n}"))

        commands = [post(f"many-{n % 100}", client=f"c-{n}") for n in range(1200)]
        outcomes = await store.log.append(commands)

        assert [m.offset for m in messages(outcomes)] == [1 + n // 100 for n in range(1200)]
        assert messages(await store.log.append(commands)) == messages(outcomes)


class TestDuplicates:
    async def test_the_same_message_id_gives_the_stored_message(
        self, store: Store, post: Post
    ) -> None:
        message_id = new_message_id()
        first = await store.log.append([post(content="first", message=message_id)])
        again = await store.log.append([post(content="again", message=message_id)])

        assert again == [Stored(messages(first)[0], duplicate=True)]
        assert await history(store) == messages(first)

    async def test_the_same_client_message_id_gives_the_stored_message(
        self, store: Store, post: Post
    ) -> None:
        first = await store.log.append([post(content="first", client="c-1")])
        again = await store.log.append([post(content="again", client="c-1")])

        assert again == [Stored(messages(first)[0], duplicate=True)]
        assert await history(store) == messages(first)

    @pytest.mark.parametrize("ids", [{"message": "m-1"}, {"client": "c-1"}])
    async def test_twice_in_one_call_is_stored_once(
        self, store: Store, post: Post, ids: dict[str, str]
    ) -> None:
        commands = [post(content="first", **ids), post(content="again", **ids), post()]

        first, again, other = await store.log.append(commands)

        assert isinstance(first, Stored)
        assert again == Stored(first.message, duplicate=True)
        assert messages([other])[0].offset == 2
        assert [m.content for m in await history(store)] == ["first", "hello"]

    async def test_client_message_ids_of_another_sender_or_room_are_others(
        self, store: Store, post: Post
    ) -> None:
        commands = [post(client="c"), post(client="c", sender="bob"), post("2", client="c")]

        outcomes = await store.log.append(commands)

        assert not any(isinstance(o, Stored) and o.duplicate for o in outcomes)
        assert [(m.room_id, m.offset) for m in messages(outcomes)] == [("1", 1), ("1", 2), ("2", 1)]

    async def test_without_client_message_ids_equal_content_is_stored_each_time(
        self, store: Store, post: Post
    ) -> None:
        await store.log.append([post(), post()])
        await store.log.append([post()])

        assert len(await history(store)) == 3

    async def test_new_messages_among_duplicates_take_the_next_offsets(
        self, store: Store, post: Post
    ) -> None:
        old = [post(content=f"old {n}", client=f"c-{n}") for n in range(40)]
        await store.log.append(old)

        new = [post(content="new 1"), post("2"), post(content="new 2", client="fresh")]
        again = [post(content="again", client=f"c-{n}") for n in range(40)]
        outcomes = await store.log.append([old[3], new[0], *again, new[1], new[2]])

        assert [o.duplicate for o in outcomes if isinstance(o, Stored)] == [
            True,
            False,
            *[True] * 40,
            False,
            False,
        ]
        assert [m.offset for m in messages(outcomes)] == [4, 41, *range(1, 41), 1, 42]
        assert [m.content for m in await store.log.after(ONE, 40, most=9)] == ["new 1", "new 2"]
        assert (await store.rooms.get(ONE, ALICE)).last_message == "new 2"

    async def test_a_message_id_of_another_room_shows_nothing_of_it(
        self, store: Store, post: Post
    ) -> None:
        await store.log.append([post("1", "secret", message="m-1")])

        within, across = post("2", message="m-2"), post("2", message="m-1")
        outcomes = await store.log.append([within, across])

        assert isinstance(outcomes[0], Stored)
        assert isinstance(outcomes[1], Rejected) or not outcomes[1].duplicate
        assert "secret" not in str(outcomes)
        stored = [one.message for one in outcomes if isinstance(one, Stored)]
        assert await history(store, TWO) == stored


class TestRejected:
    @pytest.mark.parametrize("room", ["nowhere", "", "1.2", "a" * 65, "\0", "\ud800", "방"])
    async def test_an_unknown_room_is_rejected_without_harm_to_the_others(
        self, store: Store, post: Post, room: str
    ) -> None:
        stored_before = post()
        await store.log.append([stored_before])

        outcomes = await store.log.append([post(), post(room), stored_before, post()])

        assert outcomes[1] == Rejected("unknown_room", "There is no such room.")
        assert [m.offset for m in messages([outcomes[0], *outcomes[2:]])] == [2, 1, 3]

    @pytest.mark.parametrize(
        "fields",
        [
            {"content": "a\0b"},
            {"content": "half of a pair: \ud83d"},
            {"name": "a\0b"},
            {"client": "a\0b"},
            {"message": "a\0b"},
            {"message": "\ud83d"},
            {"client": "\ud83d"},
            {"at": datetime(2026, 11, 23)},  # noqa: DTZ001
        ],
        ids=repr,
    )
    async def test_what_no_database_holds_is_rejected_without_harm_to_the_others(
        self, store: Store, post: Post, fields: dict[str, str]
    ) -> None:
        before = post(client="c-1")
        await store.log.append([before])

        outcomes = await store.log.append([post(), post(**fields), before, post()])

        assert outcomes[1] == Rejected("rejected", "The message cannot be stored.")
        assert [m.offset for m in messages([outcomes[0], *outcomes[2:]])] == [2, 1, 3]
        assert [m.offset for m in await history(store)] == [1, 2, 3]


class TestReading:
    @pytest.fixture(autouse=True)
    async def _ten_messages(self, store: Store, post: Post, _rooms: None) -> None:
        await store.log.append([post(content=str(n)) for n in range(1, 11)] + [post("2")])

    @pytest.mark.parametrize(
        ("offset", "most", "expected"),
        [
            (0, 3, [1, 2, 3]),
            (3, 3, [4, 5, 6]),
            (8, 3, [9, 10]),
            (10, 3, []),
            (11, 3, []),
            (2**63, 3, []),
            (0, 100, list(range(1, 11))),
        ],
    )
    async def test_after_is_what_follows_an_offset_oldest_first(
        self, store: Store, offset: int, most: int, expected: list[int]
    ) -> None:
        found = await store.log.after(ONE, offset, most=most)

        assert [m.offset for m in found] == expected
        assert [m.content for m in found] == [str(n) for n in expected]

    @pytest.mark.parametrize(
        ("offset", "most", "expected"),
        [
            (None, 3, [8, 9, 10]),
            (11, 3, [8, 9, 10]),
            (8, 3, [5, 6, 7]),
            (3, 3, [1, 2]),
            (1, 3, []),
            (0, 3, []),
            (2**70, 2, [9, 10]),
            (None, 100, list(range(1, 11))),
        ],
    )
    async def test_before_is_what_leads_to_an_offset_oldest_first(
        self, store: Store, offset: int | None, most: int, expected: list[int]
    ) -> None:
        found = await store.log.before(ONE, offset, most=most)

        assert [m.offset for m in found] == expected

    async def test_an_unknown_room_has_no_messages(self, store: Store) -> None:
        assert await store.log.after(RoomId("nowhere"), 0, most=5) == []
        assert await store.log.before(RoomId("nowhere"), None, most=5) == []

    async def test_heads_are_where_logs_end_and_leave_unknown_rooms_out(self, store: Store) -> None:
        await store.rooms.create("empty", ALICE, room_id=RoomId("3"))

        heads = await store.log.heads([RoomId("1"), RoomId("3"), RoomId("nowhere"), RoomId("1")])

        assert {room_id: head.last_offset for room_id, head in heads.items()} == {"1": 10, "3": 0}
        assert all(isinstance(head, Head) and head.epoch for head in heads.values())

    async def test_heads_of_no_and_of_very_many_rooms(self, store: Store) -> None:
        assert await store.log.heads([]) == {}
        many = [RoomId(f"r{n}") for n in range(1500)] + [ONE]
        assert set(await store.log.heads(many)) == {"1"}


class TestConcurrency:
    async def test_appends_at_once_leave_no_gap_and_no_duplicate(
        self, store: Store, open_store: Callable[[], Awaitable[Store]], post: Post
    ) -> None:
        stores = [store, await open_store()]
        calls = [
            [
                post(("1", "2")[(n + k) % 2], sender=f"user-{n}", content=str(k), client=str(k))
                for k in range(7)
            ]
            for n in range(40)
        ]

        answers = await asyncio.gather(
            *(stores[n % 2].log.append(commands) for n, commands in enumerate(calls))
        )

        answered = [message for outcomes in answers for message in messages(outcomes)]
        for room_id in (ONE, TWO):
            stored = await history(store, room_id)
            assert [m.offset for m in stored] == list(range(1, 141))
            mine = sorted((m for m in answered if m.room_id == room_id), key=lambda m: m.offset)
            assert stored == mine
            for n in range(40):
                of_sender = [int(m.content) for m in stored if m.sender == f"user-{n}"]
                assert of_sender == sorted(of_sender)

    async def test_the_same_commands_at_once_are_stored_once(
        self, store: Store, open_store: Callable[[], Awaitable[Store]], post: Post
    ) -> None:
        stores = [store, await open_store()]
        commands = [post(("1", "2")[n % 2], client=f"c-{n}") for n in range(20)]

        answers = await asyncio.gather(*(stores[n % 2].log.append(commands) for n in range(10)))

        assert all(messages(outcomes) == messages(answers[0]) for outcomes in answers)
        assert [m.offset for m in await history(store)] == list(range(1, 11))
