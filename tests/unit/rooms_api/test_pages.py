"""Web pages of other origins: the listed ones may read the answers."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from allibe_rooms_api.app import create_app
from allibe_rooms_api.call import Context
from allibe_services.origins import Origins
from tests.unit.rooms_api.api import ROOMS, Answer, Api
from tests.unit.rooms_api.fakes import MemoryStore, RecordingBus

PAGE = "https://page.example"
ALLOW_ORIGIN = "access-control-allow-origin"


@pytest.fixture
def app(context: Callable[..., Context]) -> web.Application:
    return create_app(context(origins=Origins(PAGE)))


async def preflight(api: Api, origin: str) -> Answer:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return await api.ask("OPTIONS", f"{ROOMS}/1/messages", user=None, headers=headers)


async def test_a_listed_page_reads_answers_and_errors(api: Api) -> None:
    for user, status in (("alice", 200), (None, 401)):
        answer = await api.ask("GET", ROOMS, user=user, headers={"Origin": PAGE})
        assert (answer.status, answer.headers[ALLOW_ORIGIN]) == (status, PAGE)
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers


async def test_another_page_may_not_read_them(api: Api) -> None:
    answer = await api.ask("GET", ROOMS, headers={"Origin": "https://evil.example"})
    assert ALLOW_ORIGIN not in answer.headers
    assert answer.headers["vary"] == "Origin"


async def test_a_listed_page_s_preflight_needs_no_token(api: Api) -> None:
    answer = await preflight(api, PAGE)
    assert (answer.status, answer.headers[ALLOW_ORIGIN]) == (204, PAGE)
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]


async def test_another_page_s_preflight_is_refused(api: Api) -> None:
    answer = await preflight(api, "https://evil.example")
    assert answer.outcome == (405, "method_not_allowed")
    assert ALLOW_ORIGIN not in answer.headers


async def test_by_default_only_the_server_s_own_page_reads(
    store: MemoryStore, bus: RecordingBus, context: Callable[..., Context]
) -> None:
    client: TestClient[Any, Any] = TestClient(TestServer(create_app(context())))
    async with client:
        api = Api(client, store, bus)
        own = str(client.make_url("/")).rstrip("/")
        answer = await api.ask("GET", ROOMS, headers={"Origin": own})
        assert answer.headers[ALLOW_ORIGIN] == own
        answer = await api.ask("GET", ROOMS, headers={"Origin": PAGE})
        assert ALLOW_ORIGIN not in answer.headers
