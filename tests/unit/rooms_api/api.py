"""The API under test: a real aiohttp server, asked over HTTP, in front of the fakes.

Every answer is held against the rules for all answers: never cached, errors as problems.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp.test_utils import TestClient

from allibe_services.auth import TokenSigner
from allibe_services.contracts.commands import PostMessage
from allibe_services.contracts.ids import RoomId, UserId, new_message_id
from allibe_services.contracts.messages import moment
from allibe_services.contracts.rooms import Role
from tests.unit.rooms_api.fakes import MemoryStore, RecordingBus

SECRET = "a secret that is long enough for HS256"
ROOMS = "/api/chat/rooms"
ROOM = RoomId("1")
SYSTEM = frozenset({"chat:admin"})

REQUIRED_LIST = [
    {"roomId": "123", "name": "Project Team", "lastMessage": "See you tomorrow!"},
    {"roomId": "456", "name": "Friend Chat", "lastMessage": "Let's meet at 5 PM"},
]
"""`GET /api/chat/rooms` in the requirements."""


class Answer(msgspec.Struct, frozen=True):
    """What came back, the body decoded; None where there is none."""

    status: int
    headers: dict[str, str]
    json: Any

    @property
    def outcome(self) -> tuple[int, str]:
        """Status and code of a problem."""
        return self.status, self.json["code"]


class Api:
    """Asks the API as a user."""

    def __init__(self, http: "TestClient[Any, Any]", store: MemoryStore, bus: RecordingBus) -> None:
        self.http = http
        self.store = store
        self.bus = bus

    async def ask(
        self,
        method: str,
        path: str,
        *,
        user: str | None = "alice",
        name: str | None = None,
        scopes: Iterable[str] = (),
        **options: Any,
    ) -> Answer:
        """Send a request with a token of the user; None for no token."""
        headers = dict(options.pop("headers", {}))
        if user is not None:
            signer = TokenSigner("HS256", SECRET)
            token = signer.sign(user, ttl=60, name=name, scopes=frozenset(scopes))
            headers["Authorization"] = f"Bearer {token}"
        async with self.http.request(method, path, headers=headers, **options) as response:
            body = await response.read()
            answer = Answer(
                response.status,
                {key.lower(): value for key, value in response.headers.items()},
                msgspec.json.decode(body) if body else None,
            )
        check_shape(answer)
        return answer

    async def room(
        self, *, room_id: str = ROOM, name: str = "Project Team", **members: Role
    ) -> None:
        """Put a room into the store: owner alice, and members by role."""
        await self.store.rooms.create(name, UserId("alice"), room_id=RoomId(room_id))
        for user, role in members.items():
            await self.store.members.add(RoomId(room_id), UserId(user), role)

    async def say(
        self, content: str, *, sender: str = "alice", room_id: str = ROOM, at: int = 0
    ) -> None:
        """Put a message into a room's log; `at` is in milliseconds since 1970."""
        command = PostMessage(
            new_message_id(), RoomId(room_id), UserId(sender), content, sent_at=moment(at)
        )
        await self.store.log.append([command])


def next_page(answer: Answer) -> str | None:
    """Return the address of the next page, None on the last one."""
    found = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("link", ""))
    return found and found[1]


def check_shape(answer: Answer) -> None:
    """Assert what holds for every answer of the API."""
    assert answer.headers["cache-control"] == "no-store"
    if answer.status >= 400 and answer.json is not None:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == answer.status
        assert answer.json["type"] == f"urn:problem-type:allibe:{answer.json['code']}"
        assert answer.json["retryable"] == ("retryAfterMs" in answer.json)
        assert answer.json["retryable"] == ("retry-after" in answer.headers)
        assert (answer.status == 401) == ("www-authenticate" in answer.headers)
