"""The JSON door at `/ws/chat`, over a real socket: one connection, one room."""

import json
from pathlib import Path

import pytest

from allibe_gateway.limits import Limits
from tests.integration.gateway import ALICE, BOB, ONE, JsonClient, Site, running, token


class TestJoining:
    async def test_a_token_in_the_query_joins_the_room(self, site: Site) -> None:
        client = await site.json(f"roomId=1&token={token()}")
        joined = await client.next()
        assert joined == {
            "type": "joined",
            "roomId": "1",
            "user": "alice",
            "epoch": joined["epoch"],
            "offset": 0,
        }

    async def test_so_does_one_in_the_handshake(self, site: Site) -> None:
        client = await site.json("roomId=1", headers={"Authorization": f"Bearer {token()}"})
        assert (await client.next())["type"] == "joined"

    async def test_and_one_that_comes_first_over_the_socket(self, site: Site) -> None:
        """For browsers that will not put a token into an address."""
        client = await site.json("roomId=1")
        await client.send("message", roomId="1", content="too early")
        assert await client.error() == "token_required"
        await client.send("refresh", token=token())
        assert (await client.next())["type"] == "joined"
        await client.send("message", roomId="1", content="hello")
        assert (await client.next_of("message"))["content"] == "hello"

    @pytest.mark.parametrize(
        ("query", "code", "close"),
        [
            ("roomId=a%20b&token=TOKEN", "invalid_room_id", 4405),
            ("roomId=a%20b", "invalid_room_id", 4405),
            ("token=TOKEN", "invalid_room_id", 4405),
            ("roomId=nowhere&token=TOKEN", "unknown_room", 4405),
            ("roomId=2&token=TOKEN", "not_a_member", 4404),
            ("roomId=1&token=nonsense", "token_invalid", 4402),
            ("roomId=1&token=EXPIRED", "token_expired", 4403),
            ("roomId=1&token=TOKEN&since=nonsense", "bad_request", 4405),
        ],
    )
    async def test_one_that_cannot_join_is_told_and_ended(
        self, site: Site, query: str, code: str, close: int
    ) -> None:
        query = query.replace("TOKEN", token("bob")).replace("EXPIRED", token(ttl=-1))
        client = await site.json(query)
        assert await client.error() == code
        assert (await client.end()).code == close

    async def test_one_without_a_room_is_told_what_to_ask_for(self, site: Site) -> None:
        client = await site.json(f"token={token('bob')}")
        told = (await client.next_of("error"))["message"]
        assert told == "roomId is missing: connect to /ws/chat?roomId=<room>&token=<token>."

    @pytest.mark.parametrize("sent", ['{"type":"msg"}', '{"content":"x"}', '{"type":7}'])
    async def test_a_type_that_there_is_not_is_answered_with_those_there_are(
        self, site: Site, sent: str
    ) -> None:
        client = await site.json(f"roomId=1&token={token()}")
        await client.next_of("joined")
        await client.socket.send_str(sent)
        told = (await client.next_of("error"))["message"]
        assert told == "type is one of message, leave, typing, read, visibility, refresh, ping."

    async def test_a_room_that_cannot_be_joined_after_a_refresh_ends_it_too(
        self, site: Site
    ) -> None:
        client = await site.json("roomId=2")
        await client.send("refresh", token=token("bob"))
        assert await client.error() == "not_a_member"
        assert (await client.end()).code == 4404

    async def test_who_brings_no_token_in_time_is_ended(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(sign_in_seconds=0.05)) as site:
            client = await site.json("roomId=1")
            assert await client.error() == "token_required"
            assert (await client.end()).code == 4401


class TestRecovery:
    async def test_since_replays_what_was_missed_and_then_joins(self, site: Site) -> None:
        alice = await site.json_user("alice")
        for content in ("a", "b", "c"):
            await alice.send("message", content=content)
        first = await alice.next_of("message")
        since = f"1.{first['epoch']}.1"
        await site.until_stored("a", "b", "c")
        bob = await site.json_user("bob", since=since)
        got = [await bob.next() for _ in range(3)]
        assert [one.get("content") for one in got] == ["b", "c", None]
        assert got[2]["type"] == "joined"
        assert (got[2]["recovered"], got[2]["offset"]) == (True, 3)

    async def test_another_epoch_is_told(self, site: Site) -> None:
        client = await site.json_user(since="1.zzz.1")
        joined = await client.next()
        assert (joined["type"], joined["recovered"]) == ("joined", False)


