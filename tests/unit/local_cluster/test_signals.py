"""Signals interrupt nothing by themselves: they are told, and what runs ends in its own way."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.cluster.signals import NUMBERS, Signals


@pytest.fixture
def signals() -> Iterator[Signals]:
    """As in a process of its own; the test's own handlers come back."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield Signals()
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int, *, after: float = 0.0) -> None:
    def later() -> None:
        time.sleep(after)
        os.kill(os.getpid(), number)

    threading.Thread(target=later).start()


@pytest.mark.parametrize("number", NUMBERS)
def test_wait_ends_with_a_signal(signals: Signals, number: int) -> None:
    send(number, after=0.05)
    signals.wait()


def test_a_signal_that_came_before_is_not_lost(signals: Signals) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    signals.wait()


def test_work_without_a_signal_is_calm(signals: Signals) -> None:
    assert signals.run(lambda: None, pytest.fail)


def test_work_is_told_of_each_signal_and_then_waited_for(signals: Signals) -> None:
    told: list[float] = []
    enough = threading.Event()

    def interrupted() -> None:
        told.append(time.monotonic())
        if len(told) == 2:
            enough.set()
        else:
            send(signal.SIGTERM)

    send(signal.SIGINT, after=0.05)
    assert not signals.run(enough.wait, interrupted)
    assert len(told) == 2


def test_what_work_raises_is_raised(signals: Signals) -> None:
    def work() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        signals.run(work, pytest.fail)


def test_what_interrupted_work_raises_is_its_way_to_end(signals: Signals) -> None:
    """A start that was given up fails: that is no news."""
    enough = threading.Event()

    def work() -> None:
        enough.wait()
        raise OSError("given up")

    send(signal.SIGINT, after=0.05)
    assert not signals.run(work, enough.set)


def test_after_interrupted_work_the_next_signal_is_a_new_one(signals: Signals) -> None:
    enough = threading.Event()
    send(signal.SIGINT, after=0.05)
    signals.run(enough.wait, enough.set)
    assert signals.run(lambda: time.sleep(0.05), pytest.fail)
