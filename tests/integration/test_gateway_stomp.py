"""The STOMP door at `/allibe-ws`, over a real socket: DESIGN §4, sentence by sentence."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from allibe_gateway.limits import Limits
from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.rooms import Role
from tests.integration.gateway import (
    ALICE,
    BOB,
    CAROL,
    ONE,
    Site,
    StompClient,
    frame,
    running,
    token,
    until,
)

ROOM = "/topic/rooms/1"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as site:
        yield site


class TestHandshake:
    @pytest.mark.parametrize("protocol", ["v12.stomp", "v11.stomp", "v10.stomp"])
    async def test_the_subprotocol_is_echoed(self, site: Site, protocol: str) -> None:
        """Browsers fail without it."""
        socket = await site.web_socket("/allibe-ws", protocols=(protocol,))
        assert socket.protocol == protocol

    async def test_one_of_several_is_chosen(self, site: Site) -> None:
        socket = await site.web_socket(
            "/allibe-ws", protocols=("v12.stomp", "v11.stomp", "v10.stomp")
        )
        assert socket.protocol == "v12.stomp"

    async def test_none_is_needed(self, site: Site) -> None:
        client = await site.stomp()
        assert client.socket.protocol is None
        await client.connect()

    async def test_frames_are_not_compressed(self, site: Site) -> None:
        """The same bytes go to many, past aiohttp's writer."""
        socket = await site.web_socket("/allibe-ws", compress=15)
        assert not socket.compress

    async def test_plain_http_is_greeted_by_sockjs(self, site: Site) -> None:
        async with site.http.get(f"{site.url}/allibe-ws") as response:
            assert await response.text() == "Welcome to SockJS!\n"

    async def test_a_broken_handshake_is_told_so(self, site: Site) -> None:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
        async with site.http.get(f"{site.url}/allibe-ws", headers=headers) as response:
            assert response.status == 400


