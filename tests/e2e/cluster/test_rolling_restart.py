"""A new version is rolled out under load: gateways are stopped and started one after the other."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from allibe_services.contracts import disconnects
from deploy.cluster.parts import Cluster
from deploy.cluster.service import Service
from tests.e2e.cluster.followers import USERS, Follower, busiest_second, user_of
from tests.support.clients import Clients
from tests.support.cluster import open_at
from tests.support.json_client import Json
from tests.support.places import SignedPlace
from tests.support.stalls import noting_stalls

KINDS = ("json", "stomp", "stock")
SERVICE_SECONDS = 2.0
"""The longest that anybody may be without service."""


@contextmanager
def sent_away(gateways: Sequence[Service], rate: int) -> Iterator[None]:
    """Let gateways send away so many connections a second."""
    for gateway in gateways:
        gateway.settings["ALLIBE_DRAIN_RATE"] = str(rate)
        gateway.restart()
    try:
        yield
    finally:
        for gateway in gateways:
            del gateway.settings["ALLIBE_DRAIN_RATE"]


@pytest.mark.parametrize(
    ("count", "rate", "restarts"),
    [
        pytest.param(36, 8, 1, id="one of two gateways"),
        pytest.param(
            150, 20, 2, id="both gateways", marks=[pytest.mark.long, pytest.mark.timeout(180)]
        ),
    ],
)
async def test_a_rolling_restart_costs_nobody_anything(
    cluster: Cluster, server: SignedPlace, clients: Clients, count: int, rate: int, restarts: int
) -> None:
    """No receipted message lost or doubled, nobody without service for 2 s, and no stampede:
    connections are opened as evenly as the old ones are sent away.
    """
    room = await clients.api(server, "alice").new_room(
        None, *(user_of(number) for number in range(min(count, USERS)))
    )
    with sent_away(cluster.gateways[:restarts], rate):
        for gateway in cluster.gateways:
            await open_at(gateway, lambda: clients.stomp(server, "alice"))
        followers = [
            Follower(
                number,
                KINDS[number % 3],
                room=room,
                place=server,
                clients=clients,
                pause=count / 10,  # 10 messages a second in all
            )
            for number in range(count)
        ]
        for follower in followers:
            await follower.begin()
        async with noting_stalls() as stalls:
            await _restart(cluster.gateways[:restarts], followers, server, clients)
    history = await clients.api(server, "alice").history(room)
    _check_messages(followers, history)
    _check_service(followers, stalls.longest)
    _check_rate(followers, rate)
    assert {code for one in followers for code in one.codes} == {disconnects.RESTART.code}


async def _restart(
    gateways: Sequence[Service],
    followers: Sequence[Follower],
    server: SignedPlace,
    clients: Clients,
) -> None:
    """Restart one after the other under load, each when the load balancer leads to the last."""
    following = [asyncio.create_task(one.follow()) for one in followers]
    posting = [asyncio.create_task(one.post()) for one in followers]
    await asyncio.sleep(0.5)
    for gateway in gateways:
        began = time.monotonic()
        await asyncio.to_thread(gateway.stop)
        print(f"\n{gateway.name} drained and ended in {time.monotonic() - began:.1f} s")
        await asyncio.to_thread(gateway.start)
        await open_at(gateway, lambda: clients.stomp(server, "alice"))
    for one in followers:
        one.end()
    await asyncio.wait_for(asyncio.gather(*posting), 30)
    await asyncio.sleep(0.2)
    for task in following:
        if task.done():
            task.result()
        task.cancel()
    for one in followers:
        one.abort()


def _check_messages(followers: Sequence[Follower], history: Sequence[Json]) -> None:
    stored = [message["clientMessageId"] for message in history]
    receipted = {name for one in followers for name in one.receipted}
    print(f"{len(receipted)} messages receipted, {len(stored)} stored, none lost or doubled")
    assert len(stored) == len(set(stored))
    assert receipted == set(stored)
    for one in followers:
        assert sorted(one.seen) == list(range(min(one.seen), max(one.seen) + 1)), one.name


def _check_service(followers: Sequence[Follower], stall: float) -> None:
    """What a busy machine makes our own loop wait is not the server's doing."""
    for kind in KINDS:
        those = [one for one in followers if one.kind == kind]
        silence = max(one.longest_silence() for one in those)
        wait = max(max(one.waits) for one in those)
        print(f"{kind}: at most {silence:.2f} s without a message, {wait:.2f} s to a receipt")
        assert silence < SERVICE_SECONDS + stall
        assert wait < SERVICE_SECONDS + stall
    print(f"longest stall of the test itself: {stall:.2f} s")


def _check_rate(followers: Sequence[Follower], rate: int) -> None:
    """Jitter of stock clients makes some seconds fuller: half as many more are granted."""
    again = [at for one in followers for at in one.opened[1:]]
    busiest = busiest_second(again)
    told = sum(len(one.opened) - 1 - len(one.codes) for one in followers)
    print(
        f"{len(again)} reconnects, {told} of them before the old connection was closed;"
        f" {busiest} in the busiest second, where {rate} are sent away"
    )
    assert len(again) > rate
    assert busiest <= 1.5 * rate + 2
