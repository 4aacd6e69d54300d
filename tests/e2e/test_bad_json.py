"""Bad input to the JSON door of a real process: told, and nobody harmed.

A refused request is an `error` and the connection lives; a room that cannot be opened is told and
closed. Somebody else is connected meanwhile, and must not notice (`room`).
"""

import json

import pytest

from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from tests.support.clients import Clients
from tests.support.server import Server
from tests.support.stomp_client import raw

NOT_ALLOWED, REFUSED = disconnects.NOT_ALLOWED, disconnects.REFUSED

ROOM = "{room}"
"""Stands for the id of the test's room, of which alice is a member and carol is not."""

REQUESTS = (
    ("no JSON", "hello", "bad_request"),
    ("nothing", "", "bad_request"),
    ("a list", "[]", "bad_request"),
    ("no type", '{"content":"hello"}', "bad_request"),
    ("an unknown type", '{"type":"shout","content":"hello"}', "bad_request"),
    ("a number as type", '{"type":1}', "bad_request"),
    ("no content", '{"type":"message","roomId":"{room}"}', "bad_request"),
    ("a number as content", '{"type":"message","content":1}', "bad_request"),
    ("a number as roomId", '{"type":"message","roomId":1,"content":"x"}', "bad_request"),
    ("another room", '{"type":"message","roomId":"1","content":"x"}', "bad_request"),
    ("empty content", '{"type":"message","content":""}', "invalid_content"),
    ("a NUL in the content", r'{"type":"message","content":"a\u0000"}', "invalid_content"),
    ("8,193 bytes", json.dumps({"type": "message", "content": "x" * 8193}), "content_too_long"),
    ("another's name", '{"type":"message","content":"x","sender":"bob"}', "sender_mismatch"),
    ("leaving for another", '{"type":"leave","user":"bob"}', "sender_mismatch"),
    ("a bad clientMessageId", '{"type":"message","content":"x","clientMessageId":""}',
     "bad_request"),
    ("a negative offset", '{"type":"read","offset":-1}', "bad_request"),
    ("a token that is none", '{"type":"refresh","token":"abc"}', "token_invalid"),
    ("a STOMP frame", raw("CONNECT", "accept-version:1.2"), "bad_request"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "code"),
    [case[1:] for case in REQUESTS],
    ids=[case[0] for case in REQUESTS],
)
async def test_a_refused_request_is_told_and_the_connection_lives(
    server: Server, clients: Clients, room: str, sent: str, code: str
) -> None:
    """DESIGN §4: `error` with code, message and whether to try again."""
    client = await clients.json(server, "alice", room)
    await client.send_text(sent.replace(ROOM, room))
    error = await client.of_type("error")
    assert (error["code"], error["retryable"]) == (code, False)
    assert error["message"]
    assert (await client.post("and on"))["offset"] == 1


async def test_bad_utf_8_in_a_binary_message_is_told_and_the_connection_lives(
    server: Server, clients: Clients, room: str
) -> None:
    """The bytes of a content that is no text are never stored. (Text: test_websocket_protocol.)"""
    client = await clients.json(server, "alice", room)
    await client.send_bytes(b'{"type":"message","content":"\xff\xfe"}')
    assert (await client.of_type("error"))["code"] == "bad_request"
    assert (await client.post("and on"))["offset"] == 1


async def test_a_refused_message_is_named_by_its_client_message_id(
    server: Server, clients: Clients, room: str
) -> None:
    """Of several messages under way a client can tell which one failed."""
    client = await clients.json(server, "alice", room)
    await client.send(type="message", content=" ", clientMessageId="m-1")
    error = await client.of_type("error")
    assert (error["code"], error["clientMessageId"]) == ("invalid_content", "m-1")


@pytest.mark.parametrize(
    ("query", "code", "close"),
    [
        ({"roomId": "nowhere"}, "unknown_room", REFUSED),
        ({"roomId": "a b"}, "invalid_room_id", REFUSED),
        ({"roomId": "*"}, "invalid_room_id", REFUSED),
        ({"roomId": ""}, "invalid_room_id", REFUSED),
        ({}, "invalid_room_id", REFUSED),
        ({"roomId": ROOM, "since": "12"}, "bad_request", REFUSED),
    ],
    ids=["unknown", "outside the pattern", "a wildcard", "empty", "missing", "bad since"],
)
async def test_a_room_that_cannot_be_opened_is_told_and_closed(
    server: Server,
    clients: Clients,
    room: str,
    query: dict[str, str],
    code: str,
    close: Disconnect,
) -> None:
    """One connection, one room: without the room it has no purpose."""
    told = {name: value.replace(ROOM, room) for name, value in query.items()}
    client = await clients.json_socket(server, told | {"token": server.token("alice")})
    assert (await client.of_type("error"))["code"] == code
    assert await client.closed() == close.code


async def test_who_is_not_a_member_is_told_and_closed(
    server: Server, clients: Clients, room: str
) -> None:
    """I6, at this door."""
    client = await clients.json_socket(server, {"roomId": room, "token": server.token("carol")})
    assert (await client.of_type("error"))["code"] == "not_a_member"
    assert await client.closed() == NOT_ALLOWED.code
