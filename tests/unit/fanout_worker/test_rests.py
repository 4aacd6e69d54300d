"""`rests`: large rooms have rounds less often."""

from allibe_fanout_worker.rests import LARGE, LONGEST_SECONDS, PARTS, Rests
from tests.unit.fanout_worker.fakes import ONE, TWO


def test_a_room_rests_in_proportion_to_its_part_of_the_round() -> None:
    """A twentieth of the time, however large the room."""
    rests = Rests()
    rests.rest({ONE: LARGE, TWO: 9 * LARGE}, 100.0, 100.1)
    assert rests.resting(100.1 + 0.0099 * (PARTS - 1)) == {ONE, TWO}
    assert rests.resting(100.1 + 0.0101 * (PARTS - 1)) == {TWO}
    assert rests.resting(100.1 + 0.0899 * (PARTS - 1)) == {TWO}
    assert rests.resting(100.1 + 0.0901 * (PARTS - 1)) == set()


def test_each_page_of_a_round_counts() -> None:
    rests = Rests()
    rests.rest({ONE: LARGE}, 100.0, 100.02)
    rests.rest({ONE: LARGE}, 100.02, 100.04)
    assert rests.resting(100.02 + 0.0399 * (PARTS - 1)) == {ONE}
    assert rests.resting(100.02 + 0.0401 * (PARTS - 1)) == set()


def test_a_small_room_does_not_rest() -> None:
    """Where the store was slow, say."""
    rests = Rests()
    rests.rest({ONE: LARGE - 1}, 100.0, 109.0)
    assert rests.resting(109.0) == set()


def test_no_rest_is_longer_than_the_longest() -> None:
    """A store that was slow once."""
    rests = Rests()
    for _ in range(2):
        rests.rest({ONE: LARGE}, 0.0, 60.0)
    assert rests.resting(60.0 + LONGEST_SECONDS - 0.1) == {ONE}
    assert rests.resting(60.0 + LONGEST_SECONDS + 0.1) == set()


def test_what_is_over_is_forgotten() -> None:
    """I7."""
    rests = Rests()
    for moment in range(100):
        rests.rest({ONE: LARGE}, moment, moment + 0.1)
        rests.resting(moment + 50)
    assert rests._until == {}
