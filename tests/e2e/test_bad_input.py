"""Bad input over STOMP to a real process: a clear error, a clean close, nobody harmed.

Every error is an ERROR frame with its code in `x-code`, then the close; with soft errors a refused
request is a MESSAGE and the connection lives. Somebody else is connected meanwhile, and must not
notice (`room`).
"""

import json
from dataclasses import dataclass

import pytest

from allibe_gateway.stomp import Frame
from allibe_services.contracts import disconnects
from allibe_services.contracts.disconnects import Disconnect
from tests.support.clients import Clients
from tests.support.server import Server
from tests.support.stomp_client import StompClient, raw

PROTOCOL_ERROR, REFUSED = disconnects.PROTOCOL_ERROR, disconnects.REFUSED
NOT_ALLOWED, TOO_BIG = disconnects.NOT_ALLOWED, disconnects.MESSAGE_TOO_BIG

ROOM = "{room}"
"""Stands for the id of the test's room, of which alice is a member and carol is not."""


@dataclass
class Bad:
    """What a client sends, and what it must be told."""

    what: str
    sent: str | bytes
    code: str
    close: Disconnect = PROTOCOL_ERROR
    text: bool = True
    """Whether bytes go out as a text message."""

    def __str__(self) -> str:
        return self.what


async def _send(client: StompClient, bad: Bad, room: str) -> None:
    if isinstance(bad.sent, bytes):
        await client.send_bytes(bad.sent.replace(ROOM.encode(), room.encode()), text=bad.text)
    else:
        await client.send_text(bad.sent.replace(ROOM, room))


async def _assert_told_and_closed(client: StompClient, bad: Bad) -> Frame:
    """The ERROR is the last frame, and reads like a sentence for people."""
    error = await client.error()
    assert error.headers["x-code"] == bad.code
    assert error.headers["message"].strip()
    assert b"Traceback" not in error.body
    assert await client.closed() == bad.close.code
    assert not client.waiting
    return error


FIRST_FRAMES = [
    Bad("a frame before CONNECT", raw("SEND", "destination:/app/message", body="{}"),
        "not_connected"),
    Bad("no STOMP at all", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "unknown_command"),
    Bad("JSON at the STOMP door", '{"type":"message"}\n\0', "unknown_command"),
    Bad("an unknown command", raw("HELLO"), "unknown_command"),
    Bad("a command in small letters", raw("connect", "accept-version:1.2"), "unknown_command"),
    Bad("a command with a blank", raw("CONNECT ", "accept-version:1.2"), "unknown_command"),
    Bad("a server's command", raw("CONNECTED", "version:1.2"), "unknown_command"),
    Bad("a NUL in the command", "CON\0NECT\naccept-version:1.2\n\n\0", "malformed_frame"),
    Bad("a NUL in a header", "CONNECT\naccept-ver\0sion:1.2\n\n\0", "malformed_frame"),
    Bad("a NUL before the blank line", "CONNECT\naccept-version:1.2\n\0", "malformed_frame"),
    Bad("a header without a colon", raw("CONNECT", "accept-version"), "malformed_frame"),
    Bad("a header without a name", raw("CONNECT", ":1.2"), "malformed_frame"),
    Bad("versions that are none of ours", raw("CONNECT", "accept-version:2.0,3.0"),
        "unsupported_version"),
    Bad("an empty list of versions", raw("CONNECT", "accept-version:"), "unsupported_version"),
    Bad("a heart-beat of one number", raw("CONNECT", "accept-version:1.2", "heart-beat:1000"),
        "invalid_header"),
    Bad("a negative heart-beat", raw("CONNECT", "accept-version:1.2", "heart-beat:-1,0"),
        "invalid_header"),
    Bad("CONNECT with a body", raw("CONNECT", "accept-version:1.2", body="hello"),
        "unexpected_body"),
    Bad("bad UTF-8 in a binary message", b"CONNECT\nhost:\xc3\n\n\0", "invalid_utf8", text=False),
]  # fmt: skip


@pytest.mark.parametrize("bad", FIRST_FRAMES, ids=str)
async def test_a_first_frame_that_is_no_connect_is_told_and_closed(
    server: Server, clients: Clients, room: str, bad: Bad
) -> None:
    """STOMP 1.2, "Connecting": nothing goes on before a CONNECT that can be understood."""
    client = await clients.web_socket(server)
    await _send(client, bad, room)
    await _assert_told_and_closed(client, bad)


