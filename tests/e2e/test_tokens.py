"""Tokens that are none, and tokens that end, against a server with a key and an audience.

Whatever is wrong, the client is told by code which kind of wrong it is, and the token is neither
told back nor logged (`Server.check_log` looks for it).
"""

import base64
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import jwt
import pytest

from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.server import AUDIENCE, SECRET, Server
from tests.support.stomp_client import raw

INVALID, EXPIRED = disconnects.TOKEN_INVALID, disconnects.TOKEN_EXPIRED
REQUIRED, NOT_ALLOWED = disconnects.TOKEN_REQUIRED, disconnects.NOT_ALLOWED


@dataclass
class Wrong:
    """A token that must be refused, and how."""

    what: str
    make: Callable[[Server], str]
    code: str = "token_invalid"
    close: Disconnect = INVALID

    def __str__(self) -> str:
        return self.what


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _claims() -> dict[str, object]:
    return {"sub": "alice", "exp": time.time() + 3600, "aud": AUDIENCE}


def _unsigned(algorithm: str) -> str:
    return f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(_claims())}."


def _tampered(server: Server) -> str:
    head, _, signature = server.sign("alice").split(".")
    return f"{head}.{_part(_claims() | {'sub': 'bob'})}.{signature}"


TOKENS = [
    Wrong("no token at all", lambda _: "abc123"),
    Wrong("three dots", lambda _: "..."),
    Wrong("a foreign key", lambda server: server.sign("alice", key="k" * 40)),
    Wrong("alg none", lambda _: _unsigned("none")),
    Wrong("alg None", lambda _: _unsigned("None")),
    Wrong("our key, another algorithm", lambda _: jwt.encode(_claims(), SECRET, "HS512")),
    Wrong("other claims under a good signature", _tampered),
    Wrong("another audience", lambda server: server.sign("alice", aud="somebody-else")),
    Wrong("no audience", lambda server: server.sign("alice", aud=None)),
    Wrong("no end", lambda server: server.sign("alice", exp=None)),
    Wrong("an end that is no number", lambda server: server.sign("alice", exp="soon")),
    Wrong("an endless end", lambda server: server.sign("alice", exp=1e400)),
    Wrong("no user", lambda server: server.sign("alice", sub=None)),
    Wrong("an empty user", lambda server: server.sign("")),
    Wrong("a wildcard as user", lambda server: server.sign("*")),
    Wrong("a user with a blank", lambda server: server.sign("alice cooper")),
    Wrong("not yet good", lambda server: server.sign("alice", nbf=time.time() + 600)),
    Wrong("expired", lambda server: server.sign("alice", ttl=-1), "token_expired", EXPIRED),
    Wrong("expired long ago", lambda server: server.sign("alice", exp=1), "token_expired", EXPIRED),
]


@pytest.fixture
async def room(private_server: Server, clients: Clients) -> str:
    return await clients.api(private_server, "alice").new_room(None, "bob")


@pytest.mark.parametrize("wrong", TOKENS, ids=str)
async def test_a_wrong_token_on_connect_is_told_and_closed(
    private_server: Server, clients: Clients, wrong: Wrong
) -> None:
    """The code tells a client whether to get a new token or to ask its user."""
    token = wrong.make(private_server)
    client = await clients.web_socket(private_server)
    await client.send_text(raw("CONNECT", "accept-version:1.2", f"Authorization:{token}"))
    error = await client.error()
    assert error.headers["x-code"] == wrong.code
    assert token not in str(error.headers) + error.body.decode()
    assert await client.closed() == wrong.close.code


@pytest.mark.parametrize("wrong", TOKENS, ids=str)
async def test_a_wrong_token_at_the_json_door_is_told_and_closed(
    private_server: Server, clients: Clients, room: str, wrong: Wrong
) -> None:
    """The handshake succeeds, since a browser cannot read why one fails."""
    token = wrong.make(private_server)
    client = await clients.json_socket(private_server, {"roomId": room, "token": token})
    error = await client.of_type("error")
    assert error["code"] == wrong.code
    assert token not in str(error)
    assert await client.closed() == wrong.close.code


