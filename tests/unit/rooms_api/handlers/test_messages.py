"""History pages, and posting over HTTP."""

import asyncio
from typing import Any

import pytest

from allibe_rooms_api import paging
from allibe_rooms_api.paging import PAGE_BYTES
from allibe_services.contracts.commands import PostMessage, Stored
from allibe_services.contracts.errors import (
    AllibeError,
    BusUnavailable,
    CommandRejected,
    NotConfirmed,
    Overloaded,
)
from allibe_services.contracts.ids import RoomId
from allibe_services.contracts.rooms import Head, Role
from tests.unit.rooms_api.api import ROOM, ROOMS, SYSTEM, Api
from tests.unit.rooms_api.fakes import EPOCH, START

MESSAGES = f"{ROOMS}/{ROOM}/messages"


async def page(api: Api, query: str = "") -> tuple[list[int], int | None, int | None]:
    """Return offsets, nextBefore and nextAfter of a page."""
    body = (await api.ask("GET", f"{MESSAGES}?{query}")).json
    offsets = [message["offset"] for message in body["messages"]]
    return offsets, body.get("nextBefore"), body.get("nextAfter")


async def room_with(api: Api, messages: int) -> None:
    await api.room(bob=Role.MEMBER)
    for number in range(messages):
        await api.say(f"m{number + 1}", at=number)


async def test_a_history_page_has_exactly_these_fields(api: Api) -> None:
    await room_with(api, 2)
    body = (await api.ask("GET", f"{MESSAGES}?limit=1")).json
    (message,) = body.pop("messages")
    assert body == {"epoch": EPOCH, "lastOffset": 2, "nextBefore": 2}
    assert message.pop("messageId")
    assert message == {
        "type": "message",
        "roomId": "1",
        "epoch": EPOCH,
        "offset": 2,
        "sender": "alice",
        "content": "m2",
        "sentAt": "1970-01-01T00:00:00.001000Z",
    }


async def test_the_first_page_is_the_newest_and_leads_back_to_the_beginning(api: Api) -> None:
    await room_with(api, 5)
    assert await page(api, "limit=2") == ([4, 5], 4, None)
    assert await page(api, "limit=2&before=4") == ([2, 3], 2, 3)
    assert await page(api, "limit=2&before=2") == ([1], None, 1)


async def test_pages_after_an_offset_lead_to_the_end(api: Api) -> None:
    await room_with(api, 5)
    assert await page(api, "limit=2&after=0") == ([1, 2], None, 2)
    assert await page(api, "limit=2&after=2") == ([3, 4], 3, 4)
    assert await page(api, "limit=2&after=4") == ([5], 5, None)


async def test_an_empty_page_says_on_which_side_there_is_more(api: Api) -> None:
    await room_with(api, 3)
    assert await page(api, "after=3") == ([], 4, None)
    assert await page(api, "after=9") == ([], 4, None)
    assert await page(api, "before=1") == ([], None, 0)


async def test_a_room_without_messages_has_an_empty_page(api: Api) -> None:
    await room_with(api, 0)
    body = (await api.ask("GET", MESSAGES)).json
    assert body == {"messages": [], "epoch": EPOCH, "lastOffset": 0}


async def test_pages_end_where_the_log_was_pruned(api: Api) -> None:
    """Nobody is sent for what is gone, and who comes from there goes on behind it."""
    await room_with(api, 9)
    api.store.room(RoomId(ROOM)).pruned = 4
    assert await page(api, "limit=3") == ([7, 8, 9], 7, None)
    assert await page(api, "limit=3&before=7") == ([5, 6], None, 6)
    assert await page(api, "before=5") == ([], None, 4)
    assert await page(api, "before=3") == ([], None, 4)
    assert await page(api, "limit=3&after=0") == ([5, 6, 7], None, 7)
    api.store.room(RoomId(ROOM)).pruned = 9
    assert await page(api) == ([], None, None)
    assert await page(api, "after=2") == ([], None, None)


