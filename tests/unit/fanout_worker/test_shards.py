"""`shards`: every shard has one worker, evenly, and few move when the workers change."""

import subprocess
import sys
from collections import Counter
from statistics import mean

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allibe_fanout_worker.shards import _score, shared

workers_of = st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=12)
numbers = st.integers(1, 48)


@given(workers_of, numbers)
def test_every_shard_has_one_worker(workers: set[str], shards: int) -> None:
    shares = shared(workers, shards)
    assert shares.keys() == workers
    assert sorted(shard for share in shares.values() for shard in share) == list(range(shards))


@given(workers_of, numbers)
@example({"a", "b", "c", "d", "e"}, 16)  # no more than four each could leave one with none
def test_no_worker_has_two_more_than_another(workers: set[str], shards: int) -> None:
    sizes = [len(share) for share in shared(workers, shards).values()]
    assert max(sizes) - min(sizes) <= 1


@given(workers_of, numbers)
def test_the_order_in_which_workers_are_named_does_not_matter(
    workers: set[str], shards: int
) -> None:
    assert shared(sorted(workers), shards) == shared(sorted(workers, reverse=True), shards)


@given(workers_of, st.text(min_size=1, max_size=8), numbers)
def test_only_those_move_that_must_or_lack_their_first_choice(
    workers: set[str], other: str, shards: int
) -> None:
    """The bound of the docstring, by plain rendezvous hashing: joining, and read back, leaving."""
    fewer, more = workers - {other}, workers | {other}
    if not fewer:
        return
    its_own = sum(_first_choice(more, shard) == other for shard in range(shards))
    most = its_own + _turned_away(fewer, shards) + _turned_away(more, shards)
    assert _moved(fewer, more, shards) <= most


@pytest.mark.parametrize(("count", "most"), [(2, 1.2), (3, 1.6), (4, 1.6), (8, 2.2), (15, 2.4)])
def test_on_average_one_or_two_move_more_than_must(count: int, most: float) -> None:
    """16 shards, 200 deployments: measured 0.9, 1.3, 1.3, 1.8 and 2.0 at a join, 6 at most."""
    more = []
    for number in range(200):
        workers = {f"{number}-{one}" for one in range(count)}
        moved = _moved(workers, workers | {f"{number}-new"}, 16)
        more.append(moved - 16 // (count + 1))
    assert min(more) >= 0
    assert mean(more) <= most


def test_one_worker_alone_has_all() -> None:
    assert shared({"a"}, 16) == {"a": set(range(16))}


def test_more_workers_than_shards_have_one_or_none() -> None:
    assert sorted(map(len, shared({"a", "b", "c"}, 2).values())) == [0, 1, 1]


def test_every_process_computes_the_same() -> None:
    """Also one whose `hash` is another; and forever, so that a new release agrees with an old."""
    code = (
        "from allibe_fanout_worker.shards import shared;"
        "print([sorted(share) for share in shared({'a', 'b', 'c', 'd', 'e'}, 16).values()])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert printed == {AGREED}


AGREED = "[[0, 2, 3], [4, 9, 12], [1, 7, 10, 13], [5, 6, 15], [8, 11, 14]]"


def _first_choice(workers: set[str], shard: int) -> str:
    return max(workers, key=lambda worker: _score(worker, shard))


def _turned_away(workers: set[str], shards: int) -> int:
    """Return how many shards cannot have their first choice, however they are shared evenly."""
    least, one_more = divmod(shards, len(workers))
    wanted = Counter(_first_choice(workers, shard) for shard in range(shards))
    beyond = [count - least for count in wanted.values() if count > least]
    return sum(beyond) - min(one_more, len(beyond))


def _moved(before: set[str], after: set[str], shards: int) -> int:
    old, new = shared(before, shards), shared(after, shards)
    owner = {shard: worker for worker, share in old.items() for shard in share}
    return sum(owner[shard] != worker for worker, share in new.items() for shard in share)
