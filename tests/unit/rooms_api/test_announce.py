"""A change that cannot be announced is a change all the same."""

import asyncio

import pytest
from structlog.testing import capture_logs

from allibe_rooms_api import announce
from allibe_services.contracts.errors import BusUnavailable
from allibe_services.contracts.rooms import Role
from tests.unit.rooms_api.api import ROOMS, Api

CHANGES = [
    ("POST", ROOMS, {"name": "x"}, 201, ["RoomJoined"]),
    ("POST", f"{ROOMS}/1/members", {"user": "eve"}, 201, ["MemberAdded", "RoomJoined"]),
    ("PUT", f"{ROOMS}/1/members/bob", {"role": "admin"}, 200, ["MemberAdded", "RoomJoined"]),
    ("DELETE", f"{ROOMS}/1/members/bob", None, 204, ["MemberRemoved", "RoomLeft"]),
    ("PUT", f"{ROOMS}/1/read", {"offset": 1}, 200, ["MemberRead", "RoomChanged"]),
]


@pytest.mark.parametrize("error", [BusUnavailable(), ValueError("a fault")])
@pytest.mark.parametrize(("method", "path", "body", "status", "events"), CHANGES)
async def test_a_failing_publish_is_logged_and_the_request_succeeds(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    method: str,
    path: str,
    body: object,
    status: int,
    events: list[str],
) -> None:
    async def fail(events: object) -> None:
        raise error

    await room_with_a_message(api)
    monkeypatch.setattr(api.bus, "publish", fail)
    with capture_logs() as logs:
        answer = await api.ask(method, path, json=body)
    assert answer.status == status
    assert [(one["event"], one["events"]) for one in logs] == [("events_not_published", events)]


async def test_a_bus_that_does_not_answer_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(events: object) -> None:
        await asyncio.Event().wait()

    await room_with_a_message(api)
    monkeypatch.setattr(api.bus, "publish", hang)
    monkeypatch.setattr(announce, "PUBLISH_SECONDS", 0.01)
    with capture_logs() as logs:
        answer = await api.ask("DELETE", f"{ROOMS}/1/members/bob")
    assert answer.status == 204
    assert [one["event"] for one in logs] == ["events_not_published"]


@pytest.mark.parametrize(("method", "path", "body", "status", "events"), CHANGES)
async def test_the_change_is_stored_before_it_is_announced(
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: object,
    status: int,
    events: list[str],
) -> None:
    """Whoever reads because of the event must see the change."""
    await room_with_a_message(api)
    before = state(api)
    at_publish = []

    async def look(events: object) -> None:
        at_publish.append(state(api))

    monkeypatch.setattr(api.bus, "publish", look)
    assert (await api.ask(method, path, json=body)).status == status
    assert at_publish == [state(api)] != [before]


async def room_with_a_message(api: Api) -> None:
    await api.room(bob=Role.MEMBER)
    await api.say("x")


def state(api: Api) -> object:
    return {room_id: dict(room.members) for room_id, room in api.store.all.items()}
