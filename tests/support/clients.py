"""Opens clients of all kinds over one HTTP session, which closes them at the test's end."""

from collections.abc import Sequence
from types import TracebackType

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from tests.support.json_client import Api, JsonClient
from tests.support.places import Place
from tests.support.server import WAIT_SECONDS
from tests.support.stomp_client import SUBPROTOCOLS, StompClient


class Clients:
    """Makes clients. Use as an async context manager."""

    def __init__(self) -> None:
        self.session = ClientSession(
            connector=TCPConnector(limit=0, force_close=True),
            timeout=ClientTimeout(total=WAIT_SECONDS),
        )
        self._made: list[StompClient | JsonClient] = []
        """What nobody holds would be collected, and its connection closed, in mid-test."""

    async def __aenter__(self) -> "Clients":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for client in self._made:
            # Else whichever test runs when they are collected is told that they are still open.
            client.let_go()
        await self.session.close()

    async def web_socket(
        self,
        server: Place,
        *,
        protocols: Sequence[str] = SUBPROTOCOLS,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> StompClient:
        """Open `/allibe-ws`; no CONNECT yet."""
        client = StompClient(
            await self.session.ws_connect(
                f"{server.url}/allibe-ws",
                protocols=protocols,
                headers=headers,
                params=query,
                max_msg_size=0,
            )
        )
        self._made.append(client)
        return client

    async def stomp(self, server: Place, user: str, **headers: str) -> StompClient:
        """Return a STOMP client that is connected as the user."""
        client = await self.web_socket(server)
        await client.connect(server.token(user), **headers)
        return client

    async def json_socket(
        self, server: Place, query: dict[str, str], headers: dict[str, str] | None = None
    ) -> JsonClient:
        """Open `/ws/chat` with a query as it is."""
        client = JsonClient(
            await self.session.ws_connect(
                f"{server.url}/ws/chat", params=query, headers=headers, max_msg_size=0
            )
        )
        self._made.append(client)
        return client

    async def json(self, server: Place, user: str, room_id: str, since: str = "") -> JsonClient:
        """Return a client of the JSON door that has joined the room as the user."""
        query = {"roomId": room_id, "token": server.token(user)}
        client = await self.json_socket(server, query | ({"since": since} if since else {}))
        client.joined = await client.of_type("joined")
        return client

    def api(self, server: Place, user: str) -> Api:
        """Return the HTTP side as the user."""
        return Api(self.session, server, server.token(user))
