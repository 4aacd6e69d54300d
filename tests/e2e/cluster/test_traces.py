"""A message's trace over processes: its context travels through RabbitMQ."""

from collections.abc import Iterator

import pytest

from deploy.cluster.parts import Cluster
from tests.e2e.cluster.conftest import make_whole
from tests.support.clients import Clients
from tests.support.cluster import place
from tests.support.collector import SETTINGS, Collector, collecting
from tests.support.server import eventually


@pytest.fixture
def collector(cluster: Cluster) -> Iterator[Collector]:
    """What the cluster's processes, all started anew, send their traces to."""
    before = {one.name: dict(one.settings) for one in cluster.services}
    with collecting() as collector:
        traced = SETTINGS | {"ALLIBE_TRACES_URL": collector.url}
        _restart(cluster, {name: settings | traced for name, settings in before.items()})
        yield collector
        _restart(cluster, before)


def _restart(cluster: Cluster, settings: dict[str, dict[str, str]]) -> None:
    for service in cluster.services:
        service.kill()
        service.settings = settings[service.name]
    make_whole(cluster)


@pytest.mark.long
async def test_every_process_adds_its_step(
    cluster: Cluster, collector: Collector, clients: Clients
) -> None:
    server = place(cluster)
    room = await clients.api(server, "alice").new_room(None, "bob")
    alice = await clients.stomp(server, "alice")
    await alice.subscribe(f"/topic/rooms/{room}")
    await alice.post(room, "hello")
    message = (await alice.body())["messageId"]
    steps = {"chat.post", "chat.store", "chat.publish", "chat.deliver"}
    eventually(lambda: collector.of(message).keys() == steps, "every step has arrived")
    spans = collector.of(message)
    assert {one.trace for one in spans.values()} == {spans["chat.post"].trace}
    assert spans["chat.store"].parent == spans["chat.publish"].parent == spans["chat.post"].id
    assert spans["chat.deliver"].parent == spans["chat.publish"].id
    assert {name: one.service for name, one in spans.items()} == {
        "chat.post": "allibe-gateway",
        "chat.store": "allibe-fanout-worker",
        "chat.publish": "allibe-fanout-worker",
        "chat.deliver": "allibe-gateway",
    }