FRAMES = [
    Bad("CONNECT again", raw("CONNECT", "accept-version:1.2"), "already_connected"),
    Bad("STOMP after CONNECT", raw("STOMP", "accept-version:1.2"), "already_connected"),
    Bad("an unknown command", raw("PUBLISH", "destination:/app/message"), "unknown_command"),
    Bad("a server's command", raw("MESSAGE", "destination:/topic/rooms/1"), "unknown_command"),
    Bad("SEND without a destination", raw("SEND", body="{}"), "missing_header"),
    Bad("SEND to an empty destination", raw("SEND", "destination:", body="{}"), "missing_header"),
    Bad("SUBSCRIBE without an id", raw("SUBSCRIBE", "destination:/topic/rooms/1"),
        "missing_header"),
    Bad("SUBSCRIBE without a destination", raw("SUBSCRIBE", "id:0"), "missing_header"),
    Bad("an ack mode that is none", raw("SUBSCRIBE", "id:0", "destination:/a", "ack:always"),
        "invalid_header"),
    Bad("SUBSCRIBE with a body", raw("SUBSCRIBE", "id:0", "destination:/a", body="x"),
        "unexpected_body"),
    Bad("UNSUBSCRIBE without an id", raw("UNSUBSCRIBE"), "missing_header"),
    Bad("ACK without an id", raw("ACK"), "missing_header"),
    Bad("COMMIT of what was never begun", raw("COMMIT", "transaction:t"), "unknown_transaction"),
    Bad("ABORT of what was never begun", raw("ABORT", "transaction:t"), "unknown_transaction"),
    Bad("BEGIN twice", raw("BEGIN", "transaction:t") * 2, "duplicate_transaction"),
    Bad("SEND in an unknown transaction",
        raw("SEND", "destination:/app/message", "transaction:t", body="{}"),
        "unknown_transaction"),
    Bad("more transactions than allowed",
        "".join(raw("BEGIN", f"transaction:{number}") for number in range(9)),
        "too_many_transactions"),
    Bad("an undefined escape", raw("SEND", r"destination:/app\tmessage", body="{}"),
        "undefined_escape"),
    Bad("a backslash at a header's end", raw("SEND", "destination:/app\\", body="{}"),
        "undefined_escape"),
    Bad("a bare CR in a header", raw("SEND", "destination:/app\rmessage", body="{}"),
        "malformed_frame"),
    Bad("a NUL in a header", "SEND\ndesti\0nation:/app/message\n\n{}\0", "malformed_frame"),
    Bad("a content-length that is too short",
        raw("SEND", "destination:/app/message", "content-length:1", body="{}"),
        "malformed_frame"),
    Bad("a content-length that is no number",
        raw("SEND", "destination:/app/message", "content-length:two", body="{}"),
        "malformed_frame"),
    Bad("a negative content-length",
        raw("SEND", "destination:/app/message", "content-length:-1", body="{}"),
        "malformed_frame"),
    Bad("bad UTF-8 in a header", b"SEND\ndestination:/app/\xff\n\n{}\0", "invalid_utf8",
        text=False),
    Bad("a declared length over the limit",
        raw("SEND", "destination:/app/message", "content-length:70000"),
        "frame_too_large", TOO_BIG),
    Bad("an absurd length", raw("SEND", "destination:/app/message", "content-length:" + "9" * 5000),
        "frame_too_large", TOO_BIG),
    Bad("a frame over 64 KiB", raw("SEND", "destination:/app/message", body="x" * 65_536),
        "frame_too_large", TOO_BIG),
    Bad("65 headers", raw("SEND", *(f"h{number}:v" for number in range(65))), "too_many_headers"),
    Bad("a header line over 8 KiB", raw("SEND", "destination:" + "x" * 8_192), "header_too_long"),
]  # fmt: skip


@pytest.mark.parametrize("bad", FRAMES, ids=str)
async def test_a_broken_frame_is_told_and_closed(
    server: Server, clients: Clients, room: str, bad: Bad
) -> None:
    """A violation of the protocol ends the connection: what follows cannot be trusted."""
    client = await clients.stomp(server, "alice")
    await _send(client, bad, room)
    await _assert_told_and_closed(client, bad)


