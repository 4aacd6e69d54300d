"""`trail`: at `debug` the log says who does what and where, by ids, and not what is said."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from allibe_services import log_level, tracing
from tests.unit.gateway.fakes import ROOM
from tests.unit.gateway.lines import Line, text
from tests.unit.gateway.users import User
from tests.unit.gateway.world import ALICE, token


@pytest.fixture
def at_debug() -> Iterator[None]:
    before = log_level.level()
    log_level.set_level("debug")
    yield
    log_level.set_level(before)


@pytest.mark.usefixtures("at_debug")
async def test_a_session_can_be_followed(stranger: User) -> None:
    with capture_logs() as lines:
        await stranger.session.sign_in(token(name="Alice"))
        await stranger.subscribe()
        await stranger.post("between us")
    who = {"connection": "c1", "user": ALICE, "log_level": "debug"}
    (command, _) = stranger.world.bus.posted[0]
    assert lines == [
        {"event": "signed_in", **who},
        {"event": "subscribed", "room": ROOM, "stream": "log", **who},
        {"event": "message_posted", "room": ROOM, "message": command.message_id, **who},
    ]


@pytest.mark.usefixtures("at_debug")
async def test_a_message_that_is_traced_has_its_trace(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "current", Traced())
    with capture_logs() as lines:
        await alice.post("between us")
    assert [one["trace"] for one in lines] == ["7" * 32]


class Traced(tracing.Traces):
    """Traces everything."""

    def __init__(self) -> None:
        """Without a tracer: nothing is sent anywhere."""

    def trace_id(self, _: str) -> str:
        return "7" * 32


async def test_without_debug_nothing_is_said(alice: User) -> None:
    assert log_level.level() == "info"
    with capture_logs() as lines:
        await alice.post("between us")
    assert lines == []


async def test_a_fault_says_whose_connection_it_was(line: Line) -> None:
    line.door.user = ALICE
    line.door.error = ValueError("a fault of ours")
    with capture_logs() as lines:
        line.begin()
        line.hear(text(b"x"))
        await line.end()
    (fault,) = [one for one in lines if one["event"] == "connection_failed"]
    assert (fault["connection"], fault["user"]) == (line.it.id, ALICE)
