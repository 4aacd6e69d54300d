"""The requirements' path where alice is at one gateway and bob at the other."""

import asyncio
import time

from deploy.cluster.parts import Cluster
from tests.support.clients import Clients
from tests.support.cluster import json_at, stomp_at
from tests.support.places import SignedPlace
from tests.support.soon import TRIES, says, soon

MARGIN_SECONDS = 8.0
"""Beyond what is promised: two processors, and others who use them."""


async def test_both_doors_of_both_gateways_show_one_order(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    """Alice over STOMP at one gateway, bob over JSON at the other; both send, both see all."""
    alice = await stomp_at(cluster, 0, server, clients, "alice")
    await alice.subscribe(f"/topic/rooms/{room}")
    bob = await json_at(cluster, 1, server, clients, "bob", room)

    async def alice_says() -> None:
        for number in range(20):
            await alice.post(room, f"alice {number}")

    async def bob_says() -> None:
        for number in range(20):
            await bob.post(f"bob {number}")

    await asyncio.gather(alice_says(), bob_says())
    over_stomp = [await alice.body() for _ in range(40)]
    over_json = [await bob.of_type("message") for _ in range(40)]
    assert over_stomp == over_json
    assert [body["offset"] for body in over_json] == list(range(1, 41))
    assert await clients.api(server, "bob").history(room) == over_json


async def test_what_is_posted_over_http_is_live_at_every_gateway(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    """rooms-api is a third process: neither of the two gateways."""
    readers = [await json_at(cluster, number, server, clients, "bob", room) for number in (0, 1)]
    status, _ = await clients.api(server, "alice").ask(
        "POST", f"/rooms/{room}/messages", {"content": "over HTTP"}
    )
    assert status in (201, 202)
    for reader in readers:
        assert (await reader.of_type("message"))["content"] == "over HTTP"


async def test_unread_counts_are_live_at_another_gateway(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    """Bob's list counts what alice writes; his read marker, set over HTTP, is told to him, too."""
    alice = await stomp_at(cluster, 0, server, clients, "alice")
    bob = await stomp_at(cluster, 1, server, clients, "bob")
    await bob.subscribe("/user/queue/rooms", id="list")
    for number in range(TRIES):
        await alice.post(room, f"psst {number}")
        if (change := await soon(bob.body("list"))) is not None:
            break
    else:
        raise AssertionError("the list never changed")
    assert change["roomId"] == room
    assert change["unreadCount"] >= 1
    api = clients.api(server, "bob")
    (listed,) = [one for one in await api.rooms() if one["roomId"] == room]
    assert listed["unreadCount"] == number + 1
    await api.ask("PUT", f"/rooms/{room}/read", {"offset": number + 1})
    while (await bob.body("list"))["unreadCount"] != 0:
        pass


async def test_who_is_connected_to_the_other_gateway_is_notified(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    """Unless he looks at the room at any gateway: presence is of all."""
    alice = await stomp_at(cluster, 0, server, clients, "alice")
    bob = await stomp_at(cluster, 1, server, clients, "bob")
    await bob.subscribe("/user/queue/notifications", id="note")
    for number in range(TRIES):
        await alice.post(room, f"psst {number}")
        if (told := await soon(bob.body("note"))) is not None:
            break
    else:
        raise AssertionError("never notified")
    assert (told["roomId"], told["message"]["sender"]) == (room, "alice")
    screen = await json_at(cluster, 0, server, clients, "bob", room)
    for number in range(TRIES):
        await alice.post(room, f"look {number}")
        while (await screen.of_type("message"))["content"] != f"look {number}":
            pass
        if await soon(bob.take(says("note", f"look {number}"))) is None:
            return
    raise AssertionError("still notified of a room that is looked at")


async def test_a_removal_over_http_ends_the_subscription_at_a_gateway(
    cluster: Cluster, server: SignedPlace, clients: Clients, room: str
) -> None:
    """Over STOMP the last MESSAGE says so, and the connection lives; over JSON it ends.

    Promised within 2 s. Nothing comes after.
    """
    stomp = await stomp_at(cluster, 0, server, clients, "bob")
    await stomp.subscribe(f"/topic/rooms/{room}")
    plain = await json_at(cluster, 1, server, clients, "bob", room)
    alice = clients.api(server, "alice")
    began = time.monotonic()
    status, _ = await alice.ask("DELETE", f"/rooms/{room}/members/bob")
    assert status == 204
    assert (await stomp.body())["type"] == "removed"
    took = time.monotonic() - began
    assert took < 2 + MARGIN_SECONDS
    print(f"removed after {took:.3f} s")
    await stomp.subscribe("/user/queue/rooms", id="rooms")
    assert (await plain.take(lambda item: item["type"] == "error"))["code"] == "not_a_member"
    assert await plain.closed() == 4404
    await alice.ask("POST", f"/rooms/{room}/messages", {"content": "among us"})
    await stomp.send_frame(
        "SUBSCRIBE", {"id": "again", "destination": f"/topic/rooms/{room}", "receipt": "no"}
    )
    assert (await stomp.error()).headers["x-code"] == "not_a_member"
    assert not [frame for frame in stomp.waiting if b"among us" in frame.body]
