"""`store.threads`: daemon threads that run what is submitted, in order, and end when asked."""

import threading
from concurrent.futures import wait

import pytest

from allibe_services.store.threads import Threads, in_daemon_thread


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_one_thread_runs_all_in_the_order_in_which_it_came() -> None:
    threads, ran = Threads(1, "one"), list[int]()
    futures = [threads.submit(lambda n=n: ran.append(n)) for n in range(100)]  # type: ignore[misc]
    threads.finish()
    assert ran == list(range(100))
    assert all(future.done() for future in futures)


def test_several_threads_run_as_much_at_once() -> None:
    threads, together = Threads(3, "three"), threading.Barrier(3, timeout=10)
    wait([threads.submit(together.wait) for _ in range(3)])
    assert not together.broken
    threads.finish()


def test_they_start_with_the_first_work_are_daemons_and_end_when_asked() -> None:
    threads = Threads(2, "two")
    assert named("two") == []
    threads.submit(int).result(10)
    assert [thread.daemon for thread in named("two")] == [True, True]
    threads.finish()
    assert named("two") == []


def test_an_error_is_the_callers_and_the_thread_goes_on() -> None:
    threads = Threads(1, "one")
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result(10)
    assert threads.submit(int).result(10) == 0
    threads.finish()


def test_what_is_cancelled_before_its_turn_never_runs() -> None:
    threads, until, ran = Threads(1, "one"), threading.Event(), list[str]()
    threads.submit(until.wait)
    assert threads.submit(lambda: ran.append("late")).cancel()
    until.set()
    threads.finish()
    assert ran == []


def test_finishing_twice_or_unused_is_fine() -> None:
    threads = Threads(1, "one")
    threads.finish()
    threads.submit(int)
    threads.finish()
    threads.finish()


def test_a_thread_of_its_own_tells_what_became_of_it() -> None:
    assert in_daemon_thread(lambda: threading.current_thread().daemon, "own").result(10)
    with pytest.raises(ZeroDivisionError):
        in_daemon_thread(lambda: 1 / 0, "own").result(10)
