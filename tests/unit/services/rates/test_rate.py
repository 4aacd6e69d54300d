"""`rates.rate`: how a rate is written."""

import pytest

from allibe_services.rates.rate import Rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [("20/40", Rate(20, 40)), ("0.5/1", Rate(0.5, 1)), ("off", None)],
)
def test_so_many_a_second_so_many_at_once(text: str, rate: Rate | None) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["", "20", "20/", "/40", "20/0", "0/40", "0.0/1", "-1/2", "1e3/4"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"20/40|more than none"):
        Rate.parse(text)
