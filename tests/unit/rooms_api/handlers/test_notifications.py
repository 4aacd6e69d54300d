"""`handlers.notifications`: quiet hours and muted rooms."""

from datetime import timedelta
from typing import Any

import pytest

from allibe_services.contracts.events import RoomMuted
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.notifications import QuietHours
from allibe_services.contracts.rooms import Role
from tests.unit.rooms_api.api import ROOM, ROOMS, SYSTEM, Answer, Api
from tests.unit.rooms_api.fakes import START

SETTINGS = "/api/chat/notification-settings"
MUTE = f"{ROOMS}/{ROOM}/mute"
ALICE = UserId("alice")
NIGHT = {"from": "22:00", "to": "07:05", "timeZone": "Asia/Seoul"}


async def wish(api: Api, quiet_hours: object) -> Answer:
    return await api.ask("PUT", SETTINGS, json={"quietHours": quiet_hours})


async def test_quiet_hours_are_shown_as_they_were_put(api: Api) -> None:
    assert (await api.ask("GET", SETTINGS)).json == {"quietHours": None}
    answer = await wish(api, NIGHT)
    assert (answer.status, answer.json) == (200, {"quietHours": NIGHT})
    assert api.store.notifications.quiet == {ALICE: QuietHours(22 * 60, 7 * 60 + 5, "Asia/Seoul")}
    assert (await api.ask("GET", SETTINGS)).json == {"quietHours": NIGHT}
    assert (await api.ask("GET", SETTINGS, user="bob")).json == {"quietHours": None}
    assert (await wish(api, None)).json == {"quietHours": None}
    assert (await api.ask("GET", SETTINGS)).json == {"quietHours": None}


@pytest.mark.parametrize(
    "changes",
    [
        {"from": "24:00"},
        {"from": "7:00"},
        {"from": "07:60"},
        {"from": "07:00:00"},
        {"from": "07:00\n"},
        {"from": "\u0660\u0667:\u0660\u0660"},
        {"from": 420},
        {"to": "22:00"},
        {"to": None},
        {"timeZone": ""},
        {"timeZone": "Asia/Atlantis"},
        {"timeZone": "../../etc/passwd"},
        {"timeZone": "/etc/localtime"},
        {"timeZone": "Asia"},
        {"timeZone": "Asia/\0Seoul"},
        {"timeZone": "x" * 65},
        {"timeZone": None},
    ],
    ids=str,
)
async def test_hours_that_cannot_be_are_refused(api: Api, changes: dict[str, Any]) -> None:
    assert (await wish(api, NIGHT | changes)).outcome == (400, "bad_request")
    assert api.store.notifications.quiet == {}


@pytest.mark.parametrize("missing", ["from", "to", "timeZone"])
async def test_all_three_are_needed(api: Api, missing: str) -> None:
    part = {name: value for name, value in NIGHT.items() if name != missing}
    assert (await wish(api, part)).outcome == (400, "bad_request")
    assert (await api.ask("PUT", SETTINGS, json={})).outcome == (400, "bad_request")


async def test_a_room_is_muted_until_a_time_or_for_good_and_unmuted(api: Api) -> None:
    await api.room(bob=Role.MEMBER)
    until = START + timedelta(hours=1)
    muted = api.store.notifications.muted
    for body, expected in (({"until": until.isoformat()}, until), ({}, None)):
        assert (await api.ask("PUT", MUTE, json=body)).status == 204
        assert muted == {(ROOM, ALICE): expected}
    for _ in range(2):
        assert (await api.ask("DELETE", MUTE)).status == 204
        assert muted == {}
    assert (await api.ask("PUT", MUTE, json={"until": None})).status == 204
    assert muted == {(ROOM, ALICE): None}


async def test_the_users_other_devices_hear_of_it(api: Api) -> None:
    await api.room(bob=Role.MEMBER)
    until = START + timedelta(hours=1)
    await api.ask("PUT", MUTE, json={"until": until.isoformat()})
    await api.ask("DELETE", MUTE)
    await api.ask("PUT", MUTE, user="eve", json={})
    assert [one for one in api.bus.events if isinstance(one, RoomMuted)] == [
        RoomMuted(ALICE, ROOM, muted=True, muted_until=until),
        RoomMuted(ALICE, ROOM, muted=False),
    ]


@pytest.mark.parametrize(
    "until",
    [
        START.isoformat(),
        "2099-01-01T00:00:00",
        "tomorrow",
        4_000_000_000,
        "",
        "2099-13-01T00:00Z",
        # In UTC that is the year 10000, which nobody could show: neither the room nor the list.
        "9999-12-31T23:59:59-14:00",
    ],
)
async def test_a_time_that_cannot_be_is_refused(api: Api, until: object) -> None:
    await api.room()
    assert (await api.ask("PUT", MUTE, json={"until": until})).outcome == (400, "bad_request")
    assert api.store.notifications.muted == {}


async def test_a_field_that_nobody_knows_does_not_mute_for_good(api: Api) -> None:
    """GET says `mutedUntil`, PUT takes `until`."""
    await api.room()
    answer = await api.ask("PUT", MUTE, json={"mutedUntil": START.isoformat()})
    assert answer.outcome == (400, "bad_request")
    assert api.store.notifications.muted == {}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_only_members_mute(api: Api, method: str) -> None:
    await api.room()
    for options in ({"user": "eve"}, {"user": "backend", "scopes": SYSTEM}):
        answer = await api.ask(method, MUTE, json={}, **options)
        assert answer.outcome == (403, "not_a_member")
    unknown = await api.ask(method, f"{ROOMS}/nope/mute", json={})
    assert unknown.outcome == (404, "unknown_room")
    assert (await api.ask(method, f"{ROOMS}/a.b/mute", json={})).outcome[1] == "invalid_room_id"


async def test_a_room_says_that_it_is_muted_and_only_then(api: Api) -> None:
    await api.room(bob=Role.MEMBER)
    until = START + timedelta(hours=1)
    for body, said in (
        ({"until": until.isoformat()}, {"muted": True, "mutedUntil": "2025-02-19T22:20:00Z"}),
        ({}, {"muted": True}),
    ):
        await api.ask("PUT", MUTE, json=body)
        for room in ((await api.ask("GET", ROOMS)).json[0], await shown(api, "alice")):
            assert {name: room[name] for name in room if name.startswith("muted")} == said
    assert not {"muted", "mutedUntil"} & (await shown(api, "bob")).keys()


async def shown(api: Api, user: str) -> dict[str, Any]:
    room: dict[str, Any] = (await api.ask("GET", f"{ROOMS}/{ROOM}", user=user)).json
    return room
