"""Revocations against a real server: who was let in is put out, and nobody gets in again."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.json_client import Api, Json, JsonClient
from tests.support.server import Server
from tests.support.stomp_client import StompClient, raw

REVOKED = disconnects.TOKEN_REVOKED
PROMISED_SECONDS = 2.0

MARGIN_SECONDS = 8.0
"""Beyond what is promised: two processors, and others who use them."""


@dataclass
class Scene:
    """A server, and a user of this test alone."""

    server: Server
    clients: Clients
    user: str

    def token(self, **claims: Any) -> str:
        return self.server.sign(self.user, **claims)

    def api(self, token: str) -> Api:
        return Api(self.clients.session, self.server, token)

    async def revoke(self, **what: str) -> Json:
        """Revoke as the owner's back end does."""
        status, made = await self.api(self.server.sign("backend", scope="chat:admin")).ask(
            "POST", "/admin/revocations", what
        )
        assert status == 201, made
        assert isinstance(made, dict)
        return made

    async def stomp(self, token: str) -> StompClient:
        client = await self.clients.web_socket(self.server)
        await client.connect(token)
        return client

    async def json(self, token: str) -> JsonClient:
        room = await self.api(token).new_room()
        client = await self.clients.json_socket(self.server, {"roomId": room, "token": token})
        await client.of_type("joined")
        return client

    async def until_refused(self, token: str) -> None:
        """Return when the server knows of it; fail when that takes too long."""
        deadline = time.monotonic() + PROMISED_SECONDS + MARGIN_SECONDS
        while (await self.api(token).ask("GET", "/rooms"))[0] != 401:
            assert time.monotonic() < deadline, "the token is still good"


@pytest.fixture
def scene(private_server: Server, clients: Clients) -> Scene:
    return Scene(private_server, clients, f"user-{uuid4()}")


async def test_a_revoked_users_connections_end_at_both_doors(scene: Scene) -> None:
    """Told why, with an ERROR and a close code that asks for a new token; in two seconds."""
    token = scene.token()
    stomp, plain = await scene.stomp(token), await scene.json(token)
    began = time.monotonic()
    await scene.revoke(userId=scene.user)
    assert (await stomp.error()).headers["x-code"] == "token_revoked"
    assert (await plain.of_type("error"))["code"] == "token_revoked"
    assert [await stomp.closed(), await plain.closed()] == [REVOKED.code] * 2
    assert time.monotonic() - began < PROMISED_SECONDS + MARGIN_SECONDS


async def test_other_users_notice_nothing(scene: Scene) -> None:
    other = Scene(scene.server, scene.clients, f"{scene.user}-other")
    client = await other.stomp(other.token())
    await scene.revoke(userId=scene.user)
    await scene.until_refused(scene.token())
    await client.subscribe("/user/queue/rooms")


async def test_a_revoked_token_is_refused_at_every_door(scene: Scene) -> None:
    token = scene.token()
    room = await scene.api(token).new_room()
    await scene.revoke(userId=scene.user)
    await scene.until_refused(token)
    assert (await scene.api(token).ask("GET", "/rooms"))[1]["code"] == "token_revoked"
    assert (await scene.api(token).ask("POST", "/tickets"))[0] == 401
    connect = raw("CONNECT", "accept-version:1.2", f"Authorization:{token}")
    for query, headers in (({}, {}), ({"token": token}, {}), ({}, {"Authorization": token})):
        stomp = await scene.clients.web_socket(scene.server, query=query, headers=headers)
        await stomp.send_text(connect if not (query or headers) else connect.replace(token, ""))
        assert (await stomp.error()).headers["x-code"] == "token_revoked"
        assert await stomp.closed() == REVOKED.code
        if query or headers:
            door = {"roomId": room} | query
            plain = await scene.clients.json_socket(scene.server, door, headers)
            assert (await plain.of_type("error"))["code"] == "token_revoked"
            assert await plain.closed() == REVOKED.code


async def test_a_token_from_after_the_revocation_is_good(scene: Scene) -> None:
    """At sign-in, on /app/auth of a connection without a token, and over HTTP."""
    old = scene.token(iat=time.time() - 1)
    await scene.revoke(userId=scene.user)
    await scene.until_refused(old)
    new = scene.token(iat=time.time())
    await scene.stomp(new)
    bare = await scene.clients.web_socket(scene.server)
    await bare.connect()
    await bare.request("SEND", {"destination": "/app/auth", "Authorization": new})
    await bare.subscribe("/user/queue/rooms")
    assert (await scene.api(new).ask("GET", "/rooms"))[0] == 200


async def test_one_token_of_a_user_may_be_revoked(scene: Scene) -> None:
    lost, kept = scene.token(jti=f"{scene.user}-1"), scene.token(jti=f"{scene.user}-2")
    phone, laptop = await scene.stomp(lost), await scene.stomp(kept)
    made = await scene.revoke(tokenId=f"{scene.user}-1")
    assert made["tokenId"] == f"{scene.user}-1"
    assert await phone.closed() == REVOKED.code
    await scene.until_refused(lost)
    await laptop.subscribe("/user/queue/rooms")


async def test_nobody_but_the_system_revokes(scene: Scene) -> None:
    path = "/admin/revocations"
    status, problem = await scene.api(scene.token()).ask("POST", path, {"userId": scene.user})
    assert (status, problem["code"]) == (403, "not_allowed")


async def test_a_revocation_outlives_the_process(
    start_server: StartServer, clients: Clients
) -> None:
    """It is known before the server takes its first request. It is kept as the settings say."""
    server = start_server(demo=False, ALLIBE_TOKEN_LIFE_SECONDS="3600")
    scene = Scene(server, clients, "alice")
    token = scene.token()
    made = await scene.revoke(userId="alice")
    kept = datetime.fromisoformat(made["expiresAt"]) - datetime.fromisoformat(made["revokedAt"])
    assert round(kept.total_seconds()) == 3600
    scene.server.kill()
    scene.server.start()
    assert (await scene.api(token).ask("GET", "/rooms"))[1]["code"] == "token_revoked"
    assert scene.server.metric("allibe_auth_revocations") == 1
