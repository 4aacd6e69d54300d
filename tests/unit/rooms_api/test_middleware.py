"""Whatever goes wrong, the answer is a problem, in time, and says nothing of the inside."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from allibe_rooms_api.app import setup
from allibe_services.auth import TokenVerifier
from allibe_services.contracts.errors import StoreUnavailable
from tests.unit.rooms_api.api import ROOM, ROOMS, Api
from tests.unit.rooms_api.fakes import MemoryMembers, MemoryRooms, MemoryStore, RecordingBus


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the room list fail."""

    async def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(MemoryRooms, "of_user", fail)


@pytest.mark.parametrize(
    "path",
    [
        "/api/chat",
        "/api/chat/",
        "/api/chat/nope",
        f"{ROOMS}/",
        f"{ROOMS}//messages",
        f"{ROOMS}/1/messages/2",
        f"{ROOMS}/a/b/c/d/e",
    ],
)
async def test_an_unknown_route_is_a_problem_even_without_a_token(api: Api, path: str) -> None:
    assert (await api.ask("GET", path, user=None)).outcome == (404, "unknown_route")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", ROOMS, "GET, HEAD, POST"),
        ("POST", f"{ROOMS}/1", "GET, HEAD"),
        ("PATCH", f"{ROOMS}/1/messages", "GET, HEAD, POST"),
        ("PUT", f"{ROOMS}/1/members", "GET, HEAD, POST"),
        ("GET", f"{ROOMS}/1/members/bob", "DELETE, PUT"),
        ("GET", f"{ROOMS}/1/read", "PUT"),
        ("OPTIONS", ROOMS, "GET, HEAD, POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    api: Api, method: str, path: str, allow: str
) -> None:
    answer = await api.ask(method, path)
    assert answer.outcome == (405, "method_not_allowed")
    assert answer.headers["allow"] == allow


async def test_a_head_request_gets_the_headers_only(api: Api) -> None:
    answer = await api.ask("HEAD", ROOMS)
    assert (answer.status, answer.json) == (200, None)


async def test_an_unexpected_error_is_logged_and_its_text_kept_from_the_client(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, ValueError("secret detail"))
    with capture_logs() as logs:
        answer = await api.ask("GET", ROOMS)
    assert answer.outcome == (500, "internal_error")
    assert "secret" not in str(answer.json)
    assert [(one["event"], one["route"], one["exc_info"]) for one in logs] == [
        ("request_failed", "GET /api/chat/rooms", True)
    ]


async def test_a_store_that_is_away_is_retryable(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, StoreUnavailable(retry_after_ms=2500))
    answer = await api.ask("GET", ROOMS)
    assert answer.outcome == (503, "store_unavailable")
    assert (answer.json["retryAfterMs"], answer.headers["retry-after"]) == (2500, "3")


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (web.HTTPRequestHeaderFieldsTooLarge(), (400, "bad_request")),
        (web.HTTPServiceUnavailable(), (500, "internal_error")),
    ],
)
async def test_other_refusals_of_aiohttp_are_problems_too(
    api: Api, monkeypatch: pytest.MonkeyPatch, refusal: BaseException, outcome: tuple[int, str]
) -> None:
    fail_with(monkeypatch, refusal)
    assert (await api.ask("GET", ROOMS)).outcome == outcome


async def test_a_request_that_takes_too_long_is_answered(
    store: MemoryStore,
    bus: RecordingBus,
    verifier: TokenVerifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hang(*args: object, **options: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(MemoryMembers, "role", hang)
    app = web.Application()
    setup(app, store=store, bus=bus, verifier=verifier, time_limit=0.01)
    client: TestClient[Any, Any] = TestClient(TestServer(app))
    async with client:
        with capture_logs() as logs:
            answer = await Api(client, store, bus).ask("GET", f"{ROOMS}/{ROOM}/messages")
    assert answer.outcome == (504, "not_confirmed")
    assert [one["event"] for one in logs] == ["request_timed_out"]


async def test_no_log_line_has_the_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ValueError("x"))
    with capture_logs() as logs:
        await api.ask("GET", ROOMS)
    assert logs
    assert "eyJ" not in repr(logs)