@pytest.mark.parametrize("command", ["SEND", "SUBSCRIBE"])
async def test_nothing_can_be_done_without_a_token(
    private_server: Server, clients: Clients, room: str, command: str
) -> None:
    """CONNECT without a token is allowed, and good for nothing but bringing one."""
    client = await clients.web_socket(private_server)
    await client.connect()
    if command == "SEND":
        body = json.dumps({"roomId": room, "content": "hello"})
        await client.send_text(raw("SEND", "destination:/app/message", body=body))
    else:
        await client.send_text(raw("SUBSCRIBE", "id:0", f"destination:/topic/rooms/{room}"))
    assert (await client.error()).headers["x-code"] == "token_required"
    assert await client.closed() == REQUIRED.code


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer "])
async def test_an_empty_token_is_a_missing_one(
    private_server: Server, clients: Clients, room: str, header: str
) -> None:
    """What a client sends whose token has not loaded yet."""
    client = await clients.web_socket(private_server)
    await client.send_text(raw("CONNECT", "accept-version:1.2", f"Authorization:{header}"))
    body = json.dumps({"roomId": room, "content": "hello"})
    await client.send_text(
        raw("SEND", "destination:/app/message", f"Authorization:{header}", body=body)
    )
    assert (await client.error()).headers["x-code"] in ("token_required", "token_invalid")
    assert await client.closed() in (REQUIRED.code, INVALID.code)


@pytest.mark.parametrize(
    "frame",
    [
        ("SEND", "destination:/app/message"),
        ("SEND", "destination:/app/auth"),
        ("SUBSCRIBE", "id:0", "destination:/user/queue/rooms"),
    ],
    ids=["on a message", "on its own", "on a subscription"],
)
async def test_another_users_token_on_a_living_connection_is_refused(
    private_server: Server, clients: Clients, room: str, frame: tuple[str, ...]
) -> None:
    """DESIGN §4: a token on a later frame must be of the same user."""
    client = await clients.web_socket(private_server)
    await client.connect(private_server.token("alice"))
    body = json.dumps({"roomId": room, "content": "as bob"}) if frame[0] == "SEND" else ""
    await client.send_text(raw(*frame, f"Authorization:{private_server.token('bob')}", body=body))
    assert (await client.error()).headers["x-code"] == "not_allowed"
    assert await client.closed() == NOT_ALLOWED.code


async def test_a_connection_that_brings_no_token_in_time_is_closed(
    start_server: StartServer, clients: Clients
) -> None:
    """DESIGN §4: it has 10 s (here: half of one), before CONNECT and after it."""
    server = start_server(ALLIBE_SIGN_IN_SECONDS="0.5")
    silent = await clients.web_socket(server)
    connected = await clients.web_socket(server)
    await connected.connect()
    plain = await clients.json_socket(server, {"roomId": "1"})
    for client in (silent, connected):
        assert (await client.error()).headers["x-code"] == "token_required"
        assert await client.closed() == REQUIRED.code
    assert (await plain.of_type("error"))["code"] == "token_required"
    assert await plain.closed() == REQUIRED.code


