"""Bodies that are too long, too slow, cut off, not JSON, or of the wrong shape."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from allibe_rooms_api import reading
from tests.unit.rooms_api.api import ROOM, ROOMS, Answer, Api

JSON = {"Content-Type": "application/json"}


async def create(api: Api, body: object, headers: dict[str, str] = JSON) -> Answer:
    return await api.ask("POST", ROOMS, data=body, headers=headers)


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON; charset=UTF8",
        "application/merge-patch+json",
    ],
)
async def test_json_is_taken_under_its_names(api: Api, media: str) -> None:
    assert (await create(api, b'{"name":"x"}', {"Content-Type": media})).status == 201


@pytest.mark.parametrize(
    "media",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json+json",
        "application/json; charset=euc-kr",
        "nonsense",
        "",
    ],
)
async def test_a_body_that_is_not_said_to_be_json_is_415(api: Api, media: str) -> None:
    answer = await create(api, b'{"name":"x"}', {"Content-Type": media})
    assert answer.outcome == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "The body is not JSON"),
        (b"{", "The body is not JSON: Input"),
        (b'{"name":"x"} x', "(byte 14)"),
        (b'\xef\xbb\xbf{"name":"x"}', "(byte 0)"),
        (b'{"name":NaN}', "The body is not JSON"),
        (b'{"name":"\xff"}', "The body is not UTF-8."),
        (b'{"name":"\xed\xa0\x80"}', "The body is not UTF-8."),
        (b'{"name":"\\ud800 and more text"}', "surrogate"),
        (b'{"name":"x","deep":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested too deeply"),
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b"{}", "missing required field `name`"),
        (b'{"name":1}', "Expected `str`, got `int` - at `$.name`"),
        (b'{"name":null}', "at `$.name`"),
        (b'{"name":"x","members":["a",2]}', "at `$.members[1]`"),
        (b'{"name":"x","members":{"a":1}}', "at `$.members`"),
        (b'{"name":"x","roomId":7}', "at `$.roomId`"),
    ],
)
async def test_a_malformed_body_is_told_what_is_wrong_and_where(
    api: Api, body: bytes, detail: str
) -> None:
    answer = await create(api, body)
    assert answer.outcome == (400, "bad_request")
    assert detail in answer.json["detail"]
    assert api.store.all == {}


async def test_unknown_fields_are_ignored(api: Api) -> None:
    assert (await create(api, b'{"name":"x","colour":{"r":1},"type":"room"}')).status == 201


async def test_a_body_of_exactly_64_kib_is_taken(api: Api) -> None:
    body = b'{"name":"x"}'.ljust(64 * 1024)
    assert (await create(api, body)).status == 201
    assert (await create(api, body + b" ")).outcome == (413, "body_too_large")


async def test_a_body_that_does_not_say_its_length_is_measured_too(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b" " * 1024

    assert (await create(api, chunks())).outcome == (413, "body_too_large")


async def test_a_compressed_body_is_measured_unpacked(api: Api) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    small, bomb = gzip.compress(b'{"name":"x"}'), gzip.compress(b" " * 10_000_000)
    assert (await create(api, small, headers)).status == 201
    assert (await create(api, bomb, headers)).outcome == (413, "body_too_large")


async def test_a_body_that_is_not_what_its_encoding_says_is_refused(api: Api) -> None:
    answer = await create(api, b"not gzip at all", JSON | {"Content-Encoding": "gzip"})
    assert answer.outcome == (400, "bad_request")


async def test_a_body_that_never_ends_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = asyncio.Event()

    async def stalls() -> AsyncIterator[bytes]:
        yield b'{"name":'
        await answered.wait()

    monkeypatch.setattr(reading, "BODY_SECONDS", 0.01)
    answer = await create(api, stalls())
    answered.set()
    assert answer.outcome == (408, "body_timeout")


@pytest.mark.parametrize(
    "room_id", ["a.b", "a%20b", "x" * 65, "%C3%A9", "1%0A", "%00", "*", "a%2Fb"]
)
async def test_a_room_id_outside_its_pattern_is_told_so_everywhere(api: Api, room_id: str) -> None:
    for method, rest, body in (
        ("GET", "", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"content": "x"}),
        ("GET", "/members", None),
        ("POST", "/members", {"user": "x"}),
        ("PUT", "/members/bob", {"role": "member"}),
        ("DELETE", "/members/bob", None),
        ("PUT", "/read", {"offset": 1}),
    ):
        path = str(URL(f"{ROOMS}/{room_id}{rest}", encoded=True))
        answer = await api.ask(method, path, json=body)
        assert answer.outcome == (400, "invalid_room_id"), (method, rest)


@pytest.mark.parametrize("query", ["limit=5&limit=x", "other=1", ""])
async def test_the_first_of_repeated_parameters_counts_and_unknown_ones_do_not(
    api: Api, query: str
) -> None:
    await api.room()
    assert (await api.ask("GET", f"{ROOMS}/{ROOM}/messages?{query}")).status == 200