class TestMessages:
    async def test_all_in_the_room_get_it_and_the_sender_an_ack(self, site: Site) -> None:
        alice, bob = await site.json_user("alice"), await site.json_user("bob")
        await alice.send(
            "message", roomId="1", sender="alice", content="안녕 👋", clientMessageId="c-1"
        )
        got = await bob.next_of("message")
        (stored,) = await site.store.log.after(ONE, 0, most=10)
        assert got == {
            "type": "message",
            "roomId": "1",
            "epoch": stored.epoch,
            "offset": 1,
            "messageId": stored.message_id,
            "sender": "alice",
            "senderName": "Alice",
            "content": "안녕 👋",
            "clientMessageId": "c-1",
            "sentAt": stored.sent_at.isoformat().replace("+00:00", "Z"),
        }
        assert await alice.next_of("ack") == {
            "type": "ack",
            "roomId": "1",
            "messageId": stored.message_id,
            "clientMessageId": "c-1",
            "offset": 1,
        }

    async def test_room_and_sender_may_be_left_out(self, site: Site) -> None:
        client = await site.json_user()
        await client.send("message", content="hello")
        assert (await client.next_of("message"))["sender"] == "alice"

    async def test_a_repeated_one_is_acked_with_what_is_stored(self, site: Site) -> None:
        """I1."""
        client = await site.json_user()
        for _ in range(2):
            await client.send("message", content="hello", clientMessageId="c-1")
        first, second = await client.next_of("ack"), await client.next_of("ack")
        assert first == second
        assert await site.history() == ["hello"]

    async def test_both_doors_lead_into_the_same_rooms(self, site: Site) -> None:
        over_json, over_stomp = await site.json_user("alice"), await site.stomp_user("bob")
        await over_stomp.subscribe()
        await over_json.send("message", content="from json")
        await over_stomp.contents(1)
        await over_stomp.post("from stomp")
        assert await over_stomp.contents(1) == ["from stomp"]
        assert (await over_json.next_of("message"))["content"] == "from json"
        assert (await over_json.next_of("message"))["content"] == "from stomp"


class TestRefusals:
    """A refused request is told as `error`, and the connection lives."""

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ("", "bad_request"),
            ("{", "bad_request"),
            ("[]", "bad_request"),
            ('"ping"', "bad_request"),
            ("{}", "bad_request"),
            ('{"type":"nonsense"}', "bad_request"),
            ('{"type":7}', "bad_request"),
            ('{"type":"message"}', "bad_request"),
            ('{"type":"message","content":7}', "bad_request"),
            ('{"type":"read"}', "bad_request"),
            ('{"type":"read","offset":"1"}', "bad_request"),
            ('{"type":"read","offset":-1}', "bad_request"),
            ('{"type":"refresh"}', "bad_request"),
            ('{"type":"refresh","token":"nonsense"}', "token_invalid"),
            ('{"type":"message","content":""}', "invalid_content"),
            ('{"type":"message","content":"a\\u0000"}', "invalid_content"),
            ('{"type":"message","content":"x","roomId":"2"}', "bad_request"),
            ('{"type":"message","content":"x","sender":"alice"}', "sender_mismatch"),
            ('{"type":"leave","user":"alice"}', "sender_mismatch"),
            ('{"type":"typing","roomId":"2"}', "bad_request"),
            (json.dumps({"type": "message", "content": "x" * 8193}), "content_too_long"),
            ("[" * 100_000, "bad_request"),
        ],
    )
    async def test_what_is_wrong_is_told(self, site: Site, sent: str, code: str) -> None:
        client = await site.json_user("bob")
        await client.socket.send_str(sent)
        assert await client.error() == code
        await client.send("ping")
        assert await client.next() == {"type": "pong"}
        assert await site.history() == []

    async def test_the_error_says_which_message_it_was(self, site: Site) -> None:
        client = await site.json_user()
        await client.send("message", content="", clientMessageId="c-1")
        assert await client.next() == {
            "type": "error",
            "code": "invalid_content",
            "message": "The content is empty or contains a NUL character.",
            "retryable": False,
            "clientMessageId": "c-1",
        }

    async def test_bytes_that_are_no_text_are_told(self, site: Site) -> None:
        client = await site.json_user()
        await client.socket.send_bytes(b"\xff\xfe")
        assert await client.error() == "bad_request"

    async def test_one_that_is_too_big_ends_the_connection(self, site: Site) -> None:
        client = await site.json_user()
        await client.socket.send_str("x" * (256 * 1024 + 1))
        assert (await client.end()).code == 1009


