"""Every refusal of SUBSCRIBE, SEND and ACK: what it says, and that it is soft if that was asked."""

import json

import pytest

from allibe_services.contracts.errors import Overloaded
from tests.integration.gateway import Site, frame


def _send(name: str, body: str, **headers: str) -> str:
    return frame("SEND", body, destination=f"/app/{name}", receipt="r", **headers)


def _subscribe(destination: str, **headers: str) -> str:
    return frame("SUBSCRIBE", id="x", destination=destination, receipt="r", **headers)


REFUSED = [
    (_subscribe("/topic/rooms/2"), "not_a_member", "/topic/rooms/2"),
    (_subscribe("/topic/rooms/2/activity"), "not_a_member", "/topic/rooms/2/activity"),
    (_subscribe("/topic/rooms/9"), "unknown_room", "/topic/rooms/9"),
    (_subscribe("/topic/rooms/*"), "invalid_room_id", "/topic/rooms/*"),
    (_subscribe("/queue/x"), "unknown_destination", "/queue/x"),
    (_subscribe("/user/queue/errors"), "conflict", "/user/queue/errors"),
    (_subscribe("/topic/rooms/1", x_since="x"), "bad_request", "/topic/rooms/1"),
    (_subscribe("/topic/rooms/1", Authorization="x"), "token_invalid", "/topic/rooms/1"),
    (_send("message", "{"), "bad_request", "/app/message"),
    (_send("message", '{"roomId":"1","content":""}'), "invalid_content", "/app/message"),
    (_send("message", '{"roomId":"2","content":"x"}'), "not_a_member", "/app/message"),
    (_send("message", "{}", Authorization="x"), "token_invalid", "/app/message"),
    (_send("typing", '{"roomId":"2"}'), "not_a_member", "/app/typing"),
    (_send("read", '{"roomId":"1","offset":-1}'), "bad_request", "/app/read"),
    (_send("leave", '{"roomId":"1","user":"alice"}'), "sender_mismatch", "/app/leave"),
    (_send("auth", ""), "bad_request", "/app/auth"),
    (_send("nothing", ""), "unknown_destination", "/app/nothing"),
    (frame("ACK", id="abc", receipt="r"), "bad_request", None),
]


@pytest.mark.parametrize(("request_", "code", "destination"), REFUSED)
async def test_a_refusal_says_what_was_refused_and_the_connection_lives(
    site: Site, request_: str, code: str, destination: str | None
) -> None:
    client = await site.stomp_user("bob", x_soft_errors="true")
    await client.subscribe("/user/queue/errors", "e")
    await client.raw(request_)
    told = (await client.next()).json
    assert told.pop("message")
    where = {} if destination is None else {"destination": destination}
    expected = {"type": "error", "code": code, "retryable": False, "receiptId": "r"}
    assert told == expected | where
    await client.subscribe()


async def test_one_that_may_be_tried_again_says_when(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await site.stomp_user("bob", x_soft_errors="true")
    await client.subscribe("/user/queue/errors", "e")
    post = site.bus.post

    def refuse(_: object) -> None:
        raise Overloaded(retry_after_ms=700)

    monkeypatch.setattr(site.bus, "post", refuse)
    await client.post("hello", receipt="r")
    told = (await client.next()).json
    assert (told["code"], told["retryable"], told["retryAfterMs"]) == ("overloaded", True, 700)
    assert (told["receiptId"], told["destination"]) == ("r", "/app/message")
    monkeypatch.setattr(site.bus, "post", post)
    await client.post("hello", receipt="again")
    assert (await client.next()).headers["receipt-id"] == "again"


@pytest.mark.parametrize("content", [" ", "x" * 9000, "hello"])
async def test_a_message_is_named_as_its_sender_named_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """Else who asked for no receipt could not tell which message it was."""
    client = await site.stomp_user("bob", x_soft_errors="true")
    await client.subscribe("/user/queue/errors", "e")

    def refuse(_: object) -> None:
        raise Overloaded

    monkeypatch.setattr(site.bus, "post", refuse)
    body = json.dumps({"roomId": "1", "content": content, "clientMessageId": "mine"})
    await client.raw(frame("SEND", body, destination="/app/message"))
    assert (await client.next()).json["clientMessageId"] == "mine"


@pytest.mark.parametrize(("request_", "code", "destination"), REFUSED)
async def test_without_them_the_error_comes_whole_before_the_close(
    site: Site, request_: str, code: str, destination: str | None
) -> None:
    client = await site.stomp_user("bob")
    await client.subscribe("/user/queue/errors", "e")
    await client.raw(request_)
    error = await client.next()
    assert (error.command, error.headers["x-code"]) == ("ERROR", code)
    assert (error.headers["receipt-id"], error.headers["x-retryable"]) == ("r", "false")
    assert (await client.end()).code in (4402, 4404, 4405)


class TestSoftErrors:
    """With `x-soft-errors: true` a refused request is a message, and the connection lives."""

    async def test_a_refusal_is_a_message_on_the_errors_queue(self, site: Site) -> None:
        client = await site.stomp_user("bob", x_soft_errors="true")
        await client.subscribe("/user/queue/errors", "e")
        await client.send("SUBSCRIBE", id="1", destination="/topic/rooms/2", receipt="r")
        got = await client.next()
        assert got.command == "MESSAGE"
        assert got.headers["destination"] == "/user/queue/errors"
        assert got.headers["subscription"] == "e"
        assert got.headers["message-id"]
        assert got.json == {
            "type": "error",
            "code": "not_a_member",
            "message": "You are not a member of this room.",
            "retryable": False,
            "receiptId": "r",
            "destination": "/topic/rooms/2",
        }
        await client.subscribe()

    async def test_so_it_is_without_a_subscription_to_the_queue(self, site: Site) -> None:
        client = await site.stomp_user("bob", x_soft_errors="true")
        await client.post("")
        assert (await client.next()).json["code"] == "invalid_content"
        await client.subscribe()

    async def test_what_breaks_the_protocol_ends_the_connection_all_the_same(
        self, site: Site
    ) -> None:
        client = await site.stomp_user(x_soft_errors="true")
        await client.send("MESSAGE")
        assert await client.error() == ("unknown_command", 4400)
