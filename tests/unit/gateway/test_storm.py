"""All who were connected come back at once: the store is asked for each room, not for each of them.

Through the whole of a gateway but its sockets; `bench`'s storm counts the same of a real one.
"""

import asyncio
from collections import Counter
from random import Random

import pytest

from allibe_gateway.doors.stomp import StompDoor
from allibe_services.contracts.ids import RoomId, UserId
from tests.unit.gateway.doors.connections import FakeConnection
from tests.unit.gateway.fakes import EPOCH
from tests.unit.gateway.world import World, token, world_of

ROOMS = [RoomId(f"room-{number}") for number in range(5)]
STORED, SEEN = 70, 20

READS_OF_A_ROOM = 2
"""Where its log ends, and what was missed of it."""


async def come_back(world: World, number: int) -> int:
    """Connect and resume a room; return how many messages came."""
    connection, room = FakeConnection(), ROOMS[number % len(ROOMS)]
    door = StompDoor(connection, world.shared, "")
    frames = (
        f"CONNECT\naccept-version:1.2\nhost:h\nAuthorization:{token(f'user-{number}')}\n\n\0",
        f"SUBSCRIBE\nid:s\ndestination:/topic/rooms/{room}\nreceipt:r\n"
        f"x-since:{room}.{EPOCH}.{SEEN}\n\n\0",
    )
    for frame in frames:
        await door.receive(frame.encode())
    written = connection.transport.bytes
    assert written.count(b"x-recovered:true") == 1
    await door.close()
    return written.count(b"MESSAGE\n")


@pytest.mark.parametrize("clients", [10, 200])
async def test_a_storm_reads_each_log_twice_however_many_come(clients: int) -> None:
    async with world_of() as world:
        world.store.log._random = Random(1)  # a read takes a while, in which others ask
        for room in ROOMS:
            world.store.log.commit(STORED, room=room)
            world.store.members.join(room, *(UserId(f"user-{n}") for n in range(clients)))
        came = await asyncio.gather(*(come_back(world, number) for number in range(clients)))
        assert Counter(came) == {STORED - SEEN: clients}
        assert len(world.store.log.reads) == READS_OF_A_ROOM * len(ROOMS)
        assert world.store.members.asked <= len(ROOMS)
