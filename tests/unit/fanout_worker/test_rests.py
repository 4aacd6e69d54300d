"""`rests`: rooms whose rounds take long have fewer of them."""

from allibe_fanout_worker.rests import LONGEST_SECONDS, PARTS, SHORT_SECONDS, Rests
from tests.unit.fanout_worker.fakes import ONE, TWO


def test_a_room_rests_in_proportion_to_its_round() -> None:
    """A twentieth of the time, however large the room."""
    rests = Rests()
    rests.rest(ONE, 100.0, 100.02)
    rests.rest(TWO, 100.0, 100.2)
    assert rests.resting(99.99 + 0.02 * PARTS) == {ONE, TWO}
    assert rests.resting(100.01 + 0.02 * PARTS) == {TWO}
    assert rests.resting(99.99 + 0.2 * PARTS) == {TWO}
    assert rests.resting(100.01 + 0.2 * PARTS) == set()


def test_a_short_round_needs_no_rest() -> None:
    rests = Rests()
    rests.rest(ONE, 100.0, 100.0 + SHORT_SECONDS)
    assert rests.resting(100.0 + SHORT_SECONDS) == set()


def test_no_rest_is_longer_than_the_longest() -> None:
    """A store that was slow once."""
    rests = Rests()
    rests.rest(ONE, 0.0, 60.0)
    assert rests.resting(60.0 + LONGEST_SECONDS - 0.1) == {ONE}
    assert rests.resting(60.0 + LONGEST_SECONDS + 0.1) == set()


def test_what_is_over_is_forgotten() -> None:
    """I7."""
    rests = Rests()
    for moment in range(100):
        rests.rest(ONE, moment, moment + 0.1)
        rests.resting(moment + 50)
    assert rests._until == {}
