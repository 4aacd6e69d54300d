"""`auth.jwks_fetch`: little time, little memory, one address."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from allibe_services.auth import jwks_fetch
from allibe_services.contracts.errors import KeysUnavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve one address with a handler; return its URL."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_get("/keys", handler)
        runners.append(web.AppRunner(app, access_log=None, shutdown_timeout=0.1))
        await runners[-1].setup()
        site = web.TCPSite(runners[-1], "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}/keys"

    yield start
    for runner in runners:
        await runner.cleanup()


async def test_it_returns_what_is_published(serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b'{"keys":[]}')

    assert await jwks_fetch.fetch(await serve(answer)) == b'{"keys":[]}'


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500])
async def test_any_other_answer_is_none(serve: Serve, status: int) -> None:
    """Where a redirect leads was not configured."""
    hits = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal hits
        hits += 1
        return web.Response(status=status, headers={"Location": str(request.url)})

    with pytest.raises(KeysUnavailable, match=str(status)):
        await jwks_fetch.fetch(await serve(answer))
    assert hits == 1


async def test_an_endless_answer_is_not_read_to_its_end(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)

    with pytest.raises(KeysUnavailable, match="longer than"):
        await jwks_fetch.fetch(await serve(answer))


async def test_what_is_packed_is_not_unpacked(serve: Serve) -> None:
    packed = gzip.compress(b" " * 1_000_000)

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert await jwks_fetch.fetch(await serve(answer)) == packed


async def test_an_answer_that_does_not_come_is_not_waited_for(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks_fetch, "FETCH_SECONDS", 0.05)

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    with pytest.raises(KeysUnavailable, match="Timeout"):
        await jwks_fetch.fetch(await serve(answer))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/keys", "https://127.0.0.1:1/keys"])
async def test_an_issuer_that_is_not_there_is_told(url: str) -> None:
    with pytest.raises(KeysUnavailable):
        await jwks_fetch.fetch(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://issuer.example/.well-known/jwks.json",
        "https://issuer.example:8443/keys?tenant=1",
        "http://127.0.0.1:8000/keys",
        "http://[::1]:8000/keys",
        "http://localhost/keys",
    ],
)
def test_keys_come_over_https_or_from_this_machine(url: str) -> None:
    jwks_fetch.check_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "keys",
        "issuer.example/keys",
        "http://issuer.example/keys",
        "http://127.0.0.1.issuer.example/keys",
        "http://10.0.0.1/keys",
        "ftp://issuer.example/keys",
        "file:///etc/keys",
        "https:///keys",
        "https://user:secret@issuer.example/keys",
        "https://[::1/keys",
    ],
)
def test_no_other_address_will_do(url: str) -> None:
    with pytest.raises(ValueError) as caught:
        jwks_fetch.check_address(url)
    assert "secret" not in str(caught.value)
