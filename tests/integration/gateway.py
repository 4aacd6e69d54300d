"""A whole gateway on a free port of this machine: both doors, bus, worker, and a database.

The clients here are plain on purpose: they know the wire from the specifications, not from the
code under test.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web
from prometheus_client import CollectorRegistry

from allibe_fanout_worker.app import worker
from allibe_fanout_worker.push.pushing import Pushing
from allibe_gateway.app import Gateway, gateway
from allibe_gateway.limits import Limits
from allibe_services.auth import TokenSigner, TokenVerifier
from allibe_services.auth.admission import Admission
from allibe_services.auth.revoked import Revoked
from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.events import RoomLeft
from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.inprocess import InProcessPresence
from allibe_services.runtime import Readiness, Tasks
from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from allibe_services.telemetry import GatewayMetrics, WorkerMetrics
from allibe_services.tickets.inprocess import InProcessTickets
from allibe_services.workers.inprocess import InProcessWorkers
from tests.support.presences import connected

SECRET = "0123456789abcdef0123456789abcdef"
ALICE, BOB, CAROL = UserId("alice"), UserId("bob"), UserId("carol")
ONE, TWO = RoomId("1"), RoomId("2")
ROOM = f"/topic/rooms/{ONE}"
WAIT_SECONDS = 10.0
"""For what takes milliseconds; only failures wait so long."""

_signer = TokenSigner("HS256", SECRET)


def token(user: str = "alice", *, ttl: float = 600, name: str | None = None) -> str:
    """Sign a token."""
    return _signer.sign(user, ttl=ttl, name=name)


class Site:
    """The running gateway. Alice and Bob are members of room 1, Alice and Carol of room 2."""

    def __init__(self, parts: dict[str, Any], url: str, session: aiohttp.ClientSession) -> None:
        self.bus: InProcessBus = parts["bus"]
        self.store: SqlStore = parts["store"]
        self.presence: InProcessPresence = parts["presence"]
        self.gateway: Gateway = parts["gateway"]
        self.registry: CollectorRegistry = parts["registry"]
        self.tasks: Tasks = parts["tasks"]
        self.url = url
        self.http = session
        self._open: list[aiohttp.ClientWebSocketResponse] = []

    async def web_socket(
        self, path: str, *, protocols: tuple[str, ...] = (), **more: Any
    ) -> aiohttp.ClientWebSocketResponse:
        socket: aiohttp.ClientWebSocketResponse = await self.http.ws_connect(
            self.url + path, protocols=protocols, autoping=False, **more
        )
        self._open.append(socket)
        return socket

    async def stomp(self, **handshake: Any) -> "StompClient":
        """Open a WebSocket at the STOMP door, nothing more."""
        return StompClient(await self.web_socket("/allibe-ws", **handshake))

    async def stomp_user(self, user: str = "alice", **headers: str) -> "StompClient":
        """Open one, and CONNECT as a user."""
        client = await self.stomp()
        await client.connect(Authorization=token(user, name=user.capitalize()), **headers)
        return client

    async def json(self, query: str, **handshake: Any) -> "JsonClient":
        """Open a WebSocket at the JSON door."""
        return JsonClient(await self.web_socket(f"/ws/chat?{query}", **handshake))

    async def json_user(self, user: str = "alice", room: str = "1", **more: str) -> "JsonClient":
        """Open one, and join a room as a user."""
        since = f"&since={more['since']}" if "since" in more else ""
        client = await self.json(f"roomId={room}&token={token(user, name=user.title())}{since}")
        if not since:
            assert (await client.next())["type"] == "joined"
        return client

    async def remove(self, user: UserId, room: RoomId = ONE) -> None:
        """End a membership, as rooms-api does."""
        await self.store.members.remove(room, user)
        await self.bus.publish([RoomLeft(to=user, room_id=room)])

    async def until_present(self, user: UserId) -> None:
        """Return once presence has heard of the user."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not await connected(self.presence, [user]):  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)

    async def until_stored(self, *contents: str) -> None:
        """Return once the history of room 1 is this."""
        async with asyncio.timeout(WAIT_SECONDS):
            while await self.history() != list(contents):  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.01)

    async def history(self, room: RoomId = ONE) -> list[str]:
        return [one.content for one in await self.store.log.after(room, 0, most=10_000)]

    def figure(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"allibe_gateway_{name}", labels)

    async def close(self) -> None:
        for socket in self._open:
            await socket.close()


