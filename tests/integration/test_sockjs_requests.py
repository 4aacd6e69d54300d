"""SockJS's addresses and what hostile requests get: sockjs-protocol 0.3.3, on a real gateway."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientResponse

from allibe_gateway.app import Entry
from allibe_gateway.limits import Limits
from allibe_services.origins import Origins
from tests.integration.gateway import Site, StompClient, frame, running, token
from tests.integration.sockjs import METHODS, SockJs
from tests.support.until import until

ELSEWHERE = "https://elsewhere.example"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    limits = Limits(websocket_message_bytes=4096, sockjs_disconnect_seconds=60)
    async with running(tmp_path, limits=limits) as site:
        yield site


async def ask(site: Site, method: str, path: str, **headers: str) -> ClientResponse:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await site.http.request(method, f"{site.url}/allibe-ws{path}", headers=headers)
    await answer.read()
    return answer


async def opened(site: Site, transport: str = "xhr", name: str = "session-1") -> SockJs:
    client = SockJs(site, transport, name)
    assert await client.frame() == "o"
    return client


class TestPages:
    @pytest.mark.parametrize("path", ["", "/"])
    async def test_greeting(self, site: Site, path: str) -> None:
        answer = await ask(site, "GET", path)
        assert (answer.status, await answer.text()) == (200, "Welcome to SockJS!\n")
        assert answer.headers["Content-Type"].lower() == "text/plain; charset=utf-8"

    @pytest.mark.parametrize("path", ["/a", "//", "/a/a", "/a/a/", "/iframe.htm", "/IFRAME.HTML"])
    async def test_nothing_else_is_there(self, site: Site, path: str) -> None:
        assert (await ask(site, "GET", path)).status == 404

    async def test_info(self, site: Site) -> None:
        """Cookies are not needed: paths lead a session to one gateway."""
        answers = [await ask(site, "GET", "/info") for _ in range(2)]
        told = [await one.json() for one in answers]
        entropy = [one.pop("entropy") for one in told]
        assert told == [{"websocket": True, "cookie_needed": False, "origins": ["*:*"]}] * 2
        assert all(0 <= one < 2**32 for one in entropy)
        assert entropy[0] != entropy[1]
        assert "no-store" in answers[0].headers["Cache-Control"]

    @pytest.mark.parametrize("path", ["/iframe.html", "/iframe-1.6.1.html?t=1", "/iframe-.html"])
    async def test_the_iframes_page_loads_the_client_and_is_kept(
        self, site: Site, path: str
    ) -> None:
        answer = await ask(site, "GET", path)
        found = re.search(r'<script src="([^"]*)"', await answer.text())
        assert found is not None
        assert found[1].endswith("/sockjs-client@1.6.1/dist/sockjs.min.js")
        assert "SockJS.bootstrap_iframe();" in await answer.text()
        assert re.search("public, max-age=[1-9][0-9]{6}", answer.headers["Cache-Control"])
        again = await ask(site, "GET", path, If_None_Match=answer.headers["ETag"])
        assert (again.status, await again.read()) == (304, b"")

    async def test_the_clients_address_cannot_break_out_of_the_page(self, tmp_path: Path) -> None:
        url = 'https://a.example/"><script>alert(1)</script>'
        async with running(tmp_path, sockjs_client_url=url) as site:
            page = await (await ask(site, "GET", "/iframe.html")).text()
        assert "<script>alert" not in page


class TestOrigins:
    """The list is that of all doors: here the server's own origin only."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/info"),
            ("OPTIONS", "/info"),
            ("POST", "/0/session-1/xhr_send"),
            ("POST", "/0/session-1/jsonp_send"),
            ("OPTIONS", "/0/session-1/xhr"),
            *((method, f"/0/session-1/{name}?c=x") for name, method in METHODS.items()),
        ],
    )
    async def test_a_page_from_elsewhere_gets_nothing(
        self, site: Site, method: str, path: str
    ) -> None:
        answer = await ask(site, method, path, Origin=ELSEWHERE)
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert site.figure("connections", door="sockjs") in (None, 0)

    @pytest.mark.parametrize("path", ["/websocket", "/0/session-1/websocket"])
    async def test_no_web_socket_either(self, site: Site, path: str) -> None:
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": ELSEWHERE}
        assert (await ask(site, "GET", path, **headers)).status == 403

    @pytest.mark.parametrize("name", METHODS)
    async def test_a_page_of_ours_may_read_answers(self, site: Site, name: str) -> None:
        url, headers = f"{site.url}/allibe-ws/0/session-1/{name}?c=x", {"Origin": site.url}
        answer = await site.http.request(METHODS[name], url, headers=headers)
        answer.close()
        assert answer.headers["Access-Control-Allow-Origin"] == site.url
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert answer.headers["Vary"] == "Origin"

    @pytest.mark.parametrize("path", ["/info", "/0/session-1/xhr", "/0/session-1/xhr_send"])
    async def test_a_preflight_is_answered(self, site: Site, path: str) -> None:
        asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "a, b"}
        answer = await ask(site, "OPTIONS", path, Origin=site.url, **asked)
        assert (answer.status, await answer.read()) == (204, b"")
        assert answer.headers["Access-Control-Allow-Origin"] == site.url
        assert answer.headers["Access-Control-Allow-Headers"] == "a, b"
        method = "GET" if path == "/info" else "POST"
        assert answer.headers["Access-Control-Allow-Methods"] == f"OPTIONS, {method}"


