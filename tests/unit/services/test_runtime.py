"""`runtime`: readiness, owned tasks, and the signals that end a process."""

import asyncio
import gc
import os
import resource
import signal

import pytest

from allibe_services import runtime as module
from allibe_services.contracts.errors import AllibeError, StoreUnavailable
from allibe_services.runtime import (
    COLLECT_AFTER,
    Readiness,
    Tasks,
    allow_many_connections,
    collect_garbage_less,
    stop_requested,
)


async def ok() -> None: ...


async def away() -> None:
    raise StoreUnavailable


async def for_ever() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise LookupError("column token='secret'")


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    """A gateway's connections are files; the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        allow_many_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_garbage_is_collected_less_often_and_not_among_what_was_there_before() -> None:
    thresholds = gc.get_threshold()
    try:
        collect_garbage_less()
        assert gc.isenabled()
        assert gc.get_threshold()[0] == COLLECT_AFTER
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def test_a_ctrl_c_while_garbage_is_collected_is_not_lost() -> None:
    """Python drops what is raised in a finalizer: the process would go on as if nothing were."""

    class Interrupted:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    thresholds = gc.get_threshold()
    Interrupted()
    try:
        with pytest.raises(KeyboardInterrupt):
            collect_garbage_less()
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class TestReadiness:
    """Named checks: each passes by returning, and tells its code otherwise."""

    async def test_without_checks_there_is_nothing_to_report(self) -> None:
        assert await Readiness().report() == {}

    async def test_each_check_says_ok_or_its_code(self) -> None:
        readiness = Readiness()
        readiness.add("bus", ok)
        readiness.add("store", away)
        assert await readiness.report() == {"bus": "ok", "store": "store_unavailable"}

    async def test_a_name_has_one_check(self) -> None:
        readiness = Readiness()
        readiness.add("store", away)
        readiness.add("store", ok)
        assert await readiness.report() == {"store": "ok"}

    async def test_a_check_that_hangs_is_a_timeout_and_holds_up_no_other(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "CHECK_SECONDS", 0.01)
        readiness = Readiness()
        for name in ("a", "b", "c"):
            readiness.add(name, for_ever)
        readiness.add("d", ok)
        report = await asyncio.wait_for(readiness.report(), 1)
        assert report == {"a": "timeout", "b": "timeout", "c": "timeout", "d": "ok"}

    async def test_a_check_that_breaks_is_failed_and_the_others_are_told(self) -> None:
        """Without its text: who asks need not be one of us."""
        readiness = Readiness()
        readiness.add("store", broken)
        readiness.add("bus", ok)
        assert await readiness.report() == {"store": "failed", "bus": "ok"}

    async def test_a_check_that_was_removed_is_asked_no_more(self) -> None:
        readiness = Readiness()
        readiness.add("shard-1", away)
        readiness.add("shard-2", ok)
        readiness.remove("shard-1")
        readiness.remove("shard-1")
        assert await readiness.report() == {"shard-2": "ok"}

    async def test_one_that_is_removed_while_it_is_asked_is_reported_once_more(self) -> None:
        readiness, asked = Readiness(), asyncio.Event()

        async def slow() -> None:
            asked.set()
            await asyncio.sleep(0.01)

        readiness.add("a", slow)
        readiness.add("b", ok)
        report = asyncio.create_task(readiness.report())
        await asked.wait()
        readiness.remove("a")
        readiness.remove("b")
        assert await report == {"a": "ok", "b": "ok"}
        assert await readiness.report() == {}

    async def test_draining_is_unready_whatever_the_checks_say(self) -> None:
        readiness = Readiness()
        readiness.add("store", ok)
        readiness.drain()
        assert await readiness.report() == {"process": "shutting_down"}


class TestTasks:
    """A background task that fails ends its process: nothing stops in silence."""

    async def test_the_first_failure_is_the_process_end(self) -> None:
        tasks = Tasks()
        tasks.start(broken(), name="a")
        with pytest.raises(LookupError):
            await tasks.failed
        tasks.start(away(), name="b")
        await tasks.close()

    async def test_one_that_ends_well_or_is_cancelled_is_no_failure(self) -> None:
        tasks = Tasks()
        tasks.start(ok(), name="a")
        task = tasks.start(for_ever(), name="b")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert not tasks.failed.done()
        await tasks.close()

    async def test_close_cancels_what_runs_and_waits_for_it(self) -> None:
        tasks = Tasks()
        ended = []

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append(1)

        tasks.start(work(), name="a")
        tasks.start(work(), name="b")
        await asyncio.sleep(0)
        await tasks.close()
        assert ended == [1, 1]
        assert tasks.failed.cancelled()

    async def test_close_survives_what_fails_on_the_way_out(self) -> None:
        tasks = Tasks()

        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                raise LookupError

        tasks.start(work(), name="a")
        await asyncio.sleep(0)
        await tasks.close()
        assert isinstance(tasks.failed.exception(), LookupError)


class TestStopping:
    """SIGTERM and SIGINT ask a process to stop; a failed task makes it."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_a_signal_ends_the_wait(self, number: signal.Signals) -> None:
        tasks = Tasks()
        before = signal.getsignal(number)
        stopping = asyncio.create_task(stop_requested(tasks))
        await asyncio.sleep(0)
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopping, 5)
        # A second signal means: at once.
        assert signal.getsignal(number) in (before, signal.SIG_DFL, signal.default_int_handler)
        await tasks.close()

    async def test_a_failed_task_ends_it_with_its_error(self) -> None:
        tasks = Tasks()
        stopping = asyncio.create_task(stop_requested(tasks))
        await asyncio.sleep(0)
        tasks.start(away(), name="a")
        with pytest.raises(AllibeError):
            await stopping
        await tasks.close()

    async def test_one_that_failed_before_ends_it_at_once(self) -> None:
        tasks = Tasks()
        tasks.start(away(), name="a")
        await asyncio.wait([tasks.failed])
        with pytest.raises(StoreUnavailable):
            await stop_requested(tasks)
        await tasks.close()