async def test_an_unsupported_version_is_answered_with_the_supported_ones(
    server: Server, clients: Clients
) -> None:
    """STOMP 1.2, "Protocol Negotiation": the ERROR has the header `version`."""
    client = await clients.web_socket(server)
    await client.send_text(raw("CONNECT", "accept-version:9.9"))
    error = await client.error()
    assert set(error.headers["version"].split(",")) == {"1.0", "1.1", "1.2"}


async def test_the_error_names_the_receipt_of_the_frame_that_failed(
    server: Server, clients: Clients, room: str
) -> None:
    """STOMP 1.2, "ERROR": `receipt-id` lets the client find the frame."""
    for sent in (
        raw("SEND", "receipt:r9", "destination:/nowhere", body="{}"),
        raw("SEND", "receipt:r9", r"destination:\x", body="{}"),
        raw("SUBSCRIBE", "receipt:r9", "id:1", "destination:/topic/rooms/*"),
    ):
        client = await clients.stomp(server, "alice")
        await client.send_text(sent)
        assert (await client.error()).headers["receipt-id"] == "r9"


async def test_what_came_before_a_broken_frame_is_done(
    server: Server, clients: Clients, room: str
) -> None:
    """One WebSocket message, a good SEND and a bad frame: the message is posted all the same."""
    client = await clients.stomp(server, "alice")
    body = json.dumps({"roomId": room, "content": "before the fault"})
    await client.send_text(raw("SEND", "destination:/app/message", body=body) + raw("NONSENSE"))
    assert await client.closed() == PROTOCOL_ERROR.code
    reader = await clients.json(server, "alice", room, since="")
    await reader.post("after it")
    assert await clients.api(server, "alice").contents(room) == ["before the fault", "after it"]


@pytest.mark.parametrize("door", ["/allibe-ws", "/ws/chat?roomId=1"])
@pytest.mark.parametrize("text", [True, False], ids=["text", "binary"])
async def test_a_web_socket_message_over_256_kib_is_closed_with_1009(
    server: Server, clients: Clients, room: str, door: str, text: bool
) -> None:
    """RFC 6455 §7.4.1. It is refused at its header, before the memory is taken."""
    web_socket = await clients.session.ws_connect(f"{server.url}{door}")
    client = StompClient(web_socket)
    await client.send_bytes(b"x" * (256 * 1024 + 1), text=text)
    assert await client.closed() == TOO_BIG.code


def _post(body: object, *headers: str) -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    return raw("SEND", "destination:/app/message", *headers, body=text)


def _subscribe(destination: str, *headers: str) -> str:
    return raw("SUBSCRIBE", "id:9", f"destination:{destination}", *headers)


HELLO = {"roomId": ROOM, "content": "hello"}

BODIES = [
    Bad("a body that is no JSON", _post("hello"), "bad_request", REFUSED),
    Bad("no body", _post(""), "bad_request", REFUSED),
    Bad("JSON cut off", _post('{"roomId":"1","content":'), "bad_request", REFUSED),
    Bad("JSON nested a thousandfold", _post("[" * 5000), "bad_request", REFUSED),
    Bad("a list", _post([HELLO]), "bad_request", REFUSED),
    Bad("null", _post("null"), "bad_request", REFUSED),
    Bad("no content", _post({"roomId": ROOM}), "bad_request", REFUSED),
    Bad("no roomId", _post({"content": "hello"}), "bad_request", REFUSED),
    Bad("a number as content", _post(HELLO | {"content": 1}), "bad_request", REFUSED),
    Bad("null as content", _post(HELLO | {"content": None}), "bad_request", REFUSED),
    Bad("a number as roomId", _post(HELLO | {"roomId": 1}), "bad_request", REFUSED),
    Bad("bad UTF-8 in the content",
        b'SEND\ndestination:/app/message\n\n{"roomId":"{room}","content":"\xff"}\0',
        "bad_request", REFUSED, text=False),
    Bad("a NUL inside the body, by content-length",
        _post('{"roomId":"1"\0}', "content-length:15"), "bad_request", REFUSED),
    Bad("empty content", _post(HELLO | {"content": ""}), "invalid_content", REFUSED),
    Bad("blank content", _post(HELLO | {"content": " \n\t"}), "invalid_content", REFUSED),
    Bad("a NUL in the content", _post(HELLO | {"content": "a\0b"}), "invalid_content", REFUSED),
    Bad("8,193 bytes of content", _post(HELLO | {"content": "x" * 8193}), "content_too_long",
        REFUSED),
    Bad("8,193 bytes of Korean content",
        _post(json.dumps(HELLO | {"content": "가" * 2731}, ensure_ascii=False)),
        "content_too_long", REFUSED),
    Bad("an unknown room", _post(HELLO | {"roomId": "nowhere"}), "unknown_room", REFUSED),
    Bad("a room id with a blank", _post(HELLO | {"roomId": "a b"}), "invalid_room_id", REFUSED),
    Bad("a room id with a line end", _post(HELLO | {"roomId": "1\n"}), "invalid_room_id", REFUSED),
    Bad("a room id of 65 characters", _post(HELLO | {"roomId": "a" * 65}), "invalid_room_id",
        REFUSED),
    Bad("an empty room id", _post(HELLO | {"roomId": ""}), "invalid_room_id", REFUSED),
    Bad("a room id in Korean", _post(HELLO | {"roomId": "방"}), "invalid_room_id", REFUSED),
    Bad("another's name as sender", _post(HELLO | {"sender": "bob"}), "sender_mismatch",
        NOT_ALLOWED),
    Bad("a clientMessageId with a blank", _post(HELLO | {"clientMessageId": "a b"}), "bad_request",
        REFUSED),
    Bad("a clientMessageId of 65 characters", _post(HELLO | {"clientMessageId": "a" * 65}),
        "bad_request", REFUSED),
]  # fmt: skip