class TestWebSockets:
    @pytest.mark.parametrize("path", ["/websocket", "/0/session-1/websocket"])
    async def test_plain_http_is_told_so(self, site: Site, path: str) -> None:
        assert (await ask(site, "GET", path)).status == 400
        refused = await ask(site, "POST", path)
        assert (refused.status, "GET" in refused.headers["Allow"]) == (405, True)

    async def test_the_raw_one_is_stomp_with_its_subprotocol(self, site: Site) -> None:
        socket = await site.web_socket("/allibe-ws/websocket", protocols=("v11.stomp", "v10.stomp"))
        assert socket.protocol == "v11.stomp"
        await StompClient(socket).connect(Authorization=token("alice"))

    async def test_frames_in_messages(self, site: Site) -> None:
        """Two sessions under one id are two; what is empty is ignored."""
        for _ in range(2):
            socket = await site.web_socket("/allibe-ws/000/same/websocket")
            assert await socket.receive_str() == "o"
            await socket.send_str("")
            await socket.send_str("[]")
            connect = frame("CONNECT", accept_version="1.2", host="h", Authorization=token("bob"))
            await socket.send_str(json.dumps(list(connect)))  # a frame in many pieces
            (answer,) = json.loads((await socket.receive_str())[1:])
            assert answer.startswith("CONNECTED\n")
        await socket.send_str(json.dumps([frame("SEND", "안녕\u200d", destination="/app/none")]))
        (answer,) = json.loads((await socket.receive_str())[1:])
        assert "x-code:unknown_destination" in answer
        assert await socket.receive_str() == 'c[4405,"refused"]'
        assert (await socket.receive()).data == 4405

    @pytest.mark.parametrize("text", ['["a', "{}", "[1]", "nonsense", '["\\ud800"]', '"a"'])
    async def test_what_is_no_array_of_texts_ends_it(self, site: Site, text: str) -> None:
        socket = await site.web_socket("/allibe-ws/000/one/websocket")
        await socket.send_str(text)
        assert await socket.receive_str() == "o"
        assert await socket.receive_str() == 'c[4400,"protocol error"]'
        assert (await socket.receive()).data == 4400

    async def test_heart_beats(self, tmp_path: Path) -> None:
        limits = Limits(sockjs_heart_beat_seconds=0.1, heart_beat_seconds=0.1)
        async with running(tmp_path, limits=limits) as site:
            socket = await site.web_socket("/allibe-ws/000/one/websocket")
            assert [await socket.receive_str() for _ in range(3)] == ["o", "h", "h"]


class TestSending:
    @pytest.mark.parametrize("transport", ["xhr", "jsonp"])
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ('["x', "Broken JSON encoding."),
            ('{"a": 1}', "Broken JSON encoding."),
            ("[" * 1000, "Broken JSON encoding."),
            ("[1]", "Broken JSON encoding."),
            ('["\\ud800"]', "Broken JSON encoding."),
            ("", "Payload expected."),
        ],
    )
    async def test_what_is_no_array_of_texts_is_refused(
        self, site: Site, transport: str, body: str, said: str
    ) -> None:
        """The session lives."""
        client = await opened(site, transport)
        assert await client.post(body) == (500, said)
        await client.send("\n")

    async def test_bytes_that_are_no_text_are_refused(self, site: Site) -> None:
        client = await opened(site)
        assert await client.post(b'["\xff"]') == (500, "Broken JSON encoding.")

    @pytest.mark.parametrize("kind", ["text/plain", "T", "application/json", "text/xml", ""])
    async def test_any_content_type_will_do(self, site: Site, kind: str) -> None:
        client = await opened(site)
        assert (await client.post('["\\n"]', **{"Content-Type": kind}))[0] == 204

    async def test_a_form_may_also_be_none(self, site: Site) -> None:
        client = await opened(site, "jsonp")
        headers = {"Content-Type": "text/plain"}
        assert await client.post('["\\n"]', **headers) == (200, "ok")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for body in ("", "d=", "p=p", "&".join(["a=1"] * 100), "d=%FF"):
            assert (await client.post(body, **form))[0] == 500

    @pytest.mark.parametrize("transport", ["xhr", "jsonp"])
    async def test_too_much_is_not_read(self, site: Site, transport: str) -> None:
        """4,096 bytes here. However it is sent."""
        client = await opened(site, transport)
        body = json.dumps(["x" * 5000])
        assert (await client.post(body))[0] == 413

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(10_000):
                yield b"x" * 1000

        url = f"{site.url}/allibe-ws/000/session-1/xhr_send"
        async with site.http.post(url, data=pieces()) as answer:
            assert answer.status == 413

    async def test_sessions_that_are_not_there_get_404(self, site: Site) -> None:
        for kind in ("xhr_send", "jsonp_send"):
            assert (await ask(site, "POST", f"/000/session-none/{kind}")).status == 404

    async def test_messages_of_requests_at_once_stay_whole(self, site: Site) -> None:
        """Each is handled before the next is read."""
        client = await opened(site)
        await client.send(frame("CONNECT", accept_version="1.2", Authorization=token("alice")))
        await client.stomp()
        posts = [client.publish(f"{n} {'x' * 500}", receipt=str(n)) for n in range(20)]
        await asyncio.gather(*posts)
        assert len({(await client.stomp()).headers["receipt-id"] for _ in range(20)}) == 20


