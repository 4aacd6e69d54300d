"""`fanout.tail`: the newest entries, contiguous, bounded in number and bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allibe_gateway.fanout import tail as module
from allibe_gateway.fanout.entries import Entry
from allibe_gateway.fanout.tail import Tail


def entry(offset: int, size: int = 1) -> Entry:
    return Entry(offset, f"1.e.{offset}", b"x" * size)


def offsets(entries: list[Entry] | None) -> list[int] | None:
    return None if entries is None else [one.offset for one in entries]


def filled(start: int, last: int, *, most_entries: int = 100, most_bytes: int = 1 << 20) -> Tail:
    tail = Tail(start - 1, most_entries=most_entries, most_bytes=most_bytes)
    for offset in range(start, last + 1):
        tail.append(entry(offset))
    return tail


def test_an_empty_tail_reaches_back_to_its_end_only() -> None:
    tail = Tail(7, most_entries=10, most_bytes=1 << 20)
    assert (tail.start, tail.last) == (8, 7)
    assert tail.after(7) == []
    assert tail.after(6) is None


def test_after_gives_the_rest_or_none_where_it_does_not_reach() -> None:
    tail = filled(5, 8)
    assert tail.start == 5
    assert offsets(tail.after(4)) == [5, 6, 7, 8]
    assert offsets(tail.after(6)) == [7, 8]
    assert tail.after(8) == []
    assert tail.after(3) is None


@pytest.mark.parametrize("offset", [8, 10, 0])
def test_only_the_next_entry_is_taken(offset: int) -> None:
    """Contiguous by construction: anything else is a mistake of the caller."""
    tail = filled(5, 8)
    with pytest.raises(ValueError, match="does not follow"):
        tail.append(entry(offset))
    assert tail.last == 8


def test_the_oldest_go_when_there_are_too_many() -> None:
    tail = filled(1, 5, most_entries=3)
    assert (tail.start, tail.last) == (3, 5)


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    size = 100
    tail = Tail(0, most_entries=100, most_bytes=2 * (size + module._ENTRY_OVERHEAD))
    for offset in (1, 2, 3):
        tail.append(entry(offset, size))
    assert (tail.start, tail.last) == (2, 3)


def test_an_entry_larger_than_all_bytes_leaves_an_empty_tail_that_goes_on() -> None:
    tail = Tail(0, most_entries=10, most_bytes=1000)
    tail.append(entry(1, 5000))
    assert (tail.start, tail.last) == (2, 1)
    tail.append(entry(2))
    assert offsets(tail.after(1)) == [2]


def test_older_entries_are_put_before_as_many_as_fit() -> None:
    tail = filled(8, 9, most_entries=4)
    tail.prepend([entry(offset) for offset in range(1, 8)])
    assert offsets(tail.after(5)) == [6, 7, 8, 9]
    assert tail.after(4) is None


def test_older_entries_that_do_not_end_right_before_the_start_are_left() -> None:
    """Two reads for the same gap: the second one finds it filled."""
    tail = filled(8, 9)
    tail.prepend([entry(5), entry(6)])
    assert tail.start == 8
    tail.prepend([entry(6), entry(7)])
    tail.prepend([entry(6), entry(7)])
    assert offsets(tail.after(5)) == [6, 7, 8, 9]


def test_nothing_to_put_before_changes_nothing() -> None:
    tail = filled(8, 9)
    tail.prepend([])
    assert tail.start == 8


@given(
    st.integers(0, 5),
    st.integers(1, 6),
    st.integers(300, 1500),
    st.lists(st.tuples(st.booleans(), st.integers(0, 400), st.integers(0, 8)), max_size=40),
)
def test_it_is_a_window_on_the_log_that_ends_at_its_last_entry(
    last: int, most_entries: int, most_bytes: int, steps: list[tuple[bool, int, int]]
) -> None:
    """Against a list: whatever is appended and prepended, `after` is right or says None."""
    sizes = dict.fromkeys(range(last + 1), 1)
    tail = Tail(last, most_entries=most_entries, most_bytes=most_bytes)
    for appends, size, back in steps:
        if appends:
            last += 1
            sizes[last] = size
            tail.append(entry(last, size))
        else:
            end = max(tail.start - 1 - back % 2, 0)
            older = range(max(end - back, 0) + 1, end + 1)
            tail.prepend([entry(offset, sizes[offset]) for offset in older])
        held = range(tail.start, last + 1)
        assert tail.last == last
        assert len(held) <= most_entries
        assert sum(sizes[one] + module._ENTRY_OVERHEAD for one in held) <= most_bytes
        for offset in range(last + 1):
            expected = list(range(offset + 1, last + 1)) if offset + 1 >= tail.start else None
            assert offsets(tail.after(offset)) == expected
