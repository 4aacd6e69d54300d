"""Tokens over several processes: what one of them is told holds at all of them."""

import asyncio
import time

import jwt
import pytest

from allibe_services.contracts import disconnects
from allibe_services.contracts.errors import LeasesUnavailable
from deploy.cluster.parts import Cluster
from tests.support.clients import Clients
from tests.support.cluster import place
from tests.support.json_client import Api
from tests.support.places import SignedPlace

PROMISED_SECONDS = 2.0

MARGIN_SECONDS = 8.0
"""Beyond what is promised: two processors, and others who use them."""


@pytest.fixture
def system(cluster: Cluster, server: SignedPlace, clients: Clients) -> Api:
    """The owner's back end."""
    claims = {"sub": "backend", "exp": time.time() + 600, "scope": "chat:admin"}
    token = jwt.encode(claims, cluster.secret(), "HS256")
    server.tokens.add(token)
    return Api(clients.session, server, token)


@pytest.mark.parametrize("bus", ["there", pytest.param("away", marks=pytest.mark.long)])
async def test_a_revocation_ends_connections_at_every_gateway(
    cluster: Cluster, server: SignedPlace, clients: Clients, system: Api, bus: str
) -> None:
    """Also while RabbitMQ is away: it is not told over that."""
    user = f"mallory-{bus}"
    open_ones = [
        await clients.stomp(place(cluster, gateway.url), user) for gateway in cluster.gateways
    ]
    if bus == "away":
        await asyncio.to_thread(cluster.nodes[0].stop)
    began = time.monotonic()
    status, made = await system.ask("POST", "/admin/revocations", {"userId": user})
    assert status == 201, made
    codes = [await client.closed() for client in open_ones]
    took = time.monotonic() - began
    assert codes == [disconnects.TOKEN_REVOKED.code] * 2
    assert took < PROMISED_SECONDS + MARGIN_SECONDS
    print(f"revoked after {took:.2f} s")
    again = await clients.web_socket(place(cluster, cluster.gateways[0].url))
    await again.send_frame(
        "CONNECT", {"accept-version": "1.2", "Authorization": server.token(user)}
    )
    assert (await again.error()).headers["x-code"] == "token_revoked"


async def test_a_ticket_is_good_once_over_all_gateways(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    """It comes from rooms-api. No log holds it, the load balancer's neither."""
    status, made = await clients.api(server, "alice").ask("POST", "/tickets")
    assert status == 201, made
    server.tokens.add(made["ticket"])
    query = {"ticket": made["ticket"]}
    first, second = [
        await clients.web_socket(place(cluster, gateway.url), query=query)
        for gateway in cluster.gateways
    ]
    assert (await second.connect()).headers["user-name"] == "alice"
    await first.send_frame("CONNECT", {"accept-version": "1.2"})
    assert (await first.error()).headers["x-code"] == "ticket_invalid"


async def test_a_ticket_works_through_the_load_balancer(
    server: SignedPlace, clients: Clients
) -> None:
    alice = clients.api(server, "alice")
    room = await alice.new_room()
    _, made = await alice.ask("POST", "/tickets")
    server.tokens.add(made["ticket"])
    client = await clients.json_socket(server, {"roomId": room, "ticket": made["ticket"]})
    assert (await client.of_type("joined"))["user"] == "alice"


async def test_while_redis_is_away_there_are_no_tickets_and_tokens_do(
    cluster: Cluster, server: SignedPlace, clients: Clients
) -> None:
    await asyncio.to_thread(cluster.redis.stop)
    status, problem = await clients.api(server, "alice").ask("POST", "/tickets")
    assert (status, problem["code"]) == (503, LeasesUnavailable.code)
    assert problem["retryable"]
    await clients.stomp(server, "alice")