DESTINATIONS = [
    Bad("SEND to a room's topic", raw("SEND", "destination:/topic/rooms/{room}", body="hello"),
        "unknown_destination", REFUSED),
    Bad("SEND to a user's queue",
        raw("SEND", "destination:/user/queue/notifications", body="{}"),
        "unknown_destination", REFUSED),
    Bad("SEND to somebody's queue", raw("SEND", "destination:/user/bob/queue/rooms", body="{}"),
        "unknown_destination", REFUSED),
    Bad("SEND to an unknown application address", raw("SEND", "destination:/app/messages"),
        "unknown_destination", REFUSED),
    Bad("SUBSCRIBE to an application address", _subscribe("/app/message"),
        "unknown_destination", REFUSED),
    Bad("SUBSCRIBE to all rooms", _subscribe("/topic/rooms/*"), "invalid_room_id", REFUSED),
    Bad("SUBSCRIBE to all rooms, AMQP style", _subscribe("/topic/rooms/#"), "invalid_room_id",
        REFUSED),
    Bad("SUBSCRIBE to all rooms, ActiveMQ style", _subscribe("/topic/rooms/>"), "invalid_room_id",
        REFUSED),
    Bad("SUBSCRIBE to rooms by a prefix", _subscribe("/topic/rooms/1*"), "invalid_room_id",
        REFUSED),
    Bad("SUBSCRIBE to every topic", _subscribe("/topic/**"), "unknown_destination", REFUSED),
    Bad("SUBSCRIBE to part of a room", _subscribe("/topic/rooms/{room}/secrets"),
        "invalid_room_id", REFUSED),
    Bad("SUBSCRIBE to no room", _subscribe("/topic/rooms/"), "invalid_room_id", REFUSED),
    Bad("SUBSCRIBE out of the rooms", _subscribe("/topic/rooms/../x"), "invalid_room_id", REFUSED),
    Bad("SUBSCRIBE to an unknown room", _subscribe("/topic/rooms/nowhere"), "unknown_room",
        REFUSED),
    Bad("SUBSCRIBE to an unknown room's activity", _subscribe("/topic/rooms/nowhere/activity"),
        "unknown_room", REFUSED),
    Bad("SUBSCRIBE to somebody's queue", _subscribe("/user/bob/queue/notifications"),
        "unknown_destination", REFUSED),
    Bad("SUBSCRIBE to a queue by its session", _subscribe("/queue/notifications-user1"),
        "unknown_destination", REFUSED),
    Bad("SUBSCRIBE to an unknown queue", _subscribe("/user/queue/secrets"), "unknown_destination",
        REFUSED),
    Bad("one id for two subscriptions",
        _subscribe("/topic/rooms/{room}") + _subscribe("/topic/rooms/{room}/activity"),
        "conflict", REFUSED),
    Bad("a place in the log that is none", _subscribe("/topic/rooms/{room}", "x-since:yesterday"),
        "bad_request", REFUSED),
    Bad("ACK of single messages", _subscribe("/topic/rooms/{room}", "ack:client-individual"),
        "bad_request", REFUSED),
    Bad("ACK of what is no message", raw("ACK", "id:abc"), "bad_request", REFUSED),
    Bad("typing in an unknown room", raw("SEND", "destination:/app/typing",
        body='{"roomId":"nowhere"}'), "unknown_room", REFUSED),
    Bad("a negative read marker", raw("SEND", "destination:/app/read",
        body='{"roomId":"{room}","offset":-1}'), "bad_request", REFUSED),
    Bad("a read marker that is no number", raw("SEND", "destination:/app/read",
        body='{"roomId":"{room}","offset":"1"}'), "bad_request", REFUSED),
    Bad("leaving in another's name", raw("SEND", "destination:/app/leave",
        body='{"roomId":"{room}","user":"bob"}'), "sender_mismatch", NOT_ALLOWED),
    Bad("a token that is missing", raw("SEND", "destination:/app/auth"), "bad_request", REFUSED),
]  # fmt: skip


