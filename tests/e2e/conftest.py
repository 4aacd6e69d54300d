"""Servers and clients for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest

from tests.support.clients import Clients
from tests.support.fixtures import (
    built_page,
    clients,
    private_server,
    server,
    shared_demo,
    shared_private,
    start_server,
)
from tests.support.node import node_packages
from tests.support.server import Server
from tests.support.terminal import chat

__all__ = [
    "built_page",
    "chat",
    "clients",
    "node_packages",
    "private_server",
    "server",
    "shared_demo",
    "shared_private",
    "start_server",
]


@pytest.fixture
async def room(server: Server, clients: Clients) -> AsyncIterator[str]:
    """A room of alice and bob. Bob is connected, and gets his messages before and after."""
    bystander = await clients.stomp(server, "bob")
    room_id = await clients.api(server, "bob").new_room(None, "alice")
    await bystander.subscribe(f"/topic/rooms/{room_id}")
    yield room_id
    await bystander.post(room_id, "still here")
    while (await bystander.body())["content"] != "still here":
        pass
    assert not bystander.waiting
