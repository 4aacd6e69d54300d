"""What is done with a token that may do everything leaves a line in the log."""

import time
from unittest.mock import Mock

import jwt
import pytest
from structlog.testing import capture_logs

from tests.unit.rooms_api.api import ROOMS, SECRET, SYSTEM, Api
from tests.unit.rooms_api.fakes import MemoryRooms


async def told(
    api: Api, method: str, path: str, *, scopes: frozenset[str] = SYSTEM, body: object = None
) -> list[dict[str, object]]:
    """Ask as a back end; return what the log says of it, but for its level."""
    with capture_logs() as lines:
        await api.ask(method, path, user="shop", scopes=scopes, json=body)
    return [
        {name: value for name, value in line.items() if name != "log_level"}
        for line in lines
        if line["event"] == "system_called"
    ]


async def test_who_did_what_to_whom_is_told_and_what_was_sent_is_not(api: Api) -> None:
    await api.room()
    body = {"content": "a secret plan", "sender": "bob"}
    lines = await told(api, "POST", f"{ROOMS}/1/messages", body=body)
    route = "POST /api/chat/rooms/{roomId}/messages"
    assert lines == [
        {"event": "system_called", "route": route, "outcome": "201", "room": "1"},
    ]
    assert "secret plan" not in str(lines)


async def test_reading_and_refusals_are_told_too(api: Api) -> None:
    await api.room()
    assert [one["outcome"] for one in await told(api, "GET", f"{ROOMS}/1")] == ["200"]
    [refused] = await told(api, "DELETE", f"{ROOMS}/nowhere/members/carol")
    assert refused["outcome"] == "unknown_room"
    assert (refused["room"], refused["of_user"]) == ("nowhere", "carol")


async def test_a_fault_of_ours_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryRooms, "get", Mock(side_effect=LookupError))
    [line] = await told(api, "GET", f"{ROOMS}/1")
    assert line["outcome"] == "failed"


async def test_a_long_address_makes_no_long_line(api: Api) -> None:
    [line] = await told(api, "GET", f"{ROOMS}/{'x' * 2000}")
    assert line["room"] == "x" * 128


async def test_of_users_nothing_is_told(api: Api) -> None:
    await api.room()
    assert await told(api, "GET", f"{ROOMS}/1", scopes=frozenset()) == []


async def test_the_tokens_id_is_told(api: Api) -> None:
    claims = {"sub": "shop", "exp": time.time() + 60, "scope": "chat:admin", "jti": "t-1"}
    token = jwt.encode(claims, SECRET)
    with capture_logs() as lines:
        await api.ask("GET", ROOMS, user=None, headers={"Authorization": f"Bearer {token}"})
    [line] = [line for line in lines if line["event"] == "system_called"]
    assert line["token"] == "t-1"
    assert token not in str(lines)
