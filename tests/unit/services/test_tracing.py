"""`tracing`: which spans a message has, under which parents, and how their contexts travel."""

import asyncio
from collections.abc import Mapping

import pytest

from allibe_services import tracing
from allibe_services.contracts.commands import Stored
from allibe_services.contracts.errors import NotConfirmed
from allibe_services.tracing import Step, Traces
from tests.support.commands import post

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class FakeSpan:
    """A span that keeps how it ended."""

    def __init__(self, step: Step, parent: str | None, number: int) -> None:
        self.step = step
        self.parent = parent
        self.context = f"00-{TRACE}-{number:016x}-01"
        self.ended: list[str | None] = []

    def end(self, error: str | None = None) -> None:
        self.ended.append(error)


class FakeTracer:
    """A tracer that keeps its spans; it chooses no message while `ignores`."""

    def __init__(self, first: int = 1) -> None:
        self.spans: list[FakeSpan] = []
        self.ids: list[Mapping[str, str]] = []
        self.ignores = False
        self._first = first

    def begin(self, step: Step, parent: str | None, ids: Mapping[str, str]) -> FakeSpan | None:
        if self.ignores:
            return None
        self.ids.append(ids)
        self.spans.append(FakeSpan(step, parent, self._first + len(self.spans)))
        return self.spans[-1]


def told() -> "asyncio.Future[Stored | None]":
    return asyncio.get_running_loop().create_future()


@pytest.fixture
def tracer() -> FakeTracer:
    return FakeTracer()


@pytest.fixture
def traces(tracer: FakeTracer) -> Traces:
    return Traces(tracer)


def test_it_is_off_by_default() -> None:
    assert tracing.current is None


@pytest.mark.parametrize(("error", "code"), [(None, None), (NotConfirmed(), "not_confirmed")])
async def test_a_post_lasts_until_its_sender_is_told(
    traces: Traces, tracer: FakeTracer, error: Exception | None, code: str | None
) -> None:
    command, future = post("between us"), told()
    traces.posted(command, future)
    (span,) = tracer.spans
    assert (span.step, span.parent, span.ended) == ("post", None, [])
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
    await asyncio.sleep(0)
    assert span.ended == [code]
    ids = {"message": command.message_id, "room": command.room_id, "user": command.sender}
    assert tracer.ids == [ids]


async def test_what_is_not_chosen_is_not_traced_anywhere(
    traces: Traces, tracer: FakeTracer
) -> None:
    tracer.ignores = True
    command = post()
    traces.posted(command, told())
    tracer.ignores = False
    with traces.step("store", [command]):
        assert traces.headers([command]) == {}
    assert tracer.spans == []


async def test_contexts_travel_beside_a_batch(traces: Traces, tracer: FakeTracer) -> None:
    first, other, second = post("a"), post("b"), post("c")
    traces.posted(first, told())
    traces.posted(second, told())
    headers = traces.headers([first, other, second])
    one, two = (span.context for span in tracer.spans)
    assert headers == {
        "traceparent": one,
        "traces": {first.message_id: one, second.message_id: two},
    }
    elsewhere = FakeTracer(100)
    at_the_worker = Traces(elsewhere)
    at_the_worker.take(headers)
    with at_the_worker.step("store", [first, other, second]):
        assert [(one.step, one.parent) for one in elsewhere.spans] == [
            ("store", one),
            ("store", two),
        ]
    assert [one.ended for one in elsewhere.spans] == [[None], [None]]


async def test_what_is_sent_during_a_step_is_its_child(traces: Traces, tracer: FakeTracer) -> None:
    command = post()
    traces.posted(command, told())
    with traces.step("store", [command]):
        pass
    with traces.step("publish", [command]):
        inside = traces.headers([command])
    _, store, publish = tracer.spans
    assert store.parent == publish.parent == tracer.spans[0].context
    assert inside["traceparent"] == publish.context


async def test_a_step_that_fails_has_ended(traces: Traces, tracer: FakeTracer) -> None:
    command = post()
    traces.posted(command, told())
    with pytest.raises(LookupError), traces.step("store", [command]):
        raise LookupError
    assert tracer.spans[1].ended == [None]


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"traces": "no table"},
        {"traces": {"m": 7}},
        {"traces": {"m": "no context"}},
        {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
    ],
)
def test_what_came_and_is_no_context_is_ignored(
    traces: Traces, headers: dict[str, object] | None
) -> None:
    traces.take(headers)
    assert not traces._contexts


async def test_there_are_bounds(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    """I7; and headers have to fit in a frame."""
    monkeypatch.setattr(tracing, "MOST_CONTEXTS", 40)
    commands = [post(str(number)) for number in range(50)]
    for command in commands:
        traces.posted(command, told())
    assert list(traces._contexts) == [one.message_id for one in commands[10:]]
    assert len(traces.headers(commands)["traces"]) == tracing.MOST_IN_BATCH
    table = {str(number): f"00-{TRACE}-{number + 1:016x}-01" for number in range(100)}
    other = Traces(FakeTracer())
    other.take({"traces": table})
    assert len(other._contexts) == tracing.MOST_IN_BATCH
