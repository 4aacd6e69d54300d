"""Where a token may come from, and whose it must be."""

import pytest

from tests.integration.gateway import ROOM, Site, StompClient, token


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


async def test_both_users_are_who_they_say(site: Site) -> None:
    """The sender is the token's user, whatever the frame says."""
    alice, bob = await site.stomp_user("alice"), await site.stomp_user("bob")
    await alice.subscribe()
    await bob.post("from bob", login="alice", sender="alice")
    (got,) = await alice.messages(1)
    assert got.json["sender"] == "bob"
