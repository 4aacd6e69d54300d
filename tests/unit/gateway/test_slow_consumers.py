"""`slow_consumers`: who is ended when all together have not read too much (I7)."""

import pytest

from allibe_gateway.slow_consumers import next_look, too_far_behind


class Line:
    def __init__(self, unsent: int, *, closing: bool = False) -> None:
        self.unsent = unsent
        self.closing = closing


@pytest.mark.parametrize(
    ("sizes", "ended"),
    [
        ([], []),
        ([10], []),
        ([5, 5], []),
        ([11], [11]),
        ([5, 6], [6]),
        ([1, 9, 2, 8, 3], [9, 8]),
        ([4, 4, 4], [4]),
        ([20, 20, 1], [20, 20]),
    ],
)
def test_the_furthest_behind_go_first_and_no_more_than_must(
    sizes: list[int], ended: list[int]
) -> None:
    found = too_far_behind([Line(size) for size in sizes], 10)
    assert [one.unsent for one in found] == ended


def test_those_that_end_already_go_before_all_others() -> None:
    """They have had their time to read, and what they hold is in the way of who still may."""
    lines = [Line(9), Line(2, closing=True), Line(3, closing=True), Line(1)]
    assert too_far_behind(lines, 12) == [lines[2]]
    assert too_far_behind(lines, 10) == [lines[2], lines[1]]
    assert too_far_behind(lines, 9) == [lines[2], lines[1], lines[0]]


@pytest.mark.parametrize(("unsent", "written"), [(0, 640), (600, 40), (639, 10), (900, 10)])
def test_it_is_looked_at_before_there_can_be_too_many(unsent: int, written: int) -> None:
    """What is written is the most by which the unsent grows."""
    assert next_look(unsent, 640) == written