@asynccontextmanager
async def running(
    folder: Path,
    *,
    limits: Limits | None = None,
    publish_seconds: float = 5.0,
    push: Pushing | None = None,
    **more: Any,
) -> AsyncIterator[Site]:
    """Run a gateway with its worker over a new database; `more` is the gateway's."""
    url = f"sqlite:///{folder}/allibe.db"
    migrate(url)
    async with AsyncExitStack() as stack:
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        store = SqlStore(SqliteDatabase(url))
        stack.push_async_callback(store.close)
        bus = InProcessBus(publish_seconds=publish_seconds)
        stack.push_async_callback(bus.close)
        presence, registry = InProcessPresence(), CollectorRegistry()
        await store.rooms.create("One", ALICE, members=[BOB], room_id=ONE)
        await store.rooms.create("Two", ALICE, members=[CAROL], room_id=TWO)
        await stack.enter_async_context(
            worker(
                bus=bus,
                store=store,
                presence=presence,
                workers=InProcessWorkers(),
                metrics=WorkerMetrics(registry),
                readiness=Readiness(),
                tasks=tasks,
                push=push,
            )
        )
        entrance = await stack.enter_async_context(
            gateway(
                bus=bus,
                store=store,
                presence=presence,
                admission=Admission(
                    TokenVerifier("HS256", SECRET), Revoked(store.revocations), InProcessTickets()
                ),
                limits=limits or Limits(),
                metrics=GatewayMetrics(registry),
                tasks=tasks,
                **more,
            )
        )
        app = web.Application()
        app.add_routes(entrance.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        listening = web.TCPSite(runner, "127.0.0.1", 0)
        await listening.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        parts = {
            "bus": bus,
            "store": store,
            "presence": presence,
            "gateway": entrance,
            "registry": registry,
            "tasks": tasks,
        }
        site = Site(parts, f"http://127.0.0.1:{runner.addresses[0][1]}", session)
        yield site
        await site.close()
        if tasks.failed.done():
            tasks.failed.result()


PRESENCE = '{"type":"presence",'
"""How the bodies begin that come at no certain moment; only tests of presence look at them."""


class Frame:
    """A STOMP frame from the server, as it stood on the wire."""

    def __init__(self, text: str) -> None:
        head, _, body = text.partition("\n\n")
        self.command, *lines = head.split("\n")
        self.raw_headers = [line.partition(":")[::2] for line in lines]
        self.headers = dict(reversed([(name, _plain(value)) for name, value in self.raw_headers]))
        assert body.endswith("\0")
        self.body = body[:-1]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __repr__(self) -> str:
        return f"{self.command} {self.headers} {self.body}"


class Closed(Exception):
    """The server closed the connection."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Client:
    """What both kinds of clients do with a WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def text(self) -> str:
        """Return the next text message. Raises `Closed`."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                message = await self.socket.receive()
                if message.type is WSMsgType.TEXT:
                    return str(message.data)
                if message.type is WSMsgType.PING:
                    await self.socket.pong()
                elif message.type is WSMsgType.CLOSE:
                    raise Closed(int(message.data), str(message.extra or ""))
                elif message.type is not WSMsgType.PONG:
                    raise Closed(self.socket.close_code, "")

    async def end(self) -> Closed:
        """Read to the end; return how it came."""
        try:
            while True:
                await self.text()
        except Closed as closed:
            return closed

    async def close(self) -> None:
        await self.socket.close()


class StompClient(Client):
    """A STOMP connection that sends what it is told and shows what comes."""

    async def send(self, command: str, body: str = "", /, **headers: str) -> None:
        """Send a frame; `_` in header names stands for `-`."""
        await self.raw(frame(command, body, **headers))

    async def raw(self, text: str, *, binary: bool = False) -> None:
        if binary:
            await self.socket.send_bytes(text.encode())
        else:
            await self.socket.send_str(text)

    async def next(self) -> Frame:
        """Return the next frame, past heart-beats and who is here. Raises `Closed`."""
        while (text := await self.text()) == "\n" or PRESENCE in text:
            pass
        return Frame(text)

    async def presence(self) -> Any:
        """Return the next that is told of who is here; drop what comes before it."""
        while PRESENCE not in (text := await self.text()):
            pass
        return Frame(text).json

    async def connect(self, **headers: str) -> Frame:
        """CONNECT and return CONNECTED."""
        await self.send("CONNECT", **({"accept_version": "1.2", "host": "h"} | headers))
        answer = await self.next()
        assert answer.command == "CONNECTED", answer
        return answer

    async def subscribe(self, destination: str = ROOM, name: str = "s1", **headers: str) -> Frame:
        """SUBSCRIBE and return its RECEIPT; frames before it are a failure."""
        headers |= {"destination": destination, "id": name, "receipt": f"r-{name}"}
        await self.send("SUBSCRIBE", **headers)
        answer = await self.next()
        assert answer.command == "RECEIPT", answer
        assert answer.headers["receipt-id"] == f"r-{name}"
        return answer

    async def post(
        self, content: str = "hello", room: str = "1", receipt: str | None = None, **headers: str
    ) -> None:
        if receipt is not None:
            headers["receipt"] = receipt
        body = json.dumps({"content": content, "roomId": room}, ensure_ascii=False)
        await self.send("SEND", body, destination="/app/message", **headers)

    async def app(self, name: str, body: object, **headers: str) -> None:
        """SEND JSON to `/app/…`."""
        await self.send("SEND", json.dumps(body), destination=f"/app/{name}", **headers)

    async def messages(self, count: int) -> list[Frame]:
        """Return the next so many frames, which must be MESSAGEs."""
        found = [await self.next() for _ in range(count)]
        assert {one.command for one in found} <= {"MESSAGE"}, found
        return found

    async def contents(self, count: int) -> list[str]:
        return [one.json["content"] for one in await self.messages(count)]

    async def error(self) -> tuple[str, int | None]:
        """Return the code of the ERROR that comes next, and of the close that follows it."""
        answer = await self.next()
        assert answer.command == "ERROR", answer
        ended = await self.end()
        return answer.headers["x-code"], ended.code

    async def nothing_more(self) -> None:
        """Check that nothing waits, by a request whose receipt is the next frame."""
        await self.app("auth", {}, receipt="nothing", Authorization=token("nobody-else"))
        answer = await self.next()
        assert answer.headers.get("x-code") == "not_allowed", answer


class JsonClient(Client):
    """A connection of the JSON door."""

    async def send(self, kind: str, **fields: object) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def next(self) -> dict[str, Any]:
        """Return the next message, past who is here. Raises `Closed`."""
        while (found := await self._any())["type"] == "presence":
            pass
        return found

    async def next_of(self, kind: str) -> dict[str, Any]:
        """Return the next message of a type; drop those before it."""
        while (found := await self._any())["type"] != kind:
            pass
        return found

    async def presence(self) -> dict[str, Any]:
        """Return the next that is told of who is here; drop what comes before it."""
        return await self.next_of("presence")

    async def _any(self) -> dict[str, Any]:
        found = json.loads(await self.text())
        assert isinstance(found, dict)
        return found

    async def error(self) -> str:
        """Return the code of the error that comes next."""
        answer = await self.next()
        assert answer["type"] == "error", answer
        return str(answer["code"])


def frame(command: str, body: str = "", /, **headers: str) -> str:
    """Spell a frame; `_` in header names stands for `-`."""
    lines = "".join(f"{name.replace('_', '-')}:{value}\n" for name, value in headers.items())
    return f"{command}\n{lines}\n{body}\0"


def _plain(value: str) -> str:
    for escape, plain in (("\\c", ":"), ("\\n", "\n"), ("\\r", "\r"), ("\\\\", "\\")):
        value = value.replace(escape, plain)
    return value