async def test_a_message_stored_while_a_page_is_read_is_announced_as_next(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the log is read after the messages, so a page never lies behind `lastOffset`."""
    await room_with(api, 1)
    before = type(api.store.log).before

    async def overtaken(*args: Any, **options: Any) -> object:
        found = await before(*args, **options)
        await api.say("m2", at=2)
        return found

    monkeypatch.setattr(type(api.store.log), "before", overtaken)
    assert await page(api) == ([1], None, 1)


async def test_a_page_has_50_messages_when_nobody_says_and_200_at_most(api: Api) -> None:
    await room_with(api, 201)
    assert len((await page(api))[0]) == 50
    assert len((await page(api, "limit=200"))[0]) == 200
    refused = await api.ask("GET", f"{MESSAGES}?limit=201")
    assert refused.outcome == (400, "bad_request")


async def bytes_of(api: Api, query: str) -> int:
    answer = await api.ask("GET", f"{MESSAGES}?{query}")
    return int(answer.headers["content-length"])


@pytest.mark.parametrize("character", ["x", "\x01"])
async def test_a_page_ends_at_a_mebibyte_and_says_where_to_go_on(api: Api, character: str) -> None:
    """An escaped character is six on the way; what is bounded is what is kept and sent (I7)."""
    await api.room()
    for number in range(200):
        await api.say(character * 8192, at=number)
    back, before, _ = await page(api, "limit=200")
    assert 1 < len(back) < 200
    assert (back, before) == (list(range(201 - len(back), 201)), back[0])
    assert (await page(api, f"limit=200&before={before}"))[0][-1] == back[0] - 1
    on, _, after = await page(api, "limit=200&after=0")
    assert (on, after) == (list(range(1, len(on) + 1)), on[-1])
    assert (await page(api, f"limit=200&after={after}"))[0][0] == on[-1] + 1
    for query in ("limit=200", "limit=200&after=0"):
        assert 0.9 * PAGE_BYTES < await bytes_of(api, query) < 1.01 * PAGE_BYTES


async def test_a_page_has_a_message_however_long_it_is(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room_with(api, 3)
    monkeypatch.setattr(paging, "PAGE_BYTES", 1)
    assert await page(api) == ([3], 3, None)
    assert await page(api, "before=3") == ([2], 2, 2)
    assert await page(api, "after=0") == ([1], None, 1)


@pytest.mark.parametrize(
    "query",
    ["before=2&after=1", "before=0", "before=-1", "after=-1", "after=x", "after=9007199254740992"],
)
async def test_history_of_nowhere_is_refused(api: Api, query: str) -> None:
    await room_with(api, 1)
    assert (await api.ask("GET", f"{MESSAGES}?{query}")).outcome == (400, "bad_request")


async def test_history_is_for_members_and_the_system(api: Api) -> None:
    await room_with(api, 1)
    assert (await api.ask("GET", MESSAGES, user="eve")).outcome == (403, "not_a_member")
    assert (await api.ask("GET", MESSAGES, user="bob")).status == 200
    assert (await api.ask("GET", MESSAGES, user="backend", scopes=SYSTEM)).status == 200


@pytest.mark.parametrize("scopes", [(), SYSTEM])
async def test_history_of_an_unknown_room_is_404(api: Api, scopes: tuple[str, ...]) -> None:
    answer = await api.ask("GET", f"{ROOMS}/nope/messages", scopes=scopes)
    assert answer.outcome == (404, "unknown_room")


async def test_a_room_that_goes_away_while_it_is_read_is_404(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room_with(api, 1)

    async def nothing(self: object, room_ids: object) -> dict[RoomId, Head]:
        return {}

    monkeypatch.setattr(type(api.store.log), "heads", nothing)
    assert (await api.ask("GET", MESSAGES)).outcome == (404, "unknown_room")


async def test_a_posted_message_comes_back_as_it_is_stored(api: Api) -> None:
    await room_with(api, 1)
    body = {"content": "안녕 👋", "clientMessageId": "c-1"}
    answer = await api.ask("POST", MESSAGES, json=body, user="bob", name="Bob")
    assert answer.status == 201
    assert answer.json == {
        "type": "message",
        "roomId": "1",
        "epoch": EPOCH,
        "offset": 2,
        "messageId": api.bus.posted[0].message_id,
        "sender": "bob",
        "content": "안녕 👋",
        "sentAt": "2025-02-19T21:20:00Z",
        "senderName": "Bob",
        "clientMessageId": "c-1",
    }
    assert api.bus.posted[0].sent_at == START


async def test_a_repeated_post_gives_the_stored_message_back_with_200(api: Api) -> None:
    await room_with(api, 0)
    body = {"content": "once", "clientMessageId": "c-1"}
    first = await api.ask("POST", MESSAGES, json=body)
    again = await api.ask("POST", MESSAGES, json=body | {"content": "twice"})
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json


async def test_a_post_that_is_durable_but_not_stored_yet_is_accepted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room_with(api, 0)
    posted = outcome_of_post(api, monkeypatch, None)
    answer = await api.ask("POST", MESSAGES, json={"content": "x", "clientMessageId": "c"})
    assert answer.status == 202
    expected = {"messageId": posted[0].message_id, "roomId": "1", "clientMessageId": "c"}
    assert answer.json == expected


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotConfirmed(), (504, "not_confirmed")),
        (BusUnavailable(), (503, "bus_unavailable")),
        (Overloaded(retry_after_ms=2500), (503, "overloaded")),
        (CommandRejected("no"), (422, "rejected")),
    ],
)
async def test_a_post_that_the_bus_does_not_take_is_told_so(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: AllibeError, outcome: tuple[int, str]
) -> None:
    await room_with(api, 0)
    outcome_of_post(api, monkeypatch, error)
    assert (await api.ask("POST", MESSAGES, json={"content": "x"})).outcome == outcome


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        ("", (400, "invalid_content")),
        (" \n\t\u3000", (400, "invalid_content")),
        ("a\0b", (400, "invalid_content")),
        ("x" * 8193, (413, "content_too_long")),
        ("가" * 2731, (413, "content_too_long")),
    ],
)
async def test_content_that_no_log_takes_is_refused_before_the_bus(
    api: Api, content: str, outcome: tuple[int, str]
) -> None:
    await room_with(api, 0)
    assert (await api.ask("POST", MESSAGES, json={"content": content})).outcome == outcome
    assert api.bus.posted == []


async def test_the_longest_content_fits_even_when_all_of_it_is_escaped(api: Api) -> None:
    await room_with(api, 0)
    body = b'{"content":"' + b"\\u0041" * 8192 + b'"}'
    headers = {"Content-Type": "application/json"}
    answer = await api.ask("POST", MESSAGES, data=body, headers=headers)
    assert (answer.status, answer.json["content"]) == (201, "A" * 8192)


@pytest.mark.parametrize("client_id", ["", "a b", "x" * 65, "é", "a\n"])
async def test_a_client_message_id_outside_its_pattern_is_refused(api: Api, client_id: str) -> None:
    await room_with(api, 0)
    body = {"content": "x", "clientMessageId": client_id}
    assert (await api.ask("POST", MESSAGES, json=body)).outcome == (400, "bad_request")


async def test_only_members_post(api: Api) -> None:
    await room_with(api, 0)
    body = {"content": "x"}
    assert (await api.ask("POST", MESSAGES, json=body, user="eve")).outcome == (403, "not_a_member")
    unknown = await api.ask("POST", f"{ROOMS}/nope/messages", json=body)
    assert unknown.outcome == (404, "unknown_room")
    assert api.bus.posted == []


async def test_nobody_posts_in_anothers_name(api: Api) -> None:
    await room_with(api, 0)
    answer = await api.ask("POST", MESSAGES, json={"content": "x", "sender": "bob"})
    assert answer.outcome == (403, "sender_mismatch")
    assert (await api.ask("POST", MESSAGES, json={"content": "x", "sender": "alice"})).status == 201


async def test_the_system_posts_in_any_room_and_in_anybodys_name(api: Api) -> None:
    await room_with(api, 0)
    body = {"content": "x", "sender": "bob"}
    options: dict[str, Any] = {"user": "backend", "name": "Backend", "scopes": SYSTEM}
    as_bob = (await api.ask("POST", MESSAGES, json=body, **options)).json
    as_itself = (await api.ask("POST", MESSAGES, json={"content": "y"}, **options)).json
    assert (as_bob["sender"], as_bob.get("senderName")) == ("bob", None)
    assert (as_itself["sender"], as_itself["senderName"]) == ("backend", "Backend")


async def test_the_system_gets_404_and_400_like_everybody(api: Api) -> None:
    await room_with(api, 0)
    options: dict[str, Any] = {"user": "backend", "scopes": SYSTEM}
    unknown = await api.ask("POST", f"{ROOMS}/nope/messages", json={"content": "x"}, **options)
    assert unknown.outcome == (404, "unknown_room")
    nobody = await api.ask("POST", MESSAGES, json={"content": "x", "sender": "a b"}, **options)
    assert nobody.outcome == (400, "bad_request")


def outcome_of_post(
    api: Api, monkeypatch: pytest.MonkeyPatch, outcome: AllibeError | None
) -> list[PostMessage]:
    """Let the bus answer every post with this; return where the commands are kept."""
    posted: list[PostMessage] = []

    def post(command: PostMessage) -> "asyncio.Future[Stored | None]":
        posted.append(command)
        future: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        if outcome is None:
            future.set_result(None)
        else:
            future.set_exception(outcome)
        return future

    monkeypatch.setattr(api.bus, "post", post)
    return posted
