"""A server whose keys an issuer publishes, rotates, and stops publishing."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.clients import Clients
from tests.support.fixtures import StartServer
from tests.support.json_client import Api
from tests.support.server import AUDIENCE, WAIT_SECONDS, Server
from tests.unit.services.auth.published import document, entry, signed
from tests.unit.services.keys import Pair

OLD, NEW = [Pair(ec.generate_private_key(ec.SECP256R1())) for _ in range(2)]


class Issuer:
    """Publishes keys at `url`."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = document(entry(kid="old", of=OLD))
        self.status = 200
        self.asked = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, body=self.keys)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    made, app = Issuer(), web.Application()
    app.router.add_get("/keys", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    yield made
    await runner.cleanup()


@pytest.fixture
async def server(start_server: StartServer, issuer: Issuer) -> Server:
    def start() -> Server:
        return start_server(
            demo=False, ALLIBE_JWT_ALGORITHM="ES256", ALLIBE_JWT_JWKS_URL=issuer.url
        )

    return await asyncio.to_thread(start)


async def ask(server: Server, clients: Clients, kid: str, by: Pair) -> tuple[int, str]:
    """Return status and code of an answer to a token."""
    token = signed(kid, by=by, aud=AUDIENCE)
    status, body = await Api(clients.session, server, token).ask("GET", "/rooms")
    return status, body["code"] if status >= 400 else ""


async def test_keys_come_and_go_while_the_server_runs(
    server: Server, clients: Clients, issuer: Issuer
) -> None:
    """Rotation is found by the unknown `kid`; made-up ones make no flood, and are told which."""
    assert await ask(server, clients, "old", OLD) == (200, "")
    assert await ask(server, clients, "old", NEW) == (401, "token_invalid")

    issuer.status = 500
    answers = {await ask(server, clients, f"made-up-{one}", NEW) for one in range(30)}
    assert answers <= {(503, "keys_unavailable")}
    assert issuer.asked <= 3
    assert await ask(server, clients, "old", OLD) == (200, "")

    issuer.status, issuer.keys = 200, document(entry(kid="new", of=NEW))
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := await ask(server, clients, "new", NEW)) != (200, ""):
        assert answer == (503, "keys_unavailable")
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert await ask(server, clients, "old", OLD) in (
        (401, "token_invalid"),
        (503, "keys_unavailable"),
    )
    ok = await asyncio.to_thread(server.metric, "allibe_auth_key_fetches_total", result="ok")
    assert 2 <= ok <= issuer.asked
