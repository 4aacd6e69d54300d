"""A message's trace in one process: from the post to the sockets, as a collector gets it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clients import Clients
from tests.support.collector import SETTINGS, Collector, collecting
from tests.support.server import Server, running

STEPS = {"chat.post", "chat.store", "chat.publish", "chat.deliver"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def server(tmp_path: Path, collector: Collector) -> Iterator[Server]:
    environment = SETTINGS | {
        "ALLIBE_TRACES_URL": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
    }
    with running(tmp_path, environment=environment) as server:
        yield server


async def test_every_step_of_a_message_is_in_one_trace_and_none_lasts(
    server: Server, collector: Collector, clients: Clients
) -> None:
    """What was not sent yet is sent when the process ends."""
    alice = await clients.stomp(server, "alice")
    await alice.subscribe("/topic/rooms/1")
    await alice.post("1", "between us")
    message = (await alice.body())["messageId"]
    await alice.close()
    assert collector.spans == []
    assert server.stop() == 0
    spans = collector.of(message)
    assert spans.keys() == STEPS
    post, publish = spans["chat.post"], spans["chat.publish"]
    assert {one.trace for one in spans.values()} == {post.trace}
    assert post.parent == ""
    assert spans["chat.store"].parent == publish.parent == post.id
    assert spans["chat.deliver"].parent == publish.id
    assert {one.service for one in spans.values()} == {"allibe-all"}
    assert post.ids == {"chat.message": message, "chat.room": "1", "chat.user": "alice"}
    assert len(collector.spans) == len(STEPS), "a connection has no span"
    assert "between us" not in str(collector.spans)
