"""The handshake, CONNECT and CONNECTED."""

import aiohttp
import pytest

from tests.integration.gateway import Site, token


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


async def test_stomp_over_a_refused_upgrade_is_http(site: Site) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await site.http.ws_connect(f"{site.url}/allibe-ws", method="POST")
