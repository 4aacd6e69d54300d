"""`terminal.api`: what the server's answers mean, what a failed connection does, and tokens."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLError

import aiohttp
import jwt
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from allibe_services.contracts.disconnects import TOKEN_EXPIRED
from allibe_services.settings import Settings
from allibe_standalone.terminal.api import (
    Api,
    NoDemo,
    Tokens,
    message_of,
    tokens_for,
    unreachable,
)
from allibe_standalone.terminal.endings import CONNECTION_LOST, CannotChat, Lost

EXPIRED = Lost(TOKEN_EXPIRED, "The token has expired.")


@asynccontextmanager
async def _answering(status: int, text: str) -> AsyncIterator[Api]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Api(session, server.make_url("/"))


async def test_history_keeps_entries_of_kinds_that_it_does_not_know() -> None:
    page = (
        '{"epoch":"e1","lastOffset":2,"messages":[{"type":"edit","of":1},'
        '{"type":"message","roomId":"1","epoch":"e1","offset":2,"messageId":"x","sender":"bob",'
        '"content":"hi","sentAt":"2025-03-04T12:00:00Z","new":true}]}'
    )
    async with _answering(200, page) as api:
        got = await api.history("1", "token", limit=20)
    edit, message = map(message_of, got.messages)
    assert edit is None
    assert message is not None
    assert message.content == "hi"


@pytest.mark.parametrize(
    ("status", "reconnect"), [(500, True), (503, True), (429, True), (401, True)]
)
async def test_some_refusals_are_for_now(status: int, reconnect: bool) -> None:
    async with _answering(status, "<html>oh</html>") as api:
        with pytest.raises(Lost, match=str(status)) as caught:
            await api.history("1", "token", limit=20)
    assert caught.value.disconnect.reconnect is reconnect
    assert caught.value.disconnect.new_token is (status == 401)


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_others_are_for_good_in_the_servers_words(status: int) -> None:
    async with _answering(status, '{"detail":"You are no\\u001b[2J member."}') as api:
        with pytest.raises(CannotChat) as caught:
            await api.members("1", "token")
    assert str(caught.value) == "You are no\\x1b[2J member."


async def test_what_is_no_allibe_server_is_said_to_be_none() -> None:
    async with _answering(200, "<html>hello</html>") as api:
        with pytest.raises(CannotChat, match="not of an Allibe server"):
            await api.history("1", "token", limit=20)


async def test_a_server_without_a_demo_is_told_apart_from_a_user_that_it_lacks() -> None:
    async with _answering(404, "404: Not Found") as api:
        with pytest.raises(NoDemo):
            await api.demo_token("alice")
    async with _answering(400, '{"detail":"user is one of alice, bob, carol"}') as api:
        with pytest.raises(CannotChat, match="user is one of"):
            await api.demo_token("zed")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (SSLError(1, "[SSL] wrong version number"), "[SSL] wrong version number"),
        (aiohttp.ClientError(), "ClientError"),
    ],
)
def test_a_failed_connection_says_where_to_and_why(error: Exception, words: str) -> None:
    lost = unreachable(URL("http://127.0.0.1:9/api"), error)
    assert lost.disconnect is CONNECTION_LOST
    assert lost.text == f"cannot connect to 127.0.0.1:9: {words}"


def test_an_entry_that_is_no_message_is_nothing_to_show() -> None:
    assert message_of(b"not json") is None
    assert message_of(msgspec.Raw(b'{"type":"edit"}')) is None


class _Source:
    def __init__(self) -> None:
        self.made = 0

    async def __call__(self) -> str:
        self.made += 1
        return f"token-{self.made}"


async def test_a_token_is_kept_until_the_server_rejects_it() -> None:
    tokens = Tokens(source=_Source())
    assert await tokens.take() == "token-1"
    assert await tokens.take() == "token-1"
    tokens.accepted()
    tokens.rejected(EXPIRED)
    assert await tokens.take() == "token-2"


async def test_a_token_that_was_never_good_is_not_followed_by_its_like() -> None:
    """A wrong secret would otherwise be tried for ever."""
    tokens = Tokens(source=_Source())
    await tokens.take()
    with pytest.raises(CannotChat, match="ALLIBE_JWT_SECRET"):
        tokens.rejected(EXPIRED)


async def test_a_fresh_token_has_to_prove_itself_again() -> None:
    tokens = Tokens(source=_Source())
    await tokens.take()
    tokens.accepted()
    tokens.rejected(EXPIRED)
    await tokens.take()
    with pytest.raises(CannotChat):
        tokens.rejected(EXPIRED)


async def test_a_given_token_is_the_only_one() -> None:
    tokens = Tokens(given="mine")
    assert await tokens.take() == "mine"
    tokens.accepted()
    with pytest.raises(CannotChat, match="Start again with a new --token"):
        tokens.rejected(EXPIRED)


async def test_the_given_token_goes_before_the_secret_and_the_secret_before_the_demo() -> None:
    secret = "a secret for the tests, 32 bytes long"
    async with aiohttp.ClientSession() as session:
        api = Api(session, URL("http://127.0.0.1:9"))
        settings = Settings(jwt_secret=secret, jwt_audience="chat")
        given = tokens_for(settings, api, user="alice", given="Bearer abc")
        signed = tokens_for(settings, api, user="alice", given=None)
        asked = tokens_for(Settings(), api, user="alice", given=None)
        assert await given.take() == "abc"
        claims = jwt.decode(await signed.take(), secret, ["HS256"], audience="chat")
        assert claims["sub"] == "alice"
        with pytest.raises(Lost, match="cannot connect to"):
            await asked.take()


@pytest.mark.parametrize("given", ["", " ", "a\nb", "Bearer ", "토큰"])
def test_what_can_be_no_token_is_refused_at_once(given: str) -> None:
    with pytest.raises(CannotChat, match="no token"):
        tokens_for(Settings(), None, user="alice", given=given)  # type: ignore[arg-type]


def test_an_unfit_secret_is_an_error_and_not_a_reason_to_ask_the_demo() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tokens_for(Settings(jwt_secret="short"), None, user="alice", given=None)  # type: ignore[arg-type]