class TestCallbacks:
    @pytest.mark.parametrize("name", ["jsonp", "htmlfile"])
    @pytest.mark.parametrize(
        "callback", [" ", "*", "abc(", "a</script>", "a;alert(1)", "a\nb", "한", "x" * 129]
    )
    async def test_what_is_no_name_is_refused(self, site: Site, name: str, callback: str) -> None:
        answer = await site.http.get(
            f"{site.url}/allibe-ws/0/session-1/{name}", params={"c": callback}
        )
        assert (answer.status, await answer.text()) == (500, 'invalid "callback" parameter')
        assert answer.content_type == "text/plain"

    @pytest.mark.parametrize("name", ["jsonp", "htmlfile"])
    async def test_without_one(self, site: Site, name: str) -> None:
        answer = await ask(site, "GET", f"/0/session-1/{name}")
        assert (answer.status, await answer.text()) == (500, '"callback" parameter required')


class TestWhoseSession:
    """The id is a secret of the client's; what else there is to compare is compared."""

    @pytest.mark.parametrize("session", ["short", "1234567", "x" * 129, "with.dot-in-it"])
    async def test_ids_that_could_be_guessed_are_none(self, site: Site, session: str) -> None:
        assert (await ask(site, "POST", f"/000/{session}/xhr")).status == 404

    @pytest.mark.parametrize(
        ("server", "query", "origin"),
        [
            ("001", "token={alice}", None),
            ("000", "token={bob}", None),
            ("000", "", None),
            ("000", "token={alice}", "https://other.example"),
        ],
        ids=["server", "credential", "no-credential", "origin"],
    )
    async def test_another_neither_receives_nor_sends(
        self, tmp_path: Path, server: str, query: str, origin: str | None
    ) -> None:
        tokens = {user: token(user) for user in ("alice", "bob")}
        async with running(
            tmp_path, entry=Entry(origins=Origins("self, https://other.example"))
        ) as site:
            alice = SockJs(site, "xhr", "session-1", Origin=site.url)
            alice.query = {"token": tokens["alice"]}
            assert await alice.frame() == "o"
            await alice.send(frame("CONNECT", accept_version="1.2", host="h"))
            path = f"/{server}/session-1"
            query = "?" + query.format(**tokens)
            headers = {} if origin is None else {"Origin": origin}
            for kind in ("xhr", "xhr_streaming", "xhr_send"):
                assert (await ask(site, "POST", f"{path}/{kind}{query}", **headers)).status == 404
            for kind in ("eventsource", "jsonp"):
                answer = await ask(site, "GET", f"{path}/{kind}{query}&c=x", **headers)
                assert answer.status == 404
            assert (await alice.stomp()).headers["user-name"] == "alice"

    @pytest.mark.parametrize("name", ["token", "ticket"])
    async def test_what_it_was_opened_with_is_asked_for_again(self, site: Site, name: str) -> None:
        assert (await ask(site, "POST", f"/000/session-1/xhr?{name}=a")).status == 200
        for query, status in (("", 404), (f"?{name}=b", 404), (f"?{name}=a", 500)):
            path = f"/000/session-1/xhr_send{query}"
            assert (await ask(site, "POST", path)).status == status

    async def test_an_id_used_again_leads_to_nothing_of_the_old_session(
        self, tmp_path: Path
    ) -> None:
        limits = Limits(sockjs_disconnect_seconds=0.1, heart_beat_seconds=0.1)
        async with running(tmp_path, limits=limits) as site:
            alice = SockJs(site, "xhr", "session-1")
            await alice.connect()
            await until(lambda: not site.gateway._connections)
            await until(lambda: not site.gateway._sockjs._connections._sessions)
            other = await opened(site)
            await other.send(frame("SUBSCRIBE", destination="/topic/rooms/1", id="s"))
            assert (await other.stomp()).headers["x-code"] == "not_connected"

    async def test_there_are_only_so_many(self, tmp_path: Path) -> None:
        async with running(tmp_path, limits=Limits(sockjs_sessions=2)) as site:
            for name in ("session-1", "session-2"):
                await opened(site, name=name)
            refused = await ask(site, "POST", "/000/session-3/xhr")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
            assert (await refused.json())["code"] == "overloaded"
