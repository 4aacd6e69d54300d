"""What a user has read on one device is read on the others, at whichever gateway they are."""

import asyncio
import time
from contextlib import suppress

import pytest

from deploy.cluster.parts import Cluster
from tests.support.clients import Clients
from tests.support.cluster import open_at
from tests.support.json_client import Api
from tests.support.places import SignedPlace
from tests.support.stomp_client import StompClient

TIMES = 3
"""The best of so many is judged: what the others take on top is the machine's."""

TRIES = 20
"""Who is connected is known to workers a moment later: messages are posted until it is."""

SECOND = 1.0


async def device(
    cluster: Cluster, number: int, server: SignedPlace, clients: Clients
) -> StompClient:
    """Return a device of bob's whose list of rooms is live."""
    client = await open_at(cluster.gateways[number], lambda: clients.stomp(server, "bob"))
    await client.subscribe("/user/queue/rooms", id="list")
    return client


async def unread(client: StompClient, room: str, count: int) -> None:
    """Return once the list says that so many are unread in the room."""
    change = await client.body("list")
    while (change["roomId"], change.get("unreadCount")) != (room, count):
        change = await client.body("list")


async def unread_room(alice: Api, laptop: StompClient) -> tuple[str, int]:
    """Return a new room, and how many messages of alice's the laptop's list counts in it."""
    room = await alice.new_room(None, "bob")
    for count in range(1, TRIES):
        await alice.ask("POST", f"/rooms/{room}/messages", {"content": "hello"})
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                await unread(laptop, room, count)
                return room, count
    raise AssertionError("the list never changed")


@pytest.mark.parametrize("over", ["stomp", "http"])
async def test_it_is_cleared_within_a_second(
    cluster: Cluster, server: SignedPlace, clients: Clients, over: str
) -> None:
    phone = await device(cluster, 0, server, clients)
    laptop = await device(cluster, 1, server, clients)
    alice, bob = clients.api(server, "alice"), clients.api(server, "bob")
    taken = []
    for _ in range(TIMES):
        room, last = await unread_room(alice, laptop)
        since = time.monotonic()
        if over == "stomp":
            read = {"destination": "/app/read"}
            await phone.request("SEND", read, f'{{"roomId":"{room}","offset":{last}}}')
        else:
            await bob.ask("PUT", f"/rooms/{room}/read", {"offset": last})
        await unread(laptop, room, 0)
        taken.append(time.monotonic() - since)
        assert (await bob.ask("GET", f"/rooms/{room}"))[1]["unreadCount"] == 0
    assert min(taken) < SECOND, taken
