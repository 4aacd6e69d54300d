"""`allibe prune` and `allibe forget-user`: batch by batch, while everything runs."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec

from allibe_services.auth.revoked import POLL_SECONDS
from allibe_services.backends import retention
from allibe_services.contracts.ids import RoomId, UserId, is_room_id, is_user_id
from allibe_services.contracts.messages import now
from allibe_services.settings import Settings
from allibe_services.store.retention import Retention

LEAST_AGE = timedelta(days=1)
"""Nothing younger is deleted: it may yet be pushed, or a command that stored it come again."""

KNOWN_SECONDS = 3 * POLL_SECONDS
"""Until all gateways know of a revocation, and what they had let in before is stored, unless
workers are behind."""

_Page = Callable[[RoomId | None], Awaitable[tuple[list[RoomId], RoomId | None]]]
"""Looks at the next rooms after one; see `Retention.rooms_of`."""

_AGE = re.compile(r"([1-9][0-9]{0,5})([dh])").fullmatch
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}


class Pruned(msgspec.Struct):
    """What was deleted, or would be: messages sent before that time, and of how many rooms."""

    before: datetime
    messages: int = 0
    rooms: int = 0


def age(text: str) -> timedelta:
    """Return the time that `90d` or `36h` spells. Raises `ValueError` for less than a day, too."""
    found = _AGE(text)
    if found is None:
        raise ValueError("--older-than: wanted an age as 90d or 36h")
    spelt = int(found[1]) * _UNITS[found[2]]
    if spelt < LEAST_AGE:
        raise ValueError("--older-than: what is younger than a day is kept")
    return spelt


class Forgotten(msgspec.Struct):
    """What was erased of a user."""

    messages: int = 0
    rooms: int = 0
    memberships: int = 0


async def prune(
    settings: Settings, *, older_than: timedelta, room: str | None, keep_last: int, dry_run: bool
) -> Pruned:
    """Delete what is older, or count it; return what it was.

    It may be ended at any time, and begun again. Raises `ValueError`, `UnknownRoom`,
    `StoreUnavailable`.
    """
    done = Pruned(before=now() - older_than)
    async with retention(settings) as store:
        async for room_id in _rooms(store, room, done.before):
            work = _counted if dry_run else _deleted
            found = await work(store, room_id, done.before, keep_last)
            done.messages += found
            done.rooms += found > 0
    return done


async def _rooms(store: Retention, room: str | None, before: datetime) -> AsyncIterator[RoomId]:
    if room is not None:
        if not is_room_id(room):
            raise ValueError("A room id is 1 to 64 of A-Z, a-z, 0-9, _ and -.")
        await store.check_room(RoomId(room))
        yield RoomId(room)
        return
    async for room_id in _all_pages(partial(store.rooms_from_before, before)):
        yield room_id


async def _all_pages(page: _Page) -> AsyncIterator[RoomId]:
    after: RoomId | None = None
    while True:
        found, after = await page(after)
        for room_id in found:
            yield room_id
        if after is None:
            return


async def _deleted(store: Retention, room_id: RoomId, before: datetime, keep_last: int) -> int:
    return await _all_of(partial(store.prune, room_id, before=before, keep_last=keep_last))


async def _all_of(batch: Callable[[], Awaitable[int]]) -> int:
    total = 0
    while True:
        began = time.monotonic()
        found = await batch()
        total += found
        if not found:
            return total
        # Half of the time the database is the others'.
        await asyncio.sleep(time.monotonic() - began)


async def _counted(store: Retention, room_id: RoomId, before: datetime, keep_last: int) -> int:
    total, last = 0, 0
    while True:
        found, last = await store.count(room_id, before=before, keep_last=keep_last, after=last)
        total += found
        if not found:
            return total


def user_id(text: str) -> UserId:
    """Return it as a user id. Raises `ValueError` where it is none."""
    if not is_user_id(text):
        raise ValueError("A user id is 1 to 128 printable ASCII without space, * and #.")
    return UserId(text)


async def forget_user(settings: Settings, user: str) -> Forgotten:
    """Erase what is kept of a user; return what that was.

    It may be ended at any time, and begun again. Raises `ValueError`, `StoreUnavailable`,
    `Overloaded` where too many revocations live.
    """
    who, done = user_id(user), Forgotten()
    async with retention(settings) as store:
        # First, so that nothing new comes.
        await store.revoke(who, timedelta(seconds=settings.token_life_seconds))
        await asyncio.sleep(KNOWN_SECONDS)
        await _leave_all(store, who, done)
        await _erase_all(store, who, done)
        # Last, so that no round of pushes that began with the user as a member is missed.
        await store.drop_settings(who)
    return done


async def _leave_all(store: Retention, user: UserId, done: Forgotten) -> None:
    while found := await store.memberships(user):
        for room_id in found:
            await store.leave(room_id, user)
        done.memberships += len(found)


async def _erase_all(store: Retention, user: UserId, done: Forgotten) -> None:
    async for room_id in _all_pages(partial(store.rooms_of, user)):
        messages = await _all_of(partial(store.erase, room_id, user))
        done.messages += messages
        done.rooms += messages > 0
