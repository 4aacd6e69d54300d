"""`store.retention`, pruning: what is left is a log like any other, against every store."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.errors import UnknownRoom
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.store import retention as module
from allibe_services.store.retention import Retention
from allibe_services.store.sql import SqlStore

Post = Callable[..., PostMessage]

ALICE, BOB = UserId("alice"), UserId("bob")
ONE, TWO = RoomId("1"), RoomId("2")
BEFORE = now() - timedelta(days=90)
OLD, NEW = BEFORE - timedelta(days=1), BEFORE + timedelta(days=1)


@pytest.fixture(autouse=True)
async def _rooms(store: SqlStore) -> None:
    for room_id in (ONE, TWO):
        await store.rooms.create(f"Room {room_id}", ALICE, members=[BOB], room_id=room_id)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MESSAGES", 3)
    monkeypatch.setattr(module, "ROOMS", 2)


async def say(store: SqlStore, post: Post, *, old: int, new: int = 0, room: str = "1") -> None:
    """Alice posts the odd ones, bob the even ones."""
    times = [OLD] * old + [NEW] * new
    await store.log.append(
        [post(room, f"{n}", sender=(BOB, ALICE)[n % 2], at=at) for n, at in enumerate(times, 1)]
    )


async def prune_all(retention: Retention, room_id: RoomId = ONE, *, keep_last: int = 0) -> int:
    total = 0
    while found := await retention.prune(room_id, before=BEFORE, keep_last=keep_last):
        total += found
    return total


async def offsets(store: SqlStore, room_id: RoomId = ONE) -> Sequence[int]:
    return [message.offset for message in await store.log.after(room_id, 0, most=1000)]


async def test_the_old_beginning_goes_and_offsets_stay(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    await say(store, post, old=4, new=3)
    before = (await store.log.heads([ONE]))[ONE]

    assert await prune_all(retention) == 4

    after = (await store.log.heads([ONE]))[ONE]
    assert (after.epoch, after.last_offset) == (before.epoch, 7)
    assert (before.pruned_offset, after.pruned_offset) == (0, 4)
    assert await offsets(store) == [5, 6, 7]
    assert [m.offset for m in await store.log.before(ONE, 6, most=9)] == [5]
    assert [m.offset for m in await store.log.after(ONE, 2, most=2)] == [5, 6]
    await store.log.append([post()])
    assert await offsets(store) == [5, 6, 7, 8]


async def test_an_old_message_behind_a_new_one_stays(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    """Clocks differ; a hole in the log would be worse."""
    await store.log.append([post(at=OLD), post(at=NEW), post(at=OLD)])

    assert await prune_all(retention) == 1
    assert await offsets(store) == [2, 3]


@pytest.mark.usefixtures("small_batches")
async def test_it_goes_batch_by_batch_and_may_be_begun_again(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    await say(store, post, old=7, new=1)

    assert await retention.prune(ONE, before=BEFORE, keep_last=0) == 3
    assert await offsets(store) == [4, 5, 6, 7, 8]
    assert (await store.log.heads([ONE]))[ONE].pruned_offset == 3
    assert await prune_all(retention) == 4
    assert await prune_all(retention) == 0
    assert await offsets(store) == [8]


@pytest.mark.usefixtures("small_batches")
async def test_the_last_ones_may_be_kept_and_counting_deletes_nothing(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    await say(store, post, old=9)

    counted, last = 0, 0
    while True:
        found, last = await retention.count(ONE, before=BEFORE, keep_last=2, after=last)
        counted += found
        if not found:
            break
    assert (counted, last, await offsets(store)) == (7, 7, [*range(1, 10)])

    assert await prune_all(retention, keep_last=2) == 7
    assert await offsets(store) == [8, 9]
    assert (await store.rooms.get(ONE, ALICE)).last_message == "9"


async def test_an_emptied_room_keeps_its_end_and_its_place_but_shows_no_message(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    await say(store, post, old=3)
    seen = await store.rooms.get(ONE, ALICE)

    await prune_all(retention)

    room = await store.rooms.get(ONE, ALICE)
    assert (room.last_message, room.last_message_sender) == (None, None)
    assert (room.last_message_at, room.last_offset) == (seen.last_message_at, 3)
    assert [one.room_id for one in await store.rooms.of_user(ALICE, most=9)] == [TWO, ONE]
    await store.log.append([post(content="again")])
    assert await offsets(store) == [4]
    assert (await store.rooms.get(ONE, BOB)).last_message == "again"


async def test_what_is_gone_is_not_unread(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    await say(store, post, old=5, new=4)  # alice's: 1, 3, 5, 7, 9
    await store.members.mark_read(ONE, BOB, 7)

    await prune_all(retention)

    assert (await store.rooms.get(ONE, ALICE)).unread_count == 2  # 6 and 8
    assert (await store.rooms.get(ONE, BOB)).unread_count == 1  # 9
    assert (await store.rooms.get(ONE, BOB)).read_offset == 7
    unread = (await store.members.unread({ONE: None}, most=9))[ONE]
    assert [(one.user, one.unread_count) for one in unread] == [("alice", 2), ("bob", 1)]
    marker = await store.members.mark_read(ONE, ALICE, 3)  # into what is gone
    assert (marker.offset, marker.unread_count) == (3, 2)

    await retention.prune(ONE, before=now(), keep_last=0)
    assert (await store.rooms.get(ONE, ALICE)).unread_count == 0
    assert (await store.rooms.get(ONE, BOB)).unread_count == 0


@pytest.mark.usefixtures("small_batches")
async def test_rooms_with_something_old_are_found_page_by_page(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    for name in ("3", "4", "5"):
        await store.rooms.create(name, ALICE, room_id=RoomId(name))
    for name in ("1", "4", "5"):
        await say(store, post, old=1, new=1, room=name)
    await say(store, post, old=0, new=1, room="2")
    await prune_all(retention, RoomId("5"))

    pages, after = [], None
    while True:
        found, after = await retention.rooms_from_before(BEFORE, after)
        pages.append(found)
        if after is None:
            break
    assert pages == [["1"], ["4"], []]


async def test_an_unknown_room_is_named(retention: Retention) -> None:
    await retention.check_room(ONE)
    with pytest.raises(UnknownRoom):
        await retention.check_room(RoomId("nowhere"))


@pytest.mark.usefixtures("small_batches")
async def test_whoever_appends_and_reads_meanwhile_sees_no_hole(
    store: SqlStore, retention: Retention, post: Post
) -> None:
    await say(store, post, old=60)
    seen = []

    async def append() -> None:
        for _ in range(20):
            await store.log.append([post(), post(room="2")])
            seen.append(await offsets(store))

    pruned, _ = await asyncio.gather(prune_all(retention), append())

    assert pruned == 60
    for some in seen:
        assert some == list(range(some[0], some[-1] + 1))
    assert await offsets(store) == [*range(61, 81)]
