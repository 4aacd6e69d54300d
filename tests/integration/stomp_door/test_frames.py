"""Frames in WebSocket messages, and frames that are none."""

import json

import pytest

from tests.integration.gateway import Site, frame


class TestFrames:
    async def test_several_in_one_message_and_one_over_several(self, site: Site) -> None:
        client = await site.stomp_user()
        body = json.dumps({"content": "a", "roomId": "1"})
        one = frame("SEND", body, destination="/app/message", receipt="r1")
        two = frame("SEND", body, destination="/app/message", receipt="r2")
        await client.raw(one + "\n" + two)
        await client.raw(one[:10])
        await client.raw(one[10:40], binary=True)
        await client.raw(one[40:])
        receipts = [(await client.next()).headers["receipt-id"] for _ in range(3)]
        assert receipts == ["r1", "r2", "r1"]

    @pytest.mark.parametrize(
        ("text", "code", "close"),
        [
            ("NONSENSE\n\n\0", "unknown_command", 4400),
            ("SEND\n\n{}\0", "missing_header", 4400),
            ("SEND\nno colon\n\n\0", "malformed_frame", 4400),
            ("SEND\ndestination:a\\t\n\n\0", "undefined_escape", 4400),
            ("SEND\ndestination:a\ncontent-length:5\n\nabc\0defg", "malformed_frame", 4400),
            ("SUBSCRIBE\nid:1\ndestination:/topic/rooms/1\n\nbody\0", "unexpected_body", 4400),
            ("SEND\nh:" + "x" * 9000 + "\n\n\0", "header_too_long", 4400),
            ("SEND\n" + "a:b\n" * 70 + "\n\0", "too_many_headers", 4400),
            ("SEND\ndestination:a\n\n" + "x" * 70_000 + "\0", "frame_too_large", 1009),
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "unknown_command", 4400),
        ],
    )
    async def test_a_bad_one_is_an_error_with_its_code_and_then_the_end(
        self, site: Site, text: str, code: str, close: int
    ) -> None:
        client = await site.stomp_user()
        await client.raw(text)
        assert await client.error() == (code, close)

    async def test_what_came_before_a_bad_one_is_done(self, site: Site) -> None:
        client = await site.stomp_user()
        body = json.dumps({"content": "a", "roomId": "1"})
        await client.raw(frame("SEND", body, destination="/app/message") + "NONSENSE\n\n\0")
        assert (await client.next()).command == "ERROR"
        await client.end()
        await site.until_stored("a")

    async def test_a_message_that_is_too_big_ends_the_connection(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.raw("\n" * (256 * 1024 + 10))
        assert (await client.end()).code == 1009

    async def test_an_error_says_which_request_it_was(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.send("SUBSCRIBE", id="1", destination="/x", receipt="a:b\\n")
        answer = await client.next()
        assert answer.headers["receipt-id"] == "a:b\n"
        assert answer.headers["x-retryable"] == "false"
        assert answer.headers["message"]
