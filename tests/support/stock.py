"""Rooms with a past, written into a demo's store before its server starts.

Over HTTP all messages would be of this moment, and thousands of them would take long.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from allibe_services.backends import backends, migrate_store
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.settings import load
from allibe_services.store.base import Store
from allibe_standalone.demo import settings_for

AT_ONCE = 500
"""Messages per transaction."""


class Said(NamedTuple):
    """A message of the past."""

    sender: str
    content: str
    at: datetime
    sender_name: str | None = None


class PastRoom(NamedTuple):
    """A room; its first member owns it. Who is in `has_read` has read so many messages."""

    room_id: str
    name: str
    members: Sequence[str]
    said: Sequence[Said]
    has_read: Mapping[str, int] = MappingProxyType({})


async def stock(data: Path, *rooms: PastRoom) -> None:
    """Write the rooms into the store of `allibe serve --demo --data …`."""
    settings = settings_for(load({}), data, "127.0.0.1", 0)
    migrate_store(settings)
    async with backends(settings) as parts:
        for room in rooms:
            await _write(parts.store, room)


async def _write(store: Store, room: PastRoom) -> None:
    room_id = RoomId(room.room_id)
    owner, *others = map(UserId, room.members)
    await store.rooms.create(room.name, owner, members=others, room_id=room_id)
    commands = [
        PostMessage(
            message_id=new_message_id(),
            room_id=room_id,
            sender=UserId(said.sender),
            sender_name=said.sender_name or said.sender.capitalize(),
            content=said.content,
            sent_at=said.at,
        )
        for said in room.said
    ]
    for start in range(0, len(commands), AT_ONCE):
        await store.log.append(commands[start : start + AT_ONCE])
    for user, offset in room.has_read.items():
        await store.members.mark_read(room_id, UserId(user), offset)
