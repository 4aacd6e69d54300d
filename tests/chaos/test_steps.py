"""A walk follows from its seed, meets every fault, and never has two of one subject at a time."""

from tests.chaos.faults import MORE_FAULTS
from tests.chaos.walk import TOGETHER, Step, steps

COUNT = 500


def _walk(seed: str) -> list[Step]:
    return list(steps(MORE_FAULTS, COUNT, seed))


def test_a_seed_repeats_all_choices() -> None:
    assert _walk("a seed") == _walk("a seed") != _walk("another")


def test_every_fault_comes_once_before_any_comes_again() -> None:
    met = [fault for step in _walk("a seed") for fault, _ in step.faults]
    for begin in range(0, COUNT - len(MORE_FAULTS), len(MORE_FAULTS)):
        assert set(met[begin : begin + len(MORE_FAULTS)]) == set(MORE_FAULTS)


def test_some_come_together_but_not_to_one_subject() -> None:
    together = [step for step in _walk("a seed") if len(step.faults) == 2]
    assert 0.5 * TOGETHER * COUNT < len(together) < 1.5 * TOGETHER * COUNT
    assert all(len({fault.subject for fault, _ in step.faults}) == 2 for step in together)
