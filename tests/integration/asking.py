"""The API of a process, asked over HTTP with a user's token."""

from typing import Any

from aiohttp.test_utils import TestClient

from allibe_services.auth import TokenSigner

SECRET = "a secret that is long enough for HS256"
SYSTEM = frozenset({"chat:admin"})

Answer = tuple[int, Any, dict[str, str]]
"""Status, body (None where there is none), and headers."""


async def answer_to(
    http: "TestClient[Any, Any]",
    method: str,
    path: str,
    body: object = None,
    *,
    user: str,
    scopes: frozenset[str] = frozenset(),
) -> Answer:
    """Return what is answered to a request of a user, or of the system."""
    headers = {"Authorization": TokenSigner("HS256", SECRET).sign(user, ttl=60, scopes=scopes)}
    async with http.request(method, path, json=body, headers=headers) as response:
        content = await response.json(content_type=None) if response.status != 204 else None
        return response.status, content, dict(response.headers)
