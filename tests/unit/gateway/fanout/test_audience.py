"""`fanout.audience`: encoded once per group, written once per flush."""

from allibe_gateway.fanout.audience import BURST_BYTES, Audience
from allibe_gateway.fanout.entries import Entry
from tests.unit.gateway.fakes import Subscriber, TextView


def entry(offset: int) -> Entry:
    return Entry(offset, f"1.e1.{offset}", b"{}")


def test_equal_views_share_one_encoding() -> None:
    """DESIGN §2: the frame is encoded once per group, not per subscriber."""
    audience = Audience(ephemeral=False)
    views = [TextView() for _ in range(3)]
    subscribers = [Subscriber() for _ in views]
    for view, subscriber in zip(views, subscribers, strict=True):
        audience.add(view, subscriber.outbox)

    audience.push(entry(1))

    assert audience.flush() == 3
    assert sum(view.encoded for view in views) == 1
    assert [one.offsets for one in subscribers] == [[1], [1], [1]]


def test_different_views_get_frames_of_their_own() -> None:
    audience = Audience(ephemeral=False)
    a, b = Subscriber(), Subscriber()
    audience.add(TextView("a"), a.outbox)
    audience.add(TextView("b"), b.outbox)

    audience.push(entry(1))
    audience.flush()

    assert (a.frames, b.frames) == (["a:1"], ["b:1"])


def test_what_gathers_between_flushes_is_one_write() -> None:
    """DESIGN §2: each subscriber gets one write per tick."""
    audience = Audience(ephemeral=False)
    one = Subscriber()
    audience.add(TextView(), one.outbox)
    for offset in (1, 2, 3):
        audience.push(entry(offset))

    assert one.transport.written == []
    assert audience.flush() == 3
    assert one.transport.written == [b"v:1;v:2;v:3;"]
    assert audience.flush() == 0
    assert len(one.transport.written) == 1


def test_a_burst_is_written_in_parts_so_that_outboxes_can_overflow_within_a_tick() -> None:
    """I7: a worker's batch may be megabytes; each group would hold them all until the flush."""
    audience = Audience(ephemeral=False)
    one = Subscriber()
    audience.add(TextView("x" * (BURST_BYTES // 2)), one.outbox)
    for offset in (1, 2, 3):
        audience.push(entry(offset))

    assert [len(part) // (BURST_BYTES // 2) for part in one.transport.written] == [2]
    assert audience.flush() == 3
    assert len(one.transport.written) == 2


def test_a_newcomer_does_not_get_what_was_pushed_before_it_came() -> None:
    """It starts at the tail's end; a frame that waits for the flush is before that."""
    audience = Audience(ephemeral=False)
    old, new = Subscriber(), Subscriber()
    audience.add(TextView(), old.outbox)
    audience.push(entry(1))
    audience.add(TextView(), new.outbox)
    audience.push(entry(2))
    audience.flush()

    assert (old.offsets, new.offsets) == ([1, 2], [2])


def test_deliveries_count_what_a_newcomer_caused_to_be_flushed_early() -> None:
    audience = Audience(ephemeral=False)
    audience.add(TextView(), Subscriber().outbox)
    audience.push(entry(1))
    audience.add(TextView(), Subscriber().outbox)
    audience.push(entry(2))

    assert audience.flush() == 3


def test_who_left_gets_nothing_more_and_leaving_twice_is_no_matter() -> None:
    audience = Audience(ephemeral=False)
    one, other = Subscriber(), Subscriber()
    audience.add(TextView(), one.outbox)
    audience.add(TextView(), other.outbox)

    assert audience.remove(TextView(), one.outbox)
    assert not audience.remove(TextView(), one.outbox)
    assert not audience.remove(TextView("another"), other.outbox)
    audience.push(entry(1))
    audience.flush()

    assert (one.offsets, other.offsets) == ([], [1])
    assert len(audience) == 1


def test_an_empty_group_is_forgotten_with_what_waited_for_it() -> None:
    """I7: nothing is kept, or encoded, for nobody."""
    audience = Audience(ephemeral=False)
    view, one = TextView(), Subscriber()
    audience.add(view, one.outbox)
    audience.push(entry(1))
    audience.remove(view, one.outbox)
    audience.push(entry(2))

    assert view.encoded == 1
    assert audience.flush() == 0
    assert len(audience) == 0


def test_a_slow_consumer_is_the_only_one_that_notices() -> None:
    audience = Audience(ephemeral=False)
    slow, well = Subscriber(most=10), Subscriber(most=10)
    audience.add(TextView(), slow.outbox)
    audience.add(TextView(), well.outbox)
    slow.transport.unsent = 11

    audience.push(entry(1))
    audience.flush()
    audience.push(entry(2))
    audience.flush()

    assert (slow.offsets, slow.overflows) == ([], 1)
    assert well.offsets == [1, 2]


def test_a_vanished_peer_costs_the_others_nothing() -> None:
    """I3 for everybody else, whatever a dead transport raises (uvloop: RuntimeError)."""
    audience = Audience(ephemeral=False)
    subscribers = [Subscriber() for _ in range(3)]
    for one in subscribers:
        audience.add(TextView(), one.outbox)
    subscribers[1].transport.gone = True

    audience.push(entry(1))
    audience.flush()

    assert [one.offsets for one in subscribers] == [[1], [], [1]]


def test_ephemeral_frames_are_shed_for_slow_ones_and_the_log_is_not() -> None:
    for ephemeral, expected in ((True, []), (False, [1])):
        audience = Audience(ephemeral=ephemeral)
        one = Subscriber(shed=10)
        one.transport.unsent = 11
        audience.add(TextView(), one.outbox)
        audience.push(entry(1))
        audience.flush()
        assert one.offsets == expected
