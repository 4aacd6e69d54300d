"""What the demo hands out, and to whom: anybody on this machine, no page from elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from allibe_fanout_worker.push import ways
from allibe_services.settings import Settings, load
from allibe_services.vapid import VapidKey
from allibe_standalone import demo
from allibe_standalone.processes import Process
from tests.support.server import SECRET

Client = TestClient[Any, Any]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    settings = Settings(jwt_secret=SECRET)
    app = web.Application()
    demo.extras(settings)(app, Process(settings))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_the_users_are_those_who_can_have_a_token(client: Client) -> None:
    async with client.get("/api/demo/users") as answer:
        users = await answer.json()
        assert answer.headers["Cache-Control"] == "no-store"
    assert users == [
        {"user": "alice", "name": "Alice"},
        {"user": "bob", "name": "Bob"},
        {"user": "carol", "name": "Carol"},
    ]
    for one in users:
        async with client.get("/api/demo/token", params={"user": one["user"]}) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            told = jwt.decode((await answer.json())["token"], SECRET, ["HS256"])
        assert (told["sub"], told["name"]) == (one["user"], one["name"])


@pytest.mark.parametrize("path", ["/api/demo/users", "/api/demo/token?user=alice"])
async def test_a_page_whose_name_was_rebound_to_this_machine_gets_nothing(
    client: Client, path: str
) -> None:
    """DNS rebinding: the browser takes it for the same origin, but still sends its name."""
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1"):
        async with client.get(path, headers={"Host": host}) as answer:
            assert (answer.status, answer.content_type) == (400, "application/problem+json")
            assert (await answer.json())["detail"] == "the demo answers to localhost only"


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
async def test_every_name_of_this_machine_will_do(client: Client, host: str) -> None:
    async with client.get("/api/demo/users", headers={"Host": host}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "user is one of alice, bob, carol"),
        ("?user=zed", "user is one of alice, bob, carol"),
        ("?user=alice&ttl=soon", "ttl is a number of seconds"),
        ("?user=alice&ttl=0", "ttl is more than 0 and at most 2592000"),
        ("?user=alice&ttl=nan", "ttl is more than 0 and at most 2592000"),
    ],
)
async def test_a_token_that_cannot_be_had_is_refused_with_the_reason(
    client: Client, query: str, detail: str
) -> None:
    async with client.get(f"/api/demo/token{query}") as answer:
        assert answer.status == 400
        assert (await answer.json())["detail"] == detail


def test_the_demo_keeps_its_own_key_pair_for_web_push(tmp_path: Path) -> None:
    first = demo.settings_for(Settings(), tmp_path, "127.0.0.1", 8080)
    ways.check(first)
    again = demo.settings_for(Settings(), tmp_path, "127.0.0.1", 8080)
    assert first.vapid_private_key == again.vapid_private_key
    assert (tmp_path / demo.VAPID_FILE).stat().st_mode & 0o077 == 0

    of_cluster = load(demo.vapid_settings(tmp_path))
    assert of_cluster.vapid_private_key == first.vapid_private_key
    assert of_cluster.vapid_subject == first.vapid_subject


def test_a_key_pair_of_the_users_own_counts(tmp_path: Path) -> None:
    mine = Settings(vapid_private_key=VapidKey.generate().private_key)
    mine = msgspec.structs.replace(mine, vapid_subject="mailto:me@chat.example")
    made = demo.settings_for(mine, tmp_path, "127.0.0.1", 8080)
    assert made.vapid_private_key == mine.vapid_private_key
    assert made.vapid_subject == mine.vapid_subject
