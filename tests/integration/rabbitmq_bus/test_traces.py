"""The contexts of traced messages travel in AMQP headers, and harm nobody who knows none."""

from collections.abc import Mapping
from typing import Any

import pytest

from allibe_services import tracing
from allibe_services.contracts.routing import room_key
from allibe_services.tracing import Traces
from tests.contract.factories_bus import Handler, stored
from tests.integration.rabbitmq_bus.parts import PATIENT, Worker, bus_on
from tests.support.commands import post
from tests.support.until import until
from tests.unit.services.test_tracing import FakeTracer


class Noting(Traces):
    """Keeps what came with batches."""

    def __init__(self, tracer: FakeTracer) -> None:
        super().__init__(tracer)
        self.came: list[Mapping[str, Any] | None] = []

    def take(self, headers: Mapping[str, Any] | None) -> None:
        self.came.append(headers)
        super().take(headers)


@pytest.fixture
def tracer() -> FakeTracer:
    return FakeTracer()


@pytest.fixture
def traces(tracer: FakeTracer, monkeypatch: pytest.MonkeyPatch) -> Noting:
    noting = Noting(tracer)
    monkeypatch.setattr(tracing, "current", noting)
    return noting


async def test_a_commands_context_comes_with_it(
    amqp_url: str, traces: Noting, tracer: FakeTracer
) -> None:
    command = post("a")
    async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
        worker = Worker(bus)
        await bus.post(command)
        await until(lambda: worker.of("1") == ["a"])
        await worker.stop()
    (span,) = tracer.spans
    assert span.ended == [None]
    assert traces.came == [
        {"traceparent": span.context, "traces": {command.message_id: span.context}}
    ]


async def test_so_does_an_events_with_the_step_that_published_it(
    amqp_url: str, traces: Noting, tracer: FakeTracer
) -> None:
    command = post("a")
    message = stored(command).message
    async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
        worker, handler = Worker(bus), Handler()
        listening = await bus.listen(handler)
        await listening.bind([room_key(message.room_id)])
        await bus.post(command)
        await until(lambda: worker.of("1") == ["a"])
        with traces.step("publish", [message]):
            await bus.publish([message])
        await until(lambda: len(handler.events) == 1)
        await listening.close()
        await worker.stop()
    (publish,) = (one for one in tracer.spans if one.step == "publish")
    assert traces.came[-1] is not None
    assert traces.came[-1]["traces"] == {command.message_id: publish.context}


async def test_what_is_not_traced_has_no_headers(amqp_url: str, traces: Noting) -> None:
    traces._tracer.ignores = True  # type: ignore[attr-defined]
    async with bus_on(amqp_url, publish_seconds=PATIENT) as bus:
        worker = Worker(bus)
        await bus.post(post("a"))
        await until(lambda: worker.of("1") == ["a"])
        await worker.stop()
    assert not any(traces.came)
