"""`slow_consumers`: who is ended when all together have not read too much (I7)."""

import pytest

from allibe_gateway.slow_consumers import too_far_behind


class Line:
    def __init__(self, unsent: int) -> None:
        self.unsent = unsent


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
