"""Messages, their order and receipts, and what becomes of them without a store."""

import asyncio
import json
from pathlib import Path

import pytest

from allibe_services.contracts.errors import StoreUnavailable
from tests.integration.gateway import ONE, ROOM, Site, running


class TestMessages:
    async def test_a_message_is_the_rooms_entry(self, site: Site) -> None:
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        await bob.subscribe(ROOM, "my-id")
        await alice.app(
            "message",
            {"content": '안녕 👋 "x"\n', "roomId": "1", "clientMessageId": "c-1", "more": 1},
            receipt="r",
        )
        got = await bob.next()
        entry = got.json
        (stored,) = await site.store.log.after(ONE, 0, most=10)
        assert got.command == "MESSAGE"
        assert got.headers == {
            "subscription": "my-id",
            "destination": ROOM,
            "content-type": "application/json",
            "message-id": f"1.{stored.epoch}.1",
            "content-length": str(len(got.body.encode())),
        }
        assert entry == {
            "type": "message",
            "roomId": "1",
            "epoch": stored.epoch,
            "offset": 1,
            "messageId": stored.message_id,
            "sender": "alice",
            "senderName": "Alice",
            "content": '안녕 👋 "x"\n',
            "clientMessageId": "c-1",
            "sentAt": stored.sent_at.isoformat().replace("+00:00", "Z"),
        }
        receipt = await alice.next()
        assert (receipt.command, receipt.headers) == ("RECEIPT", {"receipt-id": "r"})

    async def test_everybody_sees_the_same_order_and_senders_keep_theirs(self, site: Site) -> None:
        """I3, I4."""
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        for client in (alice, bob):
            await client.subscribe()
        for number in range(40):
            await alice.post(f"a{number}")
            await bob.post(f"b{number}")
        seen = await alice.contents(80)
        assert await bob.contents(80) == seen == await site.history()
        for name in "ab":
            own = [content for content in seen if content.startswith(name)]
            assert own == [f"{name}{number}" for number in range(40)]

    async def test_a_repeated_client_message_id_is_one_message(self, site: Site) -> None:
        """I1: who did not see the receipt sends it again."""
        client = await site.stomp_user()
        await client.subscribe()
        body = {"content": "hello", "roomId": "1", "clientMessageId": "c-1"}
        for receipt in ("r1", "r2"):
            await client.app("message", body, receipt=receipt)
        frames = [await client.next() for _ in range(3)]
        assert sorted(one.headers.get("receipt-id", "") for one in frames) == ["", "r1", "r2"]
        assert await site.history() == ["hello"]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ("", "bad_request"),
            ("{", "bad_request"),
            ("[]", "bad_request"),
            ('{"content":"x"}', "bad_request"),
            ('{"content":7,"roomId":"1"}', "bad_request"),
            ('{"content":"x","roomId":1}', "bad_request"),
            ('{"content":"x","roomId":"1","clientMessageId":""}', "bad_request"),
            ('{"content":"\\ud800","roomId":"1"}', "bad_request"),
            ('{"content":"","roomId":"1"}', "invalid_content"),
            ('{"content":" ","roomId":"1"}', "invalid_content"),
            ('{"content":"a\\u0000","roomId":"1"}', "invalid_content"),
            ('{"content":"x","roomId":"a b"}', "invalid_room_id"),
            ('{"content":"x","roomId":"2"}', "not_a_member"),
            ('{"content":"x","roomId":"nowhere"}', "unknown_room"),
            ('{"content":"x","roomId":"1","sender":"alice"}', "sender_mismatch"),
            (json.dumps({"content": "x" * 8193, "roomId": "1"}), "content_too_long"),
        ],
    )
    async def test_a_bad_one_is_refused_and_goes_nowhere(
        self, site: Site, body: str, code: str
    ) -> None:
        client = await site.stomp_user("bob", x_soft_errors="true")
        await client.send("SEND", body, destination="/app/message", receipt="r")
        answer = await client.next()
        assert (answer.json["code"], answer.json["receiptId"]) == (code, "r")
        assert "x" * 20 not in answer.body
        assert await site.history() == []

    async def test_the_receipt_is_not_given_before_it_is_stored(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Accepted and durable: in this mode, committed."""
        free = asyncio.Event()
        append = site.store.log.append

        async def slow(commands: list[object]) -> object:
            await free.wait()
            return await append(commands)  # type: ignore[arg-type]

        monkeypatch.setattr(site.store.log, "append", slow)
        client = await site.stomp_user()
        await client.post("hello", receipt="r1")
        await client.app("typing", {"roomId": "1"}, receipt="r2")
        assert (await client.next()).headers["receipt-id"] == "r2"
        free.set()
        assert (await client.next()).headers["receipt-id"] == "r1"
        assert await site.history() == ["hello"]


class TestStoreAway:
    async def test_no_receipt_but_an_error_that_may_be_retried_and_nothing_is_lost(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with running(tmp_path, publish_seconds=0.3) as site:
            client = await site.stomp_user(x_soft_errors="true")
            await client.subscribe()
            append = site.store.log.append

            async def away(_: object) -> object:
                raise StoreUnavailable

            monkeypatch.setattr(site.store.log, "append", away)
            await client.post("hello", receipt="r1")
            error = (await client.next()).json
            assert (error["code"], error["retryable"], error["receiptId"]) == (
                "not_confirmed",
                True,
                "r1",
            )
            monkeypatch.setattr(site.store.log, "append", append)
            assert await client.contents(1) == ["hello"]
            await client.post("again", receipt="r2")
            frames = [await client.next() for _ in range(2)]
            assert [one.json["content"] for one in frames if one.command == "MESSAGE"] == ["again"]

    async def test_a_subscription_is_refused_for_now(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(*_: object) -> object:
            raise StoreUnavailable

        client = await site.stomp_user()
        with monkeypatch.context() as patch:
            patch.setattr(site.store.members, "roles", away)
            await client.send("SUBSCRIBE", id="1", destination=ROOM)
            answer = await client.next()
        assert answer.headers["x-code"] == "store_unavailable"
        assert answer.headers["x-retryable"] == "true"
        ended = await client.end()
        assert (ended.code, ended.reason) == (4406, "unavailable: resume")
