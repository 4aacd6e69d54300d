"""SockJS sessions that are refused: told of it by their door, up to a bound, and by HTTP beyond."""

from pathlib import Path

import pytest
from aiohttp import ClientResponse

from allibe_gateway import doorkeeper
from allibe_services.rates.rate import Rate
from tests.integration.gateway import Site
from tests.integration.sockjs import SockJs
from tests.integration.test_limits import RARELY, limited


async def polled(site: Site, session: str) -> ClientResponse:
    answer = await site.http.post(f"{site.url}/allibe-ws/000/{session}/xhr")
    await answer.read()
    return answer


async def test_how_many_are_told_at_a_time_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions that the limits refuse take no memory from those that they let in."""
    monkeypatch.setattr(doorkeeper, "MOST_REFUSED", 1)
    async with limited(tmp_path, new_connections=Rate(RARELY, 1)) as it:
        alice = SockJs(it.site, "xhr", "session-1")
        await alice.connect()
        assert (await polled(it.site, "session-2")).status == 200
        for _ in range(3):
            answer = await polled(it.site, "session-3")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
            problem = await answer.json()
            assert (problem["code"], problem["retryAfterMs"]) == ("overloaded", 30_000)
        assert it.site.figure("connections", door="sockjs") == 2


async def test_who_was_told_leaves_nothing_behind(tmp_path: Path) -> None:
    """His session could else take the place of another's, over and over."""
    async with limited(tmp_path, new_connections=Rate(RARELY, 1)) as it:
        await SockJs(it.site, "xhr", "session-1").connect()
        refused = SockJs(it.site, "xhr", "session-2")
        for _ in range(2):
            assert await refused.frame() == "o"
            error = await refused.stomp()
            assert (error.command, error.headers["x-code"]) == ("ERROR", "overloaded")
            assert (await refused.frame()).startswith("c[1013,")
