"""What a store holds, and looks at it past the store, for the tests of this folder."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import asyncpg
import pytest
from sqlalchemy import Connection, text

from allibe_services.contracts.commands import Outcome, Stored
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.messages import Message
from allibe_services.store.sql import SqlStore

ONE, TWO = RoomId("1"), RoomId("2")


def stored(outcomes: Sequence[Outcome]) -> list[Message]:
    """Return the messages of outcomes that must all be `Stored`."""
    assert all(isinstance(outcome, Stored) for outcome in outcomes), outcomes
    return [outcome.message for outcome in outcomes if isinstance(outcome, Stored)]


async def history(store: SqlStore, room_id: RoomId = ONE) -> list[Message]:
    """Return a room's whole log, which must be contiguous and end where the room says."""
    found = await store.log.after(room_id, 0, most=100_000)
    assert [message.offset for message in found] == list(range(1, len(found) + 1))
    assert (await store.log.heads([room_id]))[room_id].last_offset == len(found)
    return found


@contextmanager
def unavailable(*, within: float) -> Iterator[None]:
    """Expect a call to be told to try again, in so many seconds (and what a busy machine adds)."""
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        yield
    assert time.monotonic() - started < within + 1.0


def run(connection: Connection, statement: str) -> object:
    """Run a statement and return the first value of its first row, if it returns rows."""
    result = connection.execute(text(statement))
    return result.scalar() if result.returns_rows else None


@asynccontextmanager
async def other_client(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the same database, by somebody who keeps to none of our limits."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        connection.terminate()


async def eventually(call: Callable[[], Awaitable[object]], *, seconds: float = 10.0) -> None:
    """Make a call again and again until it is no longer refused as unavailable."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await call()
        except StoreUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        else:
            return
