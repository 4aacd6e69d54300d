"""Who connects to a system that is measured, and what an Allibe has to know of them before."""

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import jwt

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.store.sql import SqlStore

ROOM_PREFIX = "bench-"
TOKEN_SECONDS = 3600

ROOMS_AT_ONCE = 200
"""Rooms that are made at once: all of ten thousand would wait longer than the store lets them."""


@dataclass(frozen=True)
class Crowd:
    """As many subscribers and publishers as said, spread over the rooms.

    Each connection has a user of its own, who is a member of the rooms that it listens or sends
    to: message n goes to room n mod rooms, from publisher n mod publishers. Or all have one.
    Without publishers the subscribers send, if anybody. Users' names begin with `of`, for those
    of another crowd at the same server.
    """

    rooms: int
    subscribers: int
    publishers: int
    only_user: str = ""
    of: str = ""

    @property
    def everybody_talks(self) -> bool:
        """Whether there are no connections that only send."""
        return self.publishers == 0

    def users(self) -> list[UserId]:
        """Return the user of each connection, in the generator's order."""
        names = [f"{self.of}listener-{number}" for number in range(self.subscribers)]
        names += [f"{self.of}sender-{number}" for number in range(self.publishers)]
        return [UserId(self.only_user or name) for name in names]

    def members(self, room: int) -> list[UserId]:
        """Return the users of the room, senders first."""
        period = self.publishers  # message room + k * rooms, for k up to here, then again
        senders = {(room + k * self.rooms) % self.publishers for k in range(period)}
        names = [f"{self.of}sender-{number}" for number in sorted(senders)]
        names += [f"{self.of}listener-{n}" for n in range(room, self.subscribers, self.rooms)]
        return [UserId(name) for name in ([self.only_user] if self.only_user else names)]

    def options(self, prefix: str = ROOM_PREFIX) -> list[str]:
        """Return the generator's options that say so."""
        return [
            *("--room-prefix", prefix, "--rooms", str(self.rooms)),
            *("--subscribers", str(self.subscribers)),
            *(["--everybody", "1"] if self.everybody_talks else []),
            *([] if self.everybody_talks else ["--publishers", str(self.publishers)]),
        ]


def create_rooms(store: SqlStore, crowd: Crowd, prefix: str = ROOM_PREFIX) -> None:
    """Make the crowd's rooms with their members, and close the store."""
    asyncio.run(_create_rooms(store, crowd, prefix))


def write_tokens(path: Path, users: Iterable[UserId], secret: str) -> Path:
    """Write a token a line, which is valid for an hour."""
    claims = {"exp": int(time.time()) + TOKEN_SECONDS}
    signed = (jwt.encode(claims | {"sub": user}, secret, algorithm="HS256") for user in users)
    path.write_text("".join(f"{token}\n" for token in signed))
    return path


async def _create_rooms(store: SqlStore, crowd: Crowd, prefix: str) -> None:
    try:
        for start in range(0, crowd.rooms, ROOMS_AT_ONCE):
            some = range(start, min(start + ROOMS_AT_ONCE, crowd.rooms))
            await asyncio.gather(
                *(
                    _create_room(store, RoomId(f"{prefix}{room + 1}"), crowd.members(room))
                    for room in some
                )
            )
    finally:
        await store.close()


async def _create_room(store: SqlStore, room_id: RoomId, members: Collection[UserId]) -> None:
    owner, *others = members
    await store.rooms.create(f"Benchmark {room_id}", owner, members=others, room_id=room_id)
