"""`terminal.api`: what the server's answers mean, and what a failed connection does."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLError

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from allibe_standalone.terminal.api import Api, NoDemo, message_of, unreachable
from allibe_standalone.terminal.endings import CONNECTION_LOST, CannotChat, Lost


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
