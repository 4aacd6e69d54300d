"""Who has a room on the screen, where alice is at one gateway and bob at the other."""

import asyncio
from collections.abc import Collection

import pytest

from allibe_services.presence.base import LEASE_SECONDS
from deploy.cluster.parts import Cluster
from tests.support.clients import Clients
from tests.support.cluster import json_at
from tests.support.json_client import JsonClient
from tests.support.places import SignedPlace

HEALED_SECONDS = 35.0
"""A renewal within 20 s, then a question to presence within 10 s, then a moment."""


async def until_here(client: JsonClient, users: Collection[str], *, seconds: float = 15.0) -> None:
    """Return once the client is told that these users are here, and nobody else."""
    async with asyncio.timeout(seconds):
        while (await client.take(_is_presence, seconds=seconds))["users"] != sorted(users):
            pass


async def test_each_sees_the_other_come_and_go(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    alice = await json_at(cluster, 0, server, clients, "alice", room)
    await until_here(alice, {"alice"})
    bob = await json_at(cluster, 1, server, clients, "bob", room)
    await until_here(alice, {"alice", "bob"})
    await until_here(bob, {"alice", "bob"})
    await bob.send(type="leave")
    await until_here(alice, {"alice"})


async def test_who_was_at_a_gateway_that_stopped_is_gone_at_once(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    alice = await json_at(cluster, 0, server, clients, "alice", room)
    await json_at(cluster, 1, server, clients, "bob", room)
    await until_here(alice, {"alice", "bob"})
    await asyncio.to_thread(cluster.gateways[1].stop)
    await until_here(alice, {"alice"})


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_who_was_at_a_gateway_that_died_is_gone_when_the_lease_is(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    alice = await json_at(cluster, 0, server, clients, "alice", room)
    await json_at(cluster, 1, server, clients, "bob", room)
    await until_here(alice, {"alice", "bob"})
    cluster.gateways[1].kill()
    await until_here(alice, {"alice"}, seconds=LEASE_SECONDS + 20)


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_a_redis_that_has_lost_everything_is_told_again(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    alice = await json_at(cluster, 0, server, clients, "alice", room)
    bob = await json_at(cluster, 1, server, clients, "bob", room)
    await until_here(alice, {"alice", "bob"})
    cluster.redis.flush()
    phone = await json_at(cluster, 0, server, clients, "alice", room)  # makes all ask, and find one
    told = await asyncio.gather(*(_last_told(client) for client in (alice, bob, phone)))
    assert told[2] == ["alice", "bob"]
    assert all(users in (None, ["alice", "bob"]) for users in told), told


async def _last_told(client: JsonClient) -> object:
    """Return who was here by what the client was told last within the time; None for nothing."""
    told = None
    try:
        async with asyncio.timeout(HEALED_SECONDS):
            while True:
                told = (await client.take(_is_presence, seconds=HEALED_SECONDS))["users"]
    except TimeoutError:
        return told


def _is_presence(item: dict[str, object]) -> bool:
    return item["type"] == "presence"
