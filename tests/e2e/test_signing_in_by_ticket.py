"""Tickets in the address, against a real server."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from allibe_services.contracts import disconnects
from tests.support.clients import Clients
from tests.support.json_client import Api, JsonClient
from tests.support.server import Server
from tests.support.stomp_client import StompClient

INVALID, EXPIRED = disconnects.TOKEN_INVALID.code, disconnects.TOKEN_EXPIRED.code

Issue = Callable[[str], Awaitable[str]]


@pytest.fixture
def issue(private_server: Server, clients: Clients) -> Issue:
    """Get a ticket for a token; no log may hold it."""

    async def issue(token: str) -> str:
        status, made = await Api(clients.session, private_server, token).ask("POST", "/tickets")
        assert status == 201, made
        ticket = str(made["ticket"])
        private_server.secrets.add(ticket)
        return ticket

    return issue


@pytest.fixture
async def room(private_server: Server, clients: Clients) -> str:
    return await clients.api(private_server, "alice").new_room()


async def plain(server: Server, clients: Clients, room: str, ticket: str) -> JsonClient:
    return await clients.json_socket(server, {"roomId": room, "ticket": ticket})


async def stomp(server: Server, clients: Clients, ticket: str) -> StompClient:
    return await clients.web_socket(server, query={"ticket": ticket})


async def test_a_ticket_signs_in_at_the_json_door(
    private_server: Server, clients: Clients, room: str, issue: Issue
) -> None:
    ticket = await issue(private_server.token("alice"))
    client = await plain(private_server, clients, room, ticket)
    assert (await client.of_type("joined"))["user"] == "alice"
    assert (await client.post("hello"))["roomId"] == room


async def test_a_ticket_signs_in_over_stomp(
    private_server: Server, clients: Clients, room: str, issue: Issue
) -> None:
    client = await stomp(private_server, clients, await issue(private_server.token("alice")))
    assert (await client.connect()).headers["user-name"] == "alice"
    assert (await client.post(room, "hello")).command == "RECEIPT"


async def test_it_is_good_for_one_connection_at_one_door(
    private_server: Server, clients: Clients, room: str, issue: Issue
) -> None:
    """Two who bring it at once: one is let in."""
    ticket = await issue(private_server.token("alice"))
    both = [await plain(private_server, clients, room, ticket) for _ in range(2)]
    first = await asyncio.gather(*(one.take(lambda _: True) for one in both))
    assert sorted(one["type"] for one in first) == ["error", "joined"]
    assert {one["code"] for one in first if one["type"] == "error"} == {"ticket_invalid"}
    late = await stomp(private_server, clients, ticket)
    await late.send_frame("CONNECT", {"accept-version": "1.2"})
    assert (await late.error()).headers["x-code"] == "ticket_invalid"
    assert await late.closed() == INVALID


async def test_the_connection_ends_with_the_token_that_asked(
    private_server: Server, clients: Clients, room: str, issue: Issue
) -> None:
    ticket = await issue(private_server.token("alice", ttl=2))
    client = await plain(private_server, clients, room, ticket)
    await client.of_type("joined")
    assert (await client.of_type("error"))["code"] == "token_expired"
    assert await client.closed() == EXPIRED


async def test_a_token_counts_before_a_ticket(
    private_server: Server, clients: Clients, room: str, issue: Issue
) -> None:
    ticket = await issue(private_server.token("bob"))
    query = {"roomId": room, "token": private_server.token("alice"), "ticket": ticket}
    client = await clients.json_socket(private_server, query)
    assert (await client.of_type("joined"))["user"] == "alice"
    other = await stomp(private_server, clients, ticket)
    assert (await other.connect()).headers["user-name"] == "bob"


@pytest.mark.parametrize("ticket", ["x", "x" * 43, "é" * 43])
async def test_what_is_no_ticket_is_told_and_closed(
    private_server: Server, clients: Clients, room: str, ticket: str
) -> None:
    client = await plain(private_server, clients, room, ticket)
    assert (await client.of_type("error"))["code"] == "ticket_invalid"
    assert await client.closed() == INVALID
