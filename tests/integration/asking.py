"""The API of a process, asked over HTTP with a user's token."""

from typing import Any

from aiohttp.test_utils import TestClient

from allibe_services.auth import TokenSigner
from allibe_services.contracts.ids import UserId

API = "/api/chat"
ALICE, BOB = UserId("alice"), UserId("bob")
SECRET = "a secret that is long enough for HS256"
SYSTEM = frozenset({"chat:admin"})

Answer = tuple[int, Any, dict[str, str]]
"""Status, body (None where there is none), and headers."""


class Asking:
    """Who asks the API, as alice unless told otherwise; paths are those below `API`."""

    def __init__(self, http: "TestClient[Any, Any]") -> None:
        self.http = http

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = ALICE,
        scopes: frozenset[str] = frozenset(),
    ) -> tuple[int, Any]:
        """Return status and body of what is answered to a user, or to the system."""
        status, content, _ = await self.answer(method, path, body, user=user, scopes=scopes)
        return status, content

    async def answer(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str = ALICE,
        scopes: frozenset[str] = frozenset(),
    ) -> Answer:
        """Return what is answered, with its headers."""
        token = TokenSigner("HS256", SECRET).sign(user, ttl=60, scopes=scopes)
        async with self.http.request(
            method, API + path, json=body, headers={"Authorization": token}
        ) as response:
            content = await response.json(content_type=None) if response.status != 204 else None
            return response.status, content, dict(response.headers)