@pytest.mark.parametrize("bad", BODIES + DESTINATIONS, ids=str)
async def test_a_refused_request_is_told_and_closed(
    server: Server, clients: Clients, room: str, bad: Bad
) -> None:
    """Without `x-soft-errors` STOMP knows only ERROR, and nothing may follow an ERROR."""
    client = await clients.stomp(server, "alice")
    await _send(client, bad, room)
    await _assert_told_and_closed(client, bad)
    assert await clients.api(server, "alice").history(room) == []


@pytest.mark.parametrize("bad", BODIES + DESTINATIONS, ids=str)
async def test_with_soft_errors_a_refused_request_is_told_and_the_connection_lives(
    server: Server, clients: Clients, room: str, bad: Bad
) -> None:
    """`x-soft-errors: true`: a MESSAGE on /user/queue/errors instead of an ERROR."""
    client = await clients.stomp(server, "alice", x_soft_errors="true")
    await client.subscribe("/user/queue/errors", id="errors")
    await _send(client, bad, room)
    told = await client.body("errors")
    assert told["type"] == "error"
    assert (told["code"], told["retryable"]) == (bad.code, False)
    assert told["message"]
    await client.post(room, "and on")


@pytest.mark.parametrize(
    "request_",
    [
        _post(HELLO),
        _subscribe("/topic/rooms/{room}"),
        _subscribe("/topic/rooms/{room}/activity"),
        raw("SEND", "destination:/app/typing", body='{"roomId":"{room}"}'),
        raw("SEND", "destination:/app/leave", body='{"roomId":"{room}"}'),
        raw("SEND", "destination:/app/read", body='{"roomId":"{room}","offset":1}'),
    ],
    ids=["post", "subscribe", "subscribe to the activity", "typing", "leave", "read"],
)
async def test_who_is_not_a_member_can_do_nothing_in_a_room(
    server: Server, clients: Clients, room: str, request_: str
) -> None:
    """I6: nothing crosses rooms or reaches a non-member."""
    bad = Bad("", request_, "not_a_member", NOT_ALLOWED)
    client = await clients.stomp(server, "carol")
    await _send(client, bad, room)
    await _assert_told_and_closed(client, bad)


async def test_a_read_marker_beyond_the_end_means_the_end(
    server: Server, clients: Clients, room: str
) -> None:
    """Any number is taken, also one that no column holds."""
    client = await clients.stomp(server, "alice")
    await client.post(room, "the only one")
    body = f'{{"roomId":"{room}","offset":1{"0" * 30}}}'
    await client.request("SEND", {"destination": "/app/read"}, body)
    _, seen = await clients.api(server, "alice").ask("GET", f"/rooms/{room}")
    assert seen["readOffset"] == 1


async def test_content_of_exactly_8192_bytes_is_taken(
    server: Server, clients: Clients, room: str
) -> None:
    """The limit itself is allowed, in whatever way JSON spells the text."""
    client = await clients.stomp(server, "alice")
    await client.subscribe(f"/topic/rooms/{room}")
    for content in ("x" * 8192, "가" * 2730 + "xx"):
        await client.post(room, content)  # with \\u escapes: up to three times as long
        assert (await client.body())["content"] == content
