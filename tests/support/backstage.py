"""What happens behind the pages of a browser test: rooms, members and messages over HTTP.

Playwright's synchronous interface keeps a loop running in the test's own thread, so asyncio gets
another thread here.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

from allibe_standalone import demo
from tests.support.clients import Clients
from tests.support.json_client import Api, Json
from tests.support.places import Place
from tests.support.server import WAIT_SECONDS

T = TypeVar("T")


class Backstage:
    """Acts as any user of a server, without a page."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._clients = self.run(_clients())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it to its end, in the other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT_SECONDS)

    def room(self, server: Place, name: str, *members: str) -> str:
        """Create a room, return its id. The first member owns it; alice's with bob by default."""
        owner, *others = members or ("alice", "bob")
        return self.run(self._api(server, owner).new_room(None, *others, name=name))

    def say(self, server: Place, room: str, user: str, *contents: str) -> None:
        """Post messages as the user, one after the other."""
        for content in contents:
            self._do(server, user, "POST", f"/rooms/{room}/messages", {"content": content})

    def read(self, server: Place, room: str, user: str, offset: int) -> None:
        """Move the user's read marker."""
        self._do(server, user, "PUT", f"/rooms/{room}/read", {"offset": offset})

    def invite(self, server: Place, room: str, user: str, by: str = "alice") -> None:
        """Make the user a member."""
        body = {"user": user, "role": "member"}
        self._do(server, by, "POST", f"/rooms/{room}/members", body)

    def remove(self, server: Place, room: str, user: str, by: str = "alice") -> None:
        """End the user's membership."""
        self._do(server, by, "DELETE", f"/rooms/{room}/members/{user}")

    def roles(self, server: Place, room: str) -> dict[str, str]:
        """Return who is in a room of alice's, and as what."""
        members = self.run(self._api(server, "alice").ask("GET", f"/rooms/{room}/members"))[1]
        return {member["user"]: member["role"] for member in members}

    def history(self, server: Place, room: str, user: str = "alice") -> list[Json]:
        """Return all messages of a room."""
        return self.run(self._api(server, user).history(room))

    def contents(self, server: Place, room: str, sender: str | None = None) -> list[str]:
        """Return what a room's messages say: all, or those of one sender."""
        return [
            str(message["content"])
            for message in self.history(server, room)
            if sender in (None, message["sender"])
        ]

    def clear(self, server: Place) -> None:
        """Close all rooms of a demo but its own: nobody sees them any more."""
        self.run(self._clear([self._api(server, user) for user in demo.USERS]))

    def close(self) -> None:
        """Close the HTTP connections."""
        self.run(self._clients.session.close())

    def _api(self, server: Place, user: str) -> Api:
        return self._clients.api(server, user)

    def _do(self, server: Place, user: str, method: str, path: str, body: object = None) -> None:
        status, answer = self.run(self._api(server, user).ask(method, path, body))
        assert status < 300, answer

    async def _clear(self, apis: list[Api]) -> None:
        kept = {room_id for room_id, _, _ in demo.ROOMS}
        for api in apis:
            for room in await api.rooms():
                if room["roomId"] not in kept and room["role"] == "owner":
                    await self._close(api, f"/rooms/{room['roomId']}/members")

    async def _close(self, api: Api, members: str) -> None:
        _, found = await api.ask("GET", members)
        # The owner last: members are not left without one.
        for member in sorted(found, key=lambda member: bool(member["role"] == "owner")):
            status, answer = await api.ask("DELETE", f"{members}/{member['user']}")
            assert status == 204, answer


@contextmanager
def open_backstage() -> Iterator[Backstage]:
    """Give one; at the end its connections are closed and its thread is gone."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="backstage")
    thread.start()
    try:
        backstage = Backstage(loop)
        yield backstage
        backstage.close()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT_SECONDS)
        loop.close()


async def _clients() -> Clients:
    """Made within the loop that they will use."""
    return Clients()
