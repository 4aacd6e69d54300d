"""STOMP over each of SockJS's ways through HTTP, on a real gateway: sockjs-protocol 0.3.3."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path

import pytest

from allibe_gateway.doors.sockjs.connection import HttpConnection
from allibe_gateway.limits import Limits
from tests.integration.gateway import Site, frame, running, token
from tests.integration.sockjs import METHODS, STREAMS, SockJs
from tests.support.until import until

_numbers = count(1)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    limits = Limits(
        sockjs_heart_beat_seconds=0.4,
        sockjs_disconnect_seconds=0.6,
        sockjs_response_bytes=4096,
        heart_beat_seconds=0.4,
        close_seconds=1.0,
    )
    async with running(tmp_path, limits=limits) as site:
        yield site


Make = Callable[..., SockJs]


@pytest.fixture
async def sockjs(site: Site) -> AsyncIterator[Make]:
    made = []

    def make(transport: str, **more: str) -> SockJs:
        made.append(SockJs(site, transport, f"session-{next(_numbers)}", **more))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest.mark.parametrize("transport", METHODS)
class TestEachTransport:
    async def test_messages_go_both_ways(self, site: Site, sockjs: Make, transport: str) -> None:
        """Whatever they hold: of a script, of JSON, of a URL, of lines, of any language."""
        alice, bob = sockjs(transport), await site.stomp_user("bob")
        await bob.subscribe()
        await alice.connect()
        await alice.subscribe()
        odd = "안녕 👋 \u2028\u200d\uffff %41% </script><!-- \\ \" ' \r\n\t &amp;"
        await alice.publish(odd, receipt="m-1")
        received = [await alice.stomp(), await alice.stomp()]
        assert {one.command for one in received} == {"RECEIPT", "MESSAGE"}
        (message,) = (one for one in received if one.command == "MESSAGE")
        assert message.json["content"] == odd
        assert await bob.contents(1) == [odd]
        await bob.post("and back")
        assert await alice.content() == "and back"

    async def test_a_closing_frame_says_why_again_and_again(
        self, site: Site, sockjs: Make, transport: str
    ) -> None:
        """After the ERROR; then the session is unknown."""
        alice = sockjs(transport)
        await alice.connect()
        await alice.send(frame("SUBSCRIBE", destination="/topic/rooms/*", id="s"))
        assert (await alice.stomp()).headers["x-code"] == "invalid_room_id"
        assert [await alice.frame() for _ in range(2)] == ['c[4405,"refused"]'] * 2
        assert (await alice.post("[]"))[0] == 404
        await until(lambda: site.figure("connections", door="sockjs") == 0)
        assert site.figure("disconnects_total", code="4405") == 1

    async def test_heart_beats_come_when_nothing_else_does(
        self, sockjs: Make, transport: str
    ) -> None:
        alice = sockjs(transport)
        assert [await alice.frame() for _ in range(3)] == ["o", "h", "h"]

    async def test_a_second_receiver_is_sent_away_and_the_first_goes_on(
        self, site: Site, sockjs: Make, transport: str
    ) -> None:
        alice = sockjs(transport)
        await alice.connect()
        await alice.subscribe()
        (connection,) = site.gateway._connections
        assert isinstance(connection, HttpConnection)
        waiting = asyncio.create_task(alice.content())
        await until(lambda: connection._peer is not None)
        again = SockJs(site, transport, alice.session)
        assert await again.frame() == 'c[2010,"Another connection still open"]'
        await alice.publish("hello")
        assert await waiting == "hello"

    async def test_it_is_recovered_as_a_web_socket_is(
        self, site: Site, sockjs: Make, transport: str
    ) -> None:
        """I5: a new session goes on where the old one broke off."""
        bob, first = await site.stomp_user("bob"), sockjs(transport)
        await first.connect()
        await first.subscribe()
        await bob.post("one")
        last = (await first.stomp()).headers["message-id"]
        first.drop()
        await bob.post("two", receipt="r")
        await bob.next()
        second = sockjs(transport)
        await second.connect()
        await second.send(
            frame("SUBSCRIBE", destination="/topic/rooms/1", id="s", receipt="r", x_since=last)
        )
        assert await second.content() == "two"
        assert (await second.stomp()).headers["x-recovered"] == "true"

    async def test_no_cache_keeps_an_answer(self, sockjs: Make, transport: str) -> None:
        answer = await sockjs(transport).open()
        assert answer.headers["Cache-Control"].startswith("no-store")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"

    async def test_a_token_in_the_address_signs_in(self, sockjs: Make, transport: str) -> None:
        alice = sockjs(transport)
        alice.query = {"token": token("alice")}
        assert await alice.frame() == "o"
        await alice.send(frame("CONNECT", accept_version="1.2", host="h"))
        assert (await alice.stomp()).headers["user-name"] == "alice"


@pytest.mark.parametrize("transport", STREAMS)
async def test_a_stream_ends_after_so_many_bytes_and_goes_on_in_the_next(
    site: Site, sockjs: Make, transport: str
) -> None:
    """4,096 bytes here; nothing is lost between."""
    bob, alice = await site.stomp_user("bob"), sockjs(transport)
    await alice.connect()
    await alice.subscribe()
    assert alice.requests == 1
    for number in range(10):
        content = f"{number} {'x' * 1000}"
        await bob.post(content)
        assert await alice.content() == content
    assert alice.requests > 2


@pytest.mark.parametrize("transport", STREAMS)
async def test_a_stream_ends_when_nothing_else_is_heard_of_its_client(
    sockjs: Make, transport: str
) -> None:
    """Two heart-beats; who is still there asks again."""
    alice = sockjs(transport)
    assert [await alice.frame() for _ in range(6)] == ["o", *"hhhhh"]
    assert alice.requests > 1


class TestEndings:
    async def test_a_client_that_asks_no_more_is_gone_after_the_delay(
        self, site: Site, sockjs: Make
    ) -> None:
        """0.6 s here. Its subscriptions end too; the id is free for a new session then."""
        alice = sockjs("xhr")
        await alice.connect()
        await alice.subscribe()
        assert site.figure("subscriptions") == 1
        await until(lambda: site.figure("subscriptions") == 0)
        await until(lambda: site.figure("connections", door="sockjs") == 0)
        async with asyncio.timeout(10):
            while (text := await alice.frame()) != "o":
                assert text == 'c[1002,"Connection interrupted"]'

    async def test_a_request_that_breaks_ends_the_session(self, site: Site, sockjs: Make) -> None:
        """What was under way may be lost, and nobody must go on behind a hole."""
        alice = sockjs("xhr_streaming")
        await alice.connect()
        await alice.subscribe()
        alice.drop()
        await until(lambda: site.figure("subscriptions") == 0)
        assert await alice.frame() == 'c[1002,"Connection interrupted"]'

    async def test_nobody_signs_in(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(sign_in_seconds=0.2)) as site:
            nobody = SockJs(site, "xhr", "session-of-nobody")
            assert await nobody.frame() == "o"
            assert (await nobody.stomp()).headers["x-code"] == "token_required"
            assert await nobody.frame() == 'c[4401,"token required"]'

    async def test_a_token_ends(self, sockjs: Make) -> None:
        alice = sockjs("eventsource")
        await alice.connect(Authorization=token("alice", ttl=0.5))
        assert (await alice.stomp()).headers["x-code"] == "token_expired"
        assert await alice.frame() == 'c[4403,"token expired"]'

    async def test_stomp_heart_beats_are_kept_and_missed(self, site: Site, sockjs: Make) -> None:
        """Polls are signs of life as well: only a client without them is silent."""
        alice = sockjs("xhr_streaming")
        await alice.connect(heart_beat="400,400")
        assert await alice.frame() == 'a["\\n"]'
        while (text := await alice.frame())[0] in "ah":
            pass
        assert text == 'c[4408,"no heart-beat"]'
        assert site.figure("disconnects_total", code="4408") == 1

    async def test_a_client_that_does_not_keep_up_is_closed(self, tmp_path: Path) -> None:
        """The bound of a WebSocket's unsent bytes: here of those that no poll has fetched."""
        limits = Limits(slow_consumer_bytes=20_000, sockjs_disconnect_seconds=60)
        async with running(tmp_path, limits=limits) as site:
            bob, alice = await site.stomp_user("bob"), SockJs(site, "xhr", "slow-session")
            await alice.connect()
            await alice.subscribe()
            await bob.subscribe()
            for _ in range(40):
                await bob.post("x" * 1000)
                await bob.next()
            await until(lambda: site.figure("disconnects_total", code="4409") == 1)
            while (text := await alice.frame())[0] == "a":
                pass
            assert text == 'c[4409,"slow consumer: resume"]'

    @pytest.mark.parametrize("transport", METHODS)
    async def test_a_drain_settles_and_says_restart(
        self, site: Site, sockjs: Make, transport: str
    ) -> None:
        """Nothing new meanwhile; sessions that were there are told."""
        alice = sockjs(transport)
        await alice.connect()
        await alice.subscribe()
        waiting = asyncio.create_task(alice.frame())
        await asyncio.sleep(0.05)
        await site.gateway.drain(5)
        assert await waiting == 'c[1012,"service restart: resume"]'
        assert site.figure("connections", door="sockjs") == 0
        answer = await sockjs(transport).open()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
