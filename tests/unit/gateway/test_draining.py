"""`draining`: when each connection is to leave."""

import pytest

from allibe_gateway.draining import slots, window
from allibe_gateway.limits import Limits

LIMITS = Limits(drain_rate=100, hand_over_seconds=1, receipt_seconds=6, close_seconds=3)


@pytest.mark.parametrize(
    ("count", "seconds", "spread"),
    [
        (0, 30, 0),
        (1, 30, 0.01),
        (1000, 30, 10),
        (2000, 30, 20),
        (3000, 30, 20),  # 150 a second: the last one has 10 s for receipts and its close
        (1000, 8, 4),  # where there is less, they have half of it
    ],
)
def test_as_many_leave_in_a_second_as_the_rate_and_the_time_allow(
    count: int, seconds: float, spread: float
) -> None:
    assert window(count, seconds, LIMITS) == pytest.approx(spread)


def test_slots_are_even_and_everybody_has_one() -> None:
    """No second sees more than its share."""
    given = list(slots(range(40), 20))
    assert [slot for slot, _ in given] == [number / 2 for number in range(40)]
    assert sorted(connection for _, connection in given) == list(range(40))


def test_slots_are_in_no_order_of_coming() -> None:
    """Who came together, in one room or from one office, does not leave together."""
    assert [connection for _, connection in slots(range(1000), 1)] != list(range(1000))


def test_nobody_there_has_no_slots() -> None:
    assert list(slots([], 20)) == []