class TestConnecting:
    @pytest.mark.parametrize(
        ("accepts", "version"),
        [("1.2", "1.2"), ("1.0,1.1,1.2", "1.2"), ("1.1,1.0", "1.1"), ("1.0", "1.0"), (None, "1.0")],
    )
    @pytest.mark.parametrize("command", ["CONNECT", "STOMP"])
    async def test_the_best_common_version_is_chosen(
        self, site: Site, accepts: str | None, version: str, command: str
    ) -> None:
        client = await site.stomp()
        headers = {"host": "h"} | ({"accept_version": accepts} if accepts else {})
        await client.send(command, **headers)
        answer = await client.next()
        assert (answer.command, answer.headers["version"]) == ("CONNECTED", version)

    async def test_no_common_version_is_an_error(self, site: Site) -> None:
        client = await site.stomp()
        await client.send("CONNECT", accept_version="2.0", host="h")
        assert await client.error() == ("unsupported_version", 4400)

    async def test_connected_says_who_and_what(self, site: Site) -> None:
        client = await site.stomp()
        answer = await client.connect(Authorization=f"Bearer {token()}", heart_beat="0,0")
        assert answer.headers["server"].startswith("allibe/")
        assert answer.headers["session"]
        assert answer.headers["user-name"] == "alice"
        assert answer.headers["heart-beat"] == "10000,10000"
        anonymous = await (await site.stomp()).connect()
        assert "user-name" not in anonymous.headers
        assert anonymous.headers["session"] != answer.headers["session"]

    async def test_a_second_connect_is_an_error(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.send("CONNECT", accept_version="1.2", host="h")
        assert await client.error() == ("already_connected", 4400)

    async def test_anything_before_connect_is_an_error(self, site: Site) -> None:
        client = await site.stomp()
        await client.post()
        assert await client.error() == ("not_connected", 4400)


class TestTokens:
    """Identity from CONNECT, the handshake, the query, or the first frame that bears a token."""

    async def works(self, client: StompClient) -> None:
        await client.subscribe()
        await client.post("hello")
        assert await client.contents(1) == ["hello"]

    async def test_from_connect(self, site: Site) -> None:
        client = await site.stomp()
        await client.connect(authorization=token())
        await self.works(client)

    async def test_from_the_handshake(self, site: Site) -> None:
        client = await site.stomp(headers={"Authorization": f"Bearer {token()}"})
        assert (await client.connect()).headers["user-name"] == "alice"
        await self.works(client)

    async def test_from_the_query(self, site: Site) -> None:
        client = StompClient(await site.web_socket(f"/allibe-ws?token={token()}"))
        assert (await client.connect()).headers["user-name"] == "alice"
        await self.works(client)

    async def test_connect_counts_before_the_handshake(self, site: Site) -> None:
        client = await site.stomp(headers={"Authorization": token("bob")})
        answer = await client.connect(Authorization=token("alice"))
        assert answer.headers["user-name"] == "alice"

    async def test_from_the_first_subscribe(self, site: Site) -> None:
        client = await site.stomp()
        await client.connect()
        await client.subscribe(Authorization=token())
        await self.works_after(client)

    async def test_from_the_first_send(self, site: Site) -> None:
        client = await site.stomp()
        await client.connect()
        await client.post("first", receipt="r", Authorization=token())
        assert (await client.next()).headers["receipt-id"] == "r"
        await self.works(client)

    async def works_after(self, client: StompClient) -> None:
        await client.post("hello", Authorization=token())
        assert await client.contents(1) == ["hello"]

    @pytest.mark.parametrize("bearer", [ROOM, "/app/message", "/user/queue/rooms"])
    async def test_without_one_nothing_can_be_done(self, site: Site, bearer: str) -> None:
        client = await site.stomp()
        await client.connect()
        if bearer == "/app/message":
            await client.post()
        else:
            await client.send("SUBSCRIBE", id="1", destination=bearer)
        assert await client.error() == ("token_required", 4401)

    @pytest.mark.parametrize(
        ("bad", "expected"),
        [
            ("nonsense", ("token_invalid", 4402)),
            (token(ttl=-1), ("token_expired", 4403)),
        ],
    )
    async def test_a_bad_one_is_an_error_wherever_it_comes(
        self, site: Site, bad: str, expected: tuple[str, int]
    ) -> None:
        connecting = await site.stomp()
        await connecting.send("CONNECT", accept_version="1.2", host="h", Authorization=bad)
        assert await connecting.error() == expected

        shaken = await site.stomp(headers={"Authorization": bad})
        await shaken.send("CONNECT", accept_version="1.2", host="h")
        assert await shaken.error() == expected

        sending = await site.stomp_user()
        await sending.post(Authorization=bad)
        assert await sending.error() == expected

    async def test_a_later_one_must_be_of_the_same_user(self, site: Site) -> None:
        client = await site.stomp_user("alice")
        await client.post(Authorization=token("bob"))
        assert await client.error() == ("not_allowed", 4404)
        assert await site.history() == []

    async def test_auth_replaces_it(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.app("auth", {}, receipt="r", Authorization=f"Bearer {token(ttl=1200)}")
        assert (await client.next()).headers["receipt-id"] == "r"

    async def test_auth_needs_one(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.app("auth", {})
        assert await client.error() == ("bad_request", 4405)

    async def test_it_never_comes_back_in_an_error(self, site: Site) -> None:
        client = await site.stomp()
        bad = f"{token()}x"
        await client.send("CONNECT", accept_version="1.2", host="h", Authorization=bad)
        assert bad not in repr(await client.next())


class TestDestinations:
    @pytest.mark.parametrize(
        "destination",
        [
            ROOM,
            f"{ROOM}/activity",
            "/user/queue/notifications",
            "/user/queue/rooms",
            "/user/queue/errors",
        ],
    )
    async def test_what_there_is_can_be_subscribed_to(self, site: Site, destination: str) -> None:
        client = await site.stomp_user()
        await client.subscribe(destination)

    @pytest.mark.parametrize(
        ("destination", "code"),
        [
            ("/topic/rooms", "unknown_destination"),
            ("/topic/rooms/", "invalid_room_id"),
            ("/topic/rooms/*", "invalid_room_id"),
            ("/topic/rooms/**", "invalid_room_id"),
            ("/topic/rooms/#", "invalid_room_id"),
            ("/topic/rooms/1/2", "invalid_room_id"),
            ("/topic/rooms/1/activity/activity", "invalid_room_id"),
            ("/topic/rooms/1/", "invalid_room_id"),
            ("/topic/rooms/../1", "invalid_room_id"),
            ("/topic/rooms/" + "x" * 65, "invalid_room_id"),
            ("/topic/rooms/방", "invalid_room_id"),
            ("/topic/*", "unknown_destination"),
            ("/app/message", "unknown_destination"),
            ("/user/bob/queue/notifications", "unknown_destination"),
            ("/user/queue/", "unknown_destination"),
            ("/user/queue/notifications/bob", "unknown_destination"),
            ("/queue/notifications-user1", "unknown_destination"),
            ("topic/rooms/1", "unknown_destination"),
            ("/", "unknown_destination"),
        ],
    )
    async def test_everything_else_is_refused(
        self, site: Site, destination: str, code: str
    ) -> None:
        """Wildcards and another user's queue included."""
        client = await site.stomp_user()
        await client.send("SUBSCRIBE", id="1", destination=destination, receipt="r")
        answer = await client.next()
        assert answer.command == "ERROR"
        assert (answer.headers["x-code"], answer.headers["receipt-id"]) == (code, "r")
        assert (await client.end()).code == 4405

    @pytest.mark.parametrize(
        "destination",
        [ROOM, f"{ROOM}/activity", "/user/queue/errors", "/app", "/app/", "/app/other", "/topic/x"],
    )
    async def test_sending_elsewhere_is_refused(self, site: Site, destination: str) -> None:
        client = await site.stomp_user()
        await client.send("SEND", "{}", destination=destination)
        assert await client.error() == ("unknown_destination", 4405)

    async def test_a_room_of_others_is_refused(self, site: Site) -> None:
        client = await site.stomp_user("bob")
        await client.send("SUBSCRIBE", id="1", destination="/topic/rooms/2")
        assert await client.error() == ("not_a_member", 4404)

    async def test_an_unknown_room_is_refused(self, site: Site) -> None:
        client = await site.stomp_user("bob")
        await client.send("SUBSCRIBE", id="1", destination="/topic/rooms/nowhere")
        assert await client.error() == ("unknown_room", 4405)


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
            patch.setattr(site.store.members, "role", away)
            await client.send("SUBSCRIBE", id="1", destination=ROOM)
            answer = await client.next()
        assert answer.headers["x-code"] == "store_unavailable"
        assert answer.headers["x-retryable"] == "true"
        ended = await client.end()
        assert (ended.code, ended.reason) == (4406, "unavailable: resume")


class TestSubscriptions:
    async def test_each_has_its_own_id_in_its_messages(self, site: Site) -> None:
        client = await site.stomp_user()
        for name in ("a", "b"):
            await client.subscribe(ROOM, name)
        await client.post()
        got = await client.messages(2)
        assert {one.headers["subscription"] for one in got} == {"a", "b"}

    async def test_unsubscribing_ends_one(self, site: Site) -> None:
        client = await site.stomp_user()
        for name in ("a", "b"):
            await client.subscribe(ROOM, name)
        await client.send("UNSUBSCRIBE", id="a", receipt="r")
        assert (await client.next()).headers["receipt-id"] == "r"
        await client.post()
        (got,) = await client.messages(1)
        assert got.headers["subscription"] == "b"
        await client.nothing_more()

    async def test_an_unknown_one_is_no_error(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.send("UNSUBSCRIBE", id="never", receipt="r")
        assert (await client.next()).command == "RECEIPT"

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (ROOM, "/topic/rooms/2"),
            (ROOM, "/user/queue/rooms"),
            ("/user/queue/rooms", ROOM),
            ("/user/queue/rooms", "/user/queue/errors"),
        ],
    )
    async def test_an_id_is_used_once_on_a_connection(
        self, site: Site, first: str, second: str
    ) -> None:
        """STOMP 1.2, "SUBSCRIBE": the id tells the server which one UNSUBSCRIBE means."""
        client = await site.stomp_user()
        await client.subscribe(first, "a")
        await client.send("SUBSCRIBE", id="a", destination=second)
        assert await client.error() == ("conflict", 4405)

    async def test_in_1_0_the_destination_may_stand_for_the_id(self, site: Site) -> None:
        client = await site.stomp()
        await client.connect(accept_version="1.0", Authorization=token())
        await client.send("SUBSCRIBE", destination=ROOM, receipt="r")
        assert (await client.next()).command == "RECEIPT"
        await client.post("a")
        (got,) = await client.messages(1)
        assert "subscription" not in got.headers
        await client.send("UNSUBSCRIBE", destination=ROOM, receipt="r")
        assert (await client.next()).command == "RECEIPT"
        await client.post("b", receipt="r2")
        assert (await client.next()).headers["receipt-id"] == "r2"

    async def test_there_is_a_bound(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(subscriptions=2)) as site:
            client = await site.stomp_user()
            for name in ("a", "b"):
                await client.subscribe(ROOM, name)
            await client.send("SUBSCRIBE", id="c", destination=ROOM)
            assert await client.error() == ("too_many_subscriptions", 4405)

    @pytest.mark.parametrize("ack", ["client-individual", "other"])
    async def test_single_acks_are_refused(self, site: Site, ack: str) -> None:
        client = await site.stomp_user()
        await client.send("SUBSCRIBE", id="1", destination=ROOM, ack=ack)
        code, _ = await client.error()
        assert code == ("bad_request" if ack == "client-individual" else "invalid_header")


class TestRecovery:
    """`x-since`: what follows it comes first, then the RECEIPT, then what is new (I5)."""

    async def fill(self, site: Site, count: int) -> tuple[StompClient, list[str]]:
        """Post so many messages; return alice's client and their message-ids."""
        client = await site.stomp_user()
        await client.subscribe()
        for number in range(1, count + 1):
            await client.post(str(number))
        return client, [one.headers["message-id"] for one in await client.messages(count)]

    async def since(self, client: StompClient, message_id: str) -> None:
        await client.send("SUBSCRIBE", id="s", destination=ROOM, receipt="r", x_since=message_id)

    async def test_it_continues_with_the_next_one(self, site: Site) -> None:
        alice, ids = await self.fill(site, 5)
        bob = await site.stomp_user("bob")
        await self.since(bob, ids[1])
        assert await bob.contents(3) == ["3", "4", "5"]
        receipt = await bob.next()
        assert receipt.command == "RECEIPT"
        assert receipt.headers == {
            "receipt-id": "r",
            "x-recovered": "true",
            "x-offset": "5",
            "x-epoch": ids[0].split(".")[1],
        }
        await alice.post("6")
        assert await bob.contents(1) == ["6"]

    async def test_from_offset_0_it_is_the_whole_log(self, site: Site) -> None:
        _, ids = await self.fill(site, 3)
        bob = await site.stomp_user("bob")
        await self.since(bob, ids[0].rpartition(".")[0] + ".0")
        assert await bob.contents(3) == ["1", "2", "3"]

    async def test_at_the_end_there_is_nothing_to_replay(self, site: Site) -> None:
        _, ids = await self.fill(site, 2)
        bob = await site.stomp_user("bob")
        await self.since(bob, ids[-1])
        assert (await bob.next()).headers["x-recovered"] == "true"

    async def test_another_epoch_is_told(self, site: Site) -> None:
        alice, _ = await self.fill(site, 2)
        bob = await site.stomp_user("bob")
        await self.since(bob, "1.zzz.1")
        receipt = await bob.next()
        assert (receipt.headers["x-recovered"], receipt.headers["x-offset"]) == ("false", "2")
        await alice.post("3")
        assert await bob.contents(1) == ["3"]

    async def test_too_far_behind_is_told(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(recovery_messages=3)) as site:
            _, ids = await self.fill(site, 5)
            bob = await site.stomp_user("bob")
            await self.since(bob, ids[0])
            assert (await bob.next()).headers["x-recovered"] == "false"
            again = await site.stomp_user("bob")
            await self.since(again, ids[1])
            assert await again.contents(3) == ["3", "4", "5"]

    async def test_without_it_nothing_is_said_of_recovery(self, site: Site) -> None:
        client = await site.stomp_user()
        receipt = await client.subscribe()
        assert set(receipt.headers) == {"receipt-id", "x-offset", "x-epoch"}

    @pytest.mark.parametrize("since", ["1", "1.e", "1.e.-1", "1.e.01", "nonsense", "1.e.1.2"])
    async def test_what_is_no_message_id_is_refused(self, site: Site, since: str) -> None:
        client = await site.stomp_user()
        await self.since(client, since)
        assert await client.error() == ("bad_request", 4405)

    async def test_coming_back_into_a_stream_of_messages_loses_and_doubles_none(
        self, site: Site
    ) -> None:
        """I3, over and over, while somebody writes."""
        alice, ids = await self.fill(site, 1)
        epoch = ids[0].split(".")[1]
        count = 120

        async def write() -> None:
            for number in range(2, count + 1):
                await alice.post(str(number))

        writing = asyncio.create_task(write())
        seen = ["1"]
        while len(seen) < count:
            bob = await site.stomp_user("bob")
            await self.since(bob, f"1.{epoch}.{len(seen)}")
            goal = min(len(seen) + 17, count)
            while len(seen) < goal:
                got = await bob.next()
                if got.command == "MESSAGE":
                    seen.append(got.json["content"])
                else:
                    assert got.headers["x-recovered"] == "true"
            await bob.close()
        await writing
        assert seen == [str(number) for number in range(1, count + 1)]


class TestAcks:
    """`ack:client`: a cumulative ACK is the user's read marker."""

    async def marker(self, site: Site) -> int:
        members = await site.store.members.of_room(ONE, most=10)
        return next(one.read_offset for one in members if one.user == BOB)

    @pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
    async def test_an_ack_moves_the_marker_and_the_room_hears_of_it(
        self, site: Site, version: str
    ) -> None:
        alice = await site.stomp_user("alice")
        await alice.subscribe(f"{ROOM}/activity", "activity")
        bob = await site.stomp()
        await bob.connect(accept_version=version, Authorization=token("bob"))
        await bob.subscribe(ack="client")
        for content in ("a", "b", "c"):
            await alice.post(content)
        second = (await bob.messages(3))[1]
        ack_id = second.headers["ack"] if version == "1.2" else second.headers["message-id"]
        names = {"1.0": "message_id", "1.1": "message_id", "1.2": "id"}
        more = {} if version == "1.2" else {"subscription": "s1"}
        await bob.send("ACK", receipt="r", **{names[version]: ack_id}, **more)
        assert (await bob.next()).headers["receipt-id"] == "r"
        assert await self.marker(site) == 2
        assert (await alice.next()).json == {
            "type": "read",
            "roomId": "1",
            "user": "bob",
            "offset": 2,
        }

    async def test_with_auto_there_is_no_ack_header(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.subscribe()
        await client.post()
        assert "ack" not in (await client.messages(1))[0].headers

    async def test_a_nack_changes_nothing(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe(ack="client")
        await bob.post()
        (got,) = await bob.messages(1)
        await bob.send("NACK", id=got.headers["ack"], receipt="r")
        assert (await bob.next()).command == "RECEIPT"
        assert await self.marker(site) == 0

    async def test_what_is_no_position_cannot_be_acked(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe(ack="client")
        await bob.send("ACK", id="nonsense")
        assert await bob.error() == ("bad_request", 4405)

    @pytest.mark.parametrize("message_id", ["2.e.1", "1.zzz.1"])
    async def test_what_is_of_no_subscription_any_more_changes_nothing(
        self, site: Site, message_id: str
    ) -> None:
        """Another room's, another epoch's: it was true when it was sent."""
        bob = await site.stomp_user("bob")
        await bob.subscribe(ack="client")
        await bob.post()
        await bob.messages(1)
        await bob.send("ACK", id=message_id, receipt="r")
        assert (await bob.next()).headers["receipt-id"] == "r"
        assert await self.marker(site) == 0

    @pytest.mark.parametrize("destination", [f"{ROOM}/activity", "/user/queue/rooms"])
    async def test_only_the_log_has_a_marker(self, site: Site, destination: str) -> None:
        bob = await site.stomp_user("bob")
        await bob.send("SUBSCRIBE", id="1", destination=destination, ack="client")
        assert await bob.error() == ("bad_request", 4405)


class TestFloods:
    """What one client asks for must not cost all others."""

    async def test_typing_is_shown_once_a_second(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe(f"{ROOM}/activity")
        alice = await site.stomp_user()
        for _ in range(200):
            await alice.send("SEND", '{"roomId": "1"}', destination="/app/typing")
        await alice.send("SEND", '{"roomId": "1"}', destination="/app/leave", receipt="left")
        assert (await alice.next()).headers["receipt-id"] == "left"
        seen: list[str] = []
        while not seen or seen[-1] != "left":
            (one,) = await bob.messages(1)
            seen.append(one.json["type"])
        assert 1 <= seen.count("typing") <= 5

    async def test_a_subscription_id_has_a_length(self, site: Site) -> None:
        """It is part of every MESSAGE, and views are cached by it."""
        client = await site.stomp_user()
        await client.send("SUBSCRIBE", id="i" * 257, destination=ROOM)
        assert await client.error() == ("bad_request", 4405)


class TestTransactions:
    """BEGIN, COMMIT and ABORT hold SENDs back until COMMIT."""

    async def test_held_sends_go_out_together_in_order_and_then_the_receipt(
        self, site: Site
    ) -> None:
        client = await site.stomp_user()
        await client.send("BEGIN", transaction="t", receipt="begun")
        assert (await client.next()).headers["receipt-id"] == "begun"
        for content in ("a", "b"):
            await client.post(content, transaction="t", receipt=f"r-{content}")
        await client.post("outside", receipt="r-outside")
        assert (await client.next()).headers["receipt-id"] == "r-outside"
        assert await site.history() == ["outside"]
        await client.send("COMMIT", transaction="t", receipt="done")
        receipts = [(await client.next()).headers["receipt-id"] for _ in range(3)]
        assert receipts == ["r-a", "r-b", "done"]
        assert await site.history() == ["outside", "a", "b"]

    async def test_a_refused_send_refuses_the_receipt_of_its_commit(self, site: Site) -> None:
        """A RECEIPT covers all that the COMMIT let go."""
        client = await site.stomp_user(**{"x-soft-errors": "true"})
        await client.subscribe("/user/queue/errors", "e")
        for commit, content, answer in (("one", " ", "MESSAGE"), ("two", "a", "RECEIPT")):
            await client.send("BEGIN", transaction="t")
            await client.post(content, transaction="t")
            await client.send("COMMIT", transaction="t", receipt=commit)
            if answer == "MESSAGE":
                refused, committed = await client.messages(2)
                assert refused.json["code"] == committed.json["code"] == "invalid_content"
                assert committed.json["receiptId"] == commit
            else:
                assert (await client.next()).headers["receipt-id"] == commit

    async def test_an_aborted_one_leaves_nothing(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.send("BEGIN", transaction="t")
        await client.post("a", transaction="t")
        await client.send("ABORT", transaction="t", receipt="r")
        assert (await client.next()).headers["receipt-id"] == "r"
        await client.send("COMMIT", transaction="t")
        assert await client.error() == ("unknown_transaction", 4400)
        assert await site.history() == []


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


class TestPassingBy:
    async def test_typing_read_and_leave_are_seen_by_the_others(self, site: Site) -> None:
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        await alice.subscribe(f"{ROOM}/activity")
        await bob.subscribe()
        await bob.post("hello")
        await bob.messages(1)
        for name, body in (
            ("typing", {"roomId": "1"}),
            ("read", {"roomId": "1", "offset": 1}),
            ("leave", {"roomId": "1", "user": "bob"}),
        ):
            await bob.app(name, body, receipt=name)
            assert (await bob.next()).headers["receipt-id"] == name
        got = [one.json for one in await alice.messages(3)]
        assert got == [
            {"type": "typing", "roomId": "1", "user": "bob", "userName": "Bob"},
            {"type": "read", "roomId": "1", "user": "bob", "offset": 1},
            {"type": "left", "roomId": "1", "user": "bob"},
        ]

    async def test_leaving_ends_the_subscriptions_to_the_room(self, site: Site) -> None:
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        await bob.subscribe()
        await bob.app("leave", {"roomId": "1"}, receipt="r")
        await bob.next()
        await alice.post(receipt="r")
        await alice.next()
        await bob.nothing_more()

    @pytest.mark.parametrize(
        ("name", "body", "code"),
        [
            ("typing", {}, "bad_request"),
            ("typing", {"roomId": "2"}, "not_a_member"),
            ("read", {"roomId": "1"}, "bad_request"),
            ("read", {"roomId": "1", "offset": -1}, "bad_request"),
            ("read", {"roomId": "1", "offset": "1"}, "bad_request"),
            ("read", {"roomId": "2", "offset": 1}, "not_a_member"),
            ("leave", {"roomId": "1", "user": "alice"}, "sender_mismatch"),
        ],
    )
    async def test_bad_ones_are_refused(
        self, site: Site, name: str, body: object, code: str
    ) -> None:
        bob = await site.stomp_user("bob", x_soft_errors="true")
        await bob.app(name, body, receipt="r")
        assert (await bob.next()).json["code"] == code

    @pytest.mark.parametrize("offset", [2**63, 2**64, 10**36])
    async def test_an_offset_beyond_all_logs_is_the_end_or_refused(
        self, site: Site, offset: int
    ) -> None:
        bob = await site.stomp_user("bob", x_soft_errors="true")
        await bob.app("read", {"roomId": "1", "offset": offset}, receipt="r")
        assert (await bob.next()).command in ("RECEIPT", "MESSAGE")
        await bob.subscribe()


class TestUserQueues:
    async def test_who_does_not_look_is_notified_and_sees_the_list_change(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe("/user/queue/notifications", "n")
        await bob.subscribe("/user/queue/rooms", "l")
        alice = await site.stomp_user("alice")
        await site.until_present(BOB)
        await alice.post("hello")
        got = {one.headers["subscription"]: one for one in await bob.messages(2)}
        assert got["n"].headers["destination"] == "/user/queue/notifications"
        assert got["n"].json["type"] == "notification"
        assert got["n"].json["message"]["content"] == "hello"
        assert got["n"].json["unreadCount"] == 1
        assert got["l"].json["type"] == "room"
        assert got["l"].json["lastMessage"] == "hello"
        assert got["l"].json["lastMessageSender"] == "alice"
        assert len({one.headers["message-id"] for one in got.values()}) == 2

    async def test_ones_own_read_marker_changes_the_list_on_all_devices(self, site: Site) -> None:
        phone, laptop = await site.stomp_user("bob"), await site.stomp_user("bob")
        await laptop.subscribe("/user/queue/rooms", "l")
        await phone.subscribe()
        await phone.post("hello")
        await phone.messages(1)
        await phone.app("read", {"roomId": "1", "offset": 1})
        while "lastMessage" in (change := (await laptop.next()).json):
            pass
        assert change == {"type": "room", "to": "bob", "roomId": "1", "unreadCount": 0}

    async def test_a_queue_that_was_left_is_silent(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe("/user/queue/rooms", "l")
        await bob.send("UNSUBSCRIBE", id="l", receipt="r")
        assert (await bob.next()).command == "RECEIPT"
        await site.remove(BOB)
        await bob.nothing_more()


class TestRevocation:
    """I6: a lost membership ends subscriptions at once, and not the connection."""

    async def test_the_last_message_says_so_and_nothing_follows_it(self, site: Site) -> None:
        alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
        await bob.subscribe("/user/queue/rooms", "l")
        await bob.subscribe()
        await site.remove(BOB)
        last, change = await bob.messages(2)
        removed = {"type": "removed", "to": "bob", "roomId": "1"}
        assert (last.json, last.headers["subscription"]) == (removed, "s1")
        assert (change.json, change.headers["subscription"]) == (removed, "l")
        await alice.post("secret", receipt="r")
        await alice.next()
        await bob.post("from outside")
        assert await bob.error() == ("not_a_member", 4404)
        assert await site.history() == ["secret"]

    async def test_every_subscription_to_the_room_ends_and_no_other(self, site: Site) -> None:
        alice = await site.stomp_user("alice")
        await site.store.members.add(ONE, CAROL, Role.OWNER)
        await alice.subscribe(ROOM, "log")
        await alice.subscribe(f"{ROOM}/activity", "activity")
        await alice.subscribe("/topic/rooms/2", "other")
        await site.remove(ALICE)
        ended = await alice.messages(2)
        assert {one.headers["subscription"] for one in ended} == {"log", "activity"}
        await alice.post("over there", "2")
        assert await alice.contents(1) == ["over there"]

    async def test_who_is_a_member_again_may_subscribe_again(self, site: Site) -> None:
        bob = await site.stomp_user("bob")
        await bob.subscribe()
        await site.remove(BOB)
        await bob.messages(1)
        await site.store.members.add(ONE, BOB, Role.MEMBER)
        await bob.subscribe()


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


class TestEnding:
    async def test_disconnect_is_answered_after_all_that_came_before(self, site: Site) -> None:
        client = await site.stomp_user()
        for number in range(5):
            await client.post(str(number), receipt=str(number))
        await client.send("DISCONNECT", receipt="bye")
        receipts = [(await client.next()).headers["receipt-id"] for _ in range(6)]
        assert receipts == ["0", "1", "2", "3", "4", "bye"]
        ended = await client.end()
        assert (ended.code, ended.reason) == (1000, "bye")

    async def test_a_client_that_just_goes_leaves_nothing_behind(self, site: Site) -> None:
        client = await site.stomp_user()
        await client.subscribe()
        assert site.figure("connections", door="stomp") == 1
        await client.close()
        await until(lambda: site.figure("connections", door="stomp") == 0)
        assert site.figure("subscriptions") == 0

    async def test_who_never_connects_is_ended(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(sign_in_seconds=0.5)) as site:
            silent = await site.stomp()
            anonymous = await site.stomp()
            await anonymous.connect()
            alice = await site.stomp_user("alice")
            assert await silent.error() == ("token_required", 4401)
            assert await anonymous.error() == ("token_required", 4401)
            await alice.subscribe()

    async def test_at_the_tokens_end_delivery_stops_both_ways(self, site: Site) -> None:
        """`exp`: an ERROR that says "get a token", then the end."""
        alice, bob = await site.stomp_user("alice"), await site.stomp()
        await bob.connect(Authorization=token("bob", ttl=0.8))
        await bob.subscribe()
        assert await bob.error() == ("token_expired", 4403)
        await alice.post(receipt="r")
        await alice.next()

    async def test_one_that_was_extended_goes_on(self, site: Site) -> None:
        bob = await site.stomp()
        await bob.connect(Authorization=token("bob", ttl=0.8))
        await bob.app("auth", {}, Authorization=token("bob", ttl=600))
        await asyncio.sleep(0.9)  # past the first one's end
        await bob.subscribe()


async def test_both_users_are_who_they_say(site: Site) -> None:
    """The sender is the token's user, whatever the frame says."""
    alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
    await alice.subscribe()
    await bob.post("from bob", login="alice", sender="alice")
    (got,) = await alice.messages(1)
    assert got.json["sender"] == "bob"


async def test_stomp_over_a_refused_upgrade_is_http(site: Site) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await site.http.ws_connect(f"{site.url}/allibe-ws", method="POST")
