"""`fanout.outbox`: one connection's way out, bounded."""

from collections.abc import Callable

import pytest

from allibe_gateway.fanout.outbox import Outbox
from tests.unit.gateway.fakes import FakeTransport, Subscriber


def test_what_is_written_goes_to_the_transport_at_once() -> None:
    one = Subscriber()
    one.outbox.write(b"a")
    one.outbox.write(b"b")
    assert one.transport.written == [b"a", b"b"]


class TestOverflow:
    """A write that finds more than `most` unsent bytes ends the outbox, and says so once."""

    def test_at_the_bound_it_still_writes(self) -> None:
        one = Subscriber(most=10)
        one.transport.unsent = 10
        one.outbox.write(b"a")
        assert one.transport.written == [b"a"]
        assert one.overflows == 0

    def test_over_the_bound_nothing_is_written_and_the_owner_hears_of_it(self) -> None:
        one = Subscriber(most=10)
        one.transport.unsent = 11
        one.outbox.write(b"a")
        assert one.transport.written == []
        assert one.overflows == 1
        assert one.outbox.closed

    def test_the_owner_hears_of_it_once(self) -> None:
        one = Subscriber(most=10)
        one.transport.unsent = 11
        for _ in range(3):
            one.outbox.write(b"a")
        assert one.overflows == 1

    def test_one_write_is_never_split_by_the_bound(self) -> None:
        """Memory stays under `most` plus one tick's frames."""
        one = Subscriber(most=10)
        one.transport.stuck = True
        one.outbox.write(b"x" * 100)
        one.outbox.write(b"y")
        assert one.transport.unsent == 100
        assert one.overflows == 1

    def test_an_owner_that_closes_the_outbox_from_the_callback_is_not_asked_again(self) -> None:
        transport = FakeTransport()
        transport.unsent = 11
        calls = []

        def overflow() -> None:
            calls.append(1)
            outbox.close()
            outbox.write(b"last words")

        outbox = Outbox(transport, most=10, shed=5, overflow=overflow)
        outbox.write(b"a")
        assert calls == [1]
        assert transport.written == []


class TestShedding:
    """Frames that nobody misses are skipped for a connection that is behind."""

    def test_a_connection_that_keeps_up_gets_them(self) -> None:
        one = Subscriber(shed=10)
        one.transport.unsent = 10
        one.outbox.write_or_shed(b"typing")
        assert one.transport.written == [b"typing"]

    def test_one_that_is_behind_does_not_and_lives(self) -> None:
        one = Subscriber(shed=10)
        one.transport.unsent = 11
        one.outbox.write_or_shed(b"typing")
        assert one.transport.written == []
        assert one.outbox.behind
        assert not one.outbox.closed


class TestClosed:
    """After `close` writes go nowhere, and nothing more waits."""

    @pytest.mark.parametrize("write", [Outbox.write, Outbox.write_or_shed])
    def test_writes_go_nowhere(self, write: Callable[[Outbox, bytes], None]) -> None:
        one = Subscriber()
        one.outbox.close()
        write(one.outbox, b"a")
        assert one.transport.written == []
        assert one.overflows == 0

    def test_nothing_is_unsent(self) -> None:
        one = Subscriber(shed=10)
        one.transport.unsent = 11
        one.outbox.close()
        assert one.outbox.unsent() == 0
        assert not one.outbox.behind


def test_a_peer_that_has_vanished_closes_the_outbox_and_harms_nobody_else() -> None:
    """uvloop raises from `write` between the end of a socket and its reader's next step.

    The writer is the fan-out of everybody, or the heart-beats of everybody: it must go on.
    """
    one = Subscriber()
    one.transport.gone = True
    one.outbox.write(b"a")
    assert one.outbox.closed
    assert one.overflows == 0