class TestExpiry:
    """At `exp` delivery stops both ways and the connection closes with 4403."""

    TTL = 1.0

    async def test_a_stomp_connection_ends_with_its_token(
        self, private_server: Server, clients: Clients, room: str
    ) -> None:
        """An ERROR says why. What is posted later never reaches it, nor what it sends others."""
        client = await clients.web_socket(private_server)
        await client.connect(private_server.token("alice", ttl=self.TTL))
        await client.subscribe(f"/topic/rooms/{room}")
        bob = clients.api(private_server, "bob")
        await bob.ask("POST", f"/rooms/{room}/messages", {"content": "in time"})
        assert (await client.body())["content"] == "in time"
        assert (await client.error()).headers["x-code"] == "token_expired"
        late = json.dumps({"roomId": room, "content": "from nobody"})
        with suppress(ConnectionError):  # the close may be faster
            await client.send_frame("SEND", {"destination": "/app/message"}, late)
        await bob.ask("POST", f"/rooms/{room}/messages", {"content": "too late"})
        assert await client.closed() == EXPIRED.code
        assert not client.waiting
        assert await bob.contents(room) == ["in time", "too late"]

    async def test_a_json_connection_ends_with_its_token(
        self, private_server: Server, clients: Clients, room: str
    ) -> None:
        """The same at the other door."""
        token = private_server.token("alice", ttl=self.TTL)
        client = await clients.json_socket(private_server, {"roomId": room, "token": token})
        await client.of_type("joined")
        assert (await client.of_type("error"))["code"] == "token_expired"
        with suppress(ConnectionError):
            await client.send(type="message", content="from nobody")
        bob = clients.api(private_server, "bob")
        await bob.ask("POST", f"/rooms/{room}/messages", {"content": "too late"})
        assert await client.closed() == EXPIRED.code
        assert not [one for one in client.waiting if one["type"] == "message"]
        assert await bob.contents(room) == ["too late"]

    async def test_it_does_not_end_before_its_token(
        self, private_server: Server, clients: Clients, room: str
    ) -> None:
        """A second of life is a second, not less."""
        ends = time.time() + self.TTL
        client = await clients.web_socket(private_server)
        await client.connect(private_server.sign("alice", exp=ends))
        await client.closed()
        assert time.time() >= ends

    async def test_a_later_token_keeps_a_stomp_connection_alive(
        self, private_server: Server, clients: Clients, room: str
    ) -> None:
        """/app/auth replaces the token: a short one would have ended it meanwhile."""
        client, other = [await clients.web_socket(private_server) for _ in range(2)]
        short = private_server.token("alice", ttl=self.TTL)
        await client.connect(short)
        await other.connect(short)
        await client.request(
            "SEND",
            {"destination": "/app/auth", "Authorization": private_server.token("alice", ttl=600)},
        )
        assert await other.closed() == EXPIRED.code
        assert (await client.post(room, "still here")).command == "RECEIPT"

    async def test_a_later_token_on_a_message_keeps_it_alive_without_a_word(
        self, private_server: Server, clients: Clients, room: str
    ) -> None:
        """As the requirements' client sends it with each message: only the receipt comes back."""
        client, other = [await clients.web_socket(private_server) for _ in range(2)]
        short = private_server.token("alice", ttl=self.TTL)
        await client.connect(short)
        await other.connect(short)
        later = private_server.token("alice", ttl=600)
        body = json.dumps({"roomId": room, "content": "with a new token"})
        send = {"destination": "/app/message", "Authorization": f"Bearer {later}"}
        await client.request("SEND", send, body)
        assert await other.closed() == EXPIRED.code
        assert (await client.post(room, "still here")).command == "RECEIPT"
        assert not client.waiting

    async def test_a_later_token_keeps_a_json_connection_alive(
        self, private_server: Server, clients: Clients, room: str
    ) -> None:
        """`refresh` replaces the token."""
        short = private_server.token("alice", ttl=self.TTL)
        client, other = [
            await clients.json_socket(private_server, {"roomId": room, "token": short})
            for _ in range(2)
        ]
        await client.send(type="refresh", token=private_server.token("alice", ttl=600))
        await client.of_type("pong")
        assert await other.closed() == EXPIRED.code
        assert (await client.post("still here"))["roomId"] == room

    async def test_an_earlier_end_does_not_shorten_a_connection(
        self, private_server: Server, clients: Clients, room: str
    ) -> None:
        """Tokens may arrive out of order; the longest one counts."""
        client = await clients.web_socket(private_server)
        await client.connect(private_server.token("alice", ttl=600))
        short = await clients.web_socket(private_server)
        token = private_server.token("alice", ttl=self.TTL)
        await short.connect(token)
        await client.request("SEND", {"destination": "/app/auth", "Authorization": token})
        assert await short.closed() == EXPIRED.code
        assert (await client.post(room, "still here")).command == "RECEIPT"
