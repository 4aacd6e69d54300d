"""Scheduled pushes on PostgreSQL: whoever schedules waits for whoever ends a turn of the user."""

import asyncio

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.store.sql import SqlStore
from tests.support.commands import post
from tests.support.push_queue import decide_all

from .looks import other_client

ALICE, BOB = UserId("alice"), UserId("bob")
ROOM = RoomId("push")


async def test_a_page_is_scheduled_when_the_users_turn_has_ended(store: SqlStore, url: str) -> None:
    """Else what ends just then would look as if it still waited, and nobody told of the news."""
    await store.rooms.create("room", ALICE, members=[BOB], room_id=ROOM)
    await store.log.append([post(room=ROOM)])
    await decide_all(store, ROOM, due_at={BOB: now()})
    await store.log.append([post(room=ROOM)])
    async with other_client(url) as ending, ending.transaction():
        await ending.execute("SELECT 1 FROM push_users WHERE user_id = 'bob' FOR UPDATE")
        scheduling = asyncio.create_task(decide_all(store, ROOM, due_at={BOB: now()}))
        done, _ = await asyncio.wait({scheduling}, timeout=0.5)
        assert not done
    await asyncio.wait_for(scheduling, 10)