class TestPassingBy:
    async def test_typing_reading_and_leaving_are_seen_by_the_others(self, site: Site) -> None:
        alice, bob = await site.json_user("alice"), await site.json_user("bob")
        await bob.send("message", content="hello")
        await bob.next_of("ack")
        await bob.send("typing", roomId="1")
        await bob.send("read", roomId="1", offset=1)
        await bob.send("leave", roomId="1", user="bob")
        assert (await alice.next_of("typing")) == {
            "type": "typing",
            "roomId": "1",
            "user": "bob",
            "userName": "Bob",
        }
        assert (await alice.next_of("read"))["user"] == "bob"
        assert (await alice.next_of("left"))["user"] == "bob"

    async def test_leaving_is_answered_after_the_acks_and_ends_the_connection(
        self, site: Site
    ) -> None:
        client = await site.json_user()
        await client.send("message", content="hello")
        await client.send("leave")
        assert (await client.next_of("ack"))["offset"] == 1
        assert await client.next_of("left") == {"type": "left", "roomId": "1", "user": "alice"}
        ended = await client.end()
        assert (ended.code, ended.reason) == (1000, "bye")

    async def test_other_rooms_notify(self, site: Site) -> None:
        alice = await site.json_user("alice", room="2")
        await site.until_present(ALICE)
        bob = await site.json_user("bob", room="1")
        await bob.send("message", content="over here")
        got = await alice.next_of("notification")
        assert (got["roomId"], got["message"]["content"]) == ("1", "over here")


class TestRefreshing:
    async def test_a_later_token_extends_the_connection(self, site: Site) -> None:
        client = await site.json(f"roomId=1&token={token(ttl=1)}")
        assert (await client.next())["type"] == "joined"
        await client.send("refresh", token=token(ttl=600))
        assert await client.next() == {"type": "pong"}

    async def test_another_users_token_is_refused(self, site: Site) -> None:
        client = await site.json_user("alice")
        await client.send("refresh", token=token("bob"))
        assert await client.error() == "not_allowed"

    async def test_at_its_end_the_connection_is_told_and_ended(self, site: Site) -> None:
        client = await site.json(f"roomId=1&token={token(ttl=0.8)}")
        assert (await client.next())["type"] == "joined"
        assert await client.error() == "token_expired"
        assert (await client.end()).code == 4403


async def test_a_lost_membership_ends_the_connection(site: Site) -> None:
    """I6. The one room of this connection is gone, and so is its purpose."""
    alice, bob = await site.json_user("alice"), await site.json_user("bob")
    await site.remove(BOB)
    assert await bob.error() == "not_a_member"
    assert (await bob.end()).code == 4404
    await alice.send("message", content="secret")
    await alice.next_of("ack")


async def test_the_server_pings(tmp_path: Path) -> None:
    """Browsers answer by themselves; both sides learn when the other is gone."""
    async with running(
        tmp_path, limits=Limits(heart_beat_seconds=0.05, silent_intervals=20)
    ) as site:
        client: JsonClient = await site.json_user()
        message = await client.socket.receive(timeout=5)
        assert message.type.name == "PING"
        for _ in range(6):
            await client.socket.pong()
            await client.socket.receive(timeout=5)
        await client.send("ping")
        assert await client.next() == {"type": "pong"}
