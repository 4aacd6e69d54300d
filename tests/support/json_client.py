"""A client of the JSON door, `/ws/chat`, and one of the HTTP side."""

import json
from typing import Any

from aiohttp import ClientSession

from tests.support.inbox import Inbox, Refusal
from tests.support.places import Place

Json = dict[str, Any]


class JsonClient(Inbox[Json]):
    """One connection to one room. `joined` is how it began, once it has."""

    joined: Json

    async def send(self, **fields: object) -> None:
        """Send a JSON object."""
        await self.send_text(json.dumps(fields))

    async def post(self, content: str, **fields: object) -> Json:
        """Post a message, return its ack."""
        await self.send(type="message", content=content, **fields)
        return await self.of_type("ack")

    async def of_type(self, kind: str) -> Json:
        """Return the next object of this type."""
        return await self.take(lambda item: item["type"] == kind)

    def _parse(self, chunk: bytes) -> list[Json]:
        item = json.loads(chunk)
        assert isinstance(item, dict)
        return [item]

    def _check(self, item: Json) -> None:
        if item["type"] == "error":
            raise Refusal(str(item), retryable=item["retryable"])


class Api:
    """The HTTP side, as one user."""

    def __init__(self, session: ClientSession, server: Place, token: str | None) -> None:
        self._session = session
        self._server = server
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and JSON of an answer; `path` is below `/api/chat`."""
        async with self._session.request(
            method,
            f"{self._server.url}/api/chat{path}",
            json=body,
            headers=self._headers,
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def rooms(self) -> list[Json]:
        """Return the user's rooms."""
        status, rooms = await self.ask("GET", "/rooms")
        assert status == 200, rooms
        assert isinstance(rooms, list)
        return rooms

    async def new_room(self, room_id: str | None = None, *members: str, name: str = "Room") -> str:
        """Create a room, return its id."""
        wanted: Json = {"name": name, "members": list(members)}
        if room_id is not None:
            wanted["roomId"] = room_id
        status, room = await self.ask("POST", "/rooms", wanted)
        assert status == 201, room
        return str(room["roomId"])

    async def history(self, room_id: str) -> list[Json]:
        """Return all messages of a room, oldest first, by following the pages."""
        messages: list[Json] = []
        after: int | None = 0
        while after is not None:
            status, page = await self.ask(
                "GET", f"/rooms/{room_id}/messages?after={after}&limit=200"
            )
            assert status == 200, page
            messages += page["messages"]
            after = page.get("nextAfter")
        return messages

    async def contents(self, room_id: str) -> list[str]:
        """Return what the messages of a room say, oldest first."""
        return [message["content"] for message in await self.history(room_id)]
