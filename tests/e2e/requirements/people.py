"""Who the examples are about, and where."""

from dataclasses import dataclass

from tests.support.clients import Clients
from tests.support.json_client import Api
from tests.support.server import Server


@dataclass
class Chat:
    """The people and rooms of the examples."""

    server: Server
    clients: Clients
    user1: Api
    user2: Api

    def token(self, user: str) -> str:
        return self.server.token(user)


ROOMS = {"123": "Project Team", "456": "Friend Chat", "1": "Test"}
