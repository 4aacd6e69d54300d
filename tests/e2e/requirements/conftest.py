"""user1 and user2, and their rooms."""

import pytest

from tests.e2e.requirements.people import ROOMS, Chat
from tests.support.clients import Clients
from tests.support.server import Server


@pytest.fixture
async def chat(private_server: Server, clients: Clients) -> Chat:
    """user1 and user2 are members of the rooms 123, 456 and 1."""
    user1, user2 = (clients.api(private_server, user) for user in ("user1", "user2"))
    for room_id, name in ROOMS.items():
        status, _ = await user1.ask(
            "POST", "/rooms", {"roomId": room_id, "name": name, "members": ["user2"]}
        )
        assert status in (201, 409)
    return Chat(private_server, clients, user1, user2)
