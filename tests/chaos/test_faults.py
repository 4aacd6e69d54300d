"""Each fault by itself, on the real distributed system: load, fault, heal, quiet, checker.

`ALLIBE_CHAOS_SEED` repeats a run's choices (not its every interleaving). `make chaos` runs what
takes longer as well.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.faults import DEATHS, FAULTS, Fault, settle
from tests.chaos.load import SENDERS, Load, judge, told, under_load
from tests.chaos.senders import Answer
from tests.chaos.stage import Stage, seed_of_this_run, staged
from tests.support.clients import Clients

pytestmark = pytest.mark.timeout(240)

AFTERWARDS = 0.5
"""Seconds of load after the fault."""

BUS_SECONDS = 5.0
"""In which a client is told that RabbitMQ is away (`ALLIBE_PUBLISH_SECONDS`)."""

GRACE = 3.0
"""Seconds more, for a machine that is busy with other things."""

ALONE = [one for one in SENDERS if one.most == 1]

STILL = 20.0
"""Each sender has been told something in these last seconds before a database comes back."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, postgres_template: Path) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), postgres_template) as stage:
        settle()
        yield stage


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_what_holds_always_holds_through(
    fault: Fault, stage: Stage, clients: Clients
) -> None:
    """I1 to I8, over both doors and both gateways."""
    seed = seed_of_this_run()
    story = f"ALLIBE_CHAOS_SEED={seed}: {fault}"
    async with under_load(Load(stage, clients, seed), lambda: story) as load:
        await asyncio.to_thread(fault.begin, stage)
        try:
            await load.for_a_while(fault.seconds)
        finally:
            await asyncio.to_thread(fault.end, stage)
        await load.for_a_while(AFTERWARDS)
        run = await load.finish()
        print(f"{story}: {told(run)}")
        judge(run, story)
        stage.check_logs()


async def test_what_holds_always_holds_when_workers_die_anywhere(
    stage: Stage, clients: Clients
) -> None:
    """The unacknowledged command is the outbox: a crash anywhere leads to it again."""
    seed = seed_of_this_run()
    story = f"ALLIBE_CHAOS_SEED={seed}: {', '.join(map(str, DEATHS))}"
    async with under_load(Load(stage, clients, seed), lambda: story) as load:
        for death in DEATHS:
            await asyncio.to_thread(death.begin, stage)
            await asyncio.to_thread(death.end, stage)
        await load.for_a_while(AFTERWARDS)
        run = await load.finish()
        print(f"{story}: {told(run)}")
        judge(run, story)
        stage.check_logs()


@pytest.mark.parametrize(
    "seconds", [3.0, pytest.param(60.0, marks=[pytest.mark.long, pytest.mark.timeout(400)])]
)
async def test_receipts_go_on_while_postgresql_is_away(
    seconds: float, stage: Stage, clients: Clients
) -> None:
    """And all that was sent meanwhile arrives, in order, when it is back."""
    seed = seed_of_this_run()
    story = f"ALLIBE_CHAOS_SEED={seed}: PostgreSQL stopped for {seconds:.0f} s"
    clock = asyncio.get_running_loop().time
    async with under_load(Load(stage, clients, seed), lambda: story) as load:
        await asyncio.to_thread(stage.cluster.postgres.stop)
        try:
            began = clock()
            await load.for_a_while(seconds)
            ended = clock()
        finally:
            await asyncio.to_thread(stage.cluster.postgres.start)
        await load.for_a_while(AFTERWARDS)
        run = await load.finish()
        answers = [one for one in load.ledger.answers if began < one.at - one.seconds < ended]
        slowest = max(one.seconds for one in answers)
        print(f"{story}: {told(run)}; {len(answers)} answers meanwhile, slowest {slowest:.2f} s")
        judge(run, story)
        assert {one.code for one in answers} == {""}
        assert slowest < BUS_SECONDS, story
        for sender in load.senders:
            its = [one for one in answers if one.name.startswith(f"{sender.name}-")]
            assert its, f"{story}: {sender.name} was told nothing"
            assert its[-1].at > ended - STILL, f"{story}: {sender.name} got stuck"
        stage.check_logs()


async def test_errors_that_may_be_retried_come_in_time_while_rabbitmq_is_away(
    stage: Stage, clients: Clients
) -> None:
    """And what they were about is stored once, in order, when it is back."""
    seed = seed_of_this_run()
    story = f"ALLIBE_CHAOS_SEED={seed}: RabbitMQ killed, and away"
    clock = asyncio.get_running_loop().time
    load = Load(stage, clients, seed, patience=(20.0, 20.0))
    async with under_load(load, lambda: story):
        await asyncio.to_thread(stage.cluster.nodes[0].kill)
        try:
            began = clock()
            while len(errors := _first_errors(load, began)) < len(ALONE):
                await load.for_a_while(0.1)
                assert clock() < began + BUS_SECONDS + GRACE, (story, errors)
            ended = clock()
        finally:
            await asyncio.to_thread(stage.cluster.nodes[0].start)
        await load.for_a_while(AFTERWARDS)
        run = await load.finish()
        slowest = max(one.seconds for one in errors)
        print(f"{story}: {told(run)}; {len(errors)} errors meanwhile, slowest {slowest:.2f} s")
        judge(run, story)
        assert all(one.retryable for one in errors), (story, errors)
        assert slowest < BUS_SECONDS + GRACE, (story, errors)
        receipts = [one for one in load.ledger.answers if not one.code and one.at < ended]
        assert all(one.at - one.seconds < began for one in receipts), story
        stage.check_logs()


def _first_errors(load: Load, began: float) -> list[Answer]:
    """Return the first error since then of each sender that has one message under way."""
    alone = {one.name for one in load.senders if one.most == 1}
    first: dict[str, Answer] = {}
    for answer in load.ledger.answers:
        source = answer.name.rpartition("-")[0]
        if answer.code and answer.at > began and source in alone:
            first.setdefault(source, answer)
    return list(first.values())


@pytest.mark.long
async def test_a_lost_last_event_is_found(stage: Stage, clients: Clients) -> None:
    """Gateways compare what they have with the log: nobody has to come back, or to send more."""
    seed = seed_of_this_run()
    story = f"ALLIBE_CHAOS_SEED={seed}: all events are lost"
    async with under_load(Load(stage, clients, seed, longest_life=None), lambda: story) as load:
        for gateway in stage.cluster.gateways:
            stage.order("lose all events", service=gateway)
        try:
            await load.for_a_while(1)
            run = await load.finish()
        finally:
            for gateway in stage.cluster.gateways:
                stage.order(service=gateway)
        print(f"{story}: {told(run)}")
        judge(run, story)
        assert run.unseen > GRACE, story  # else they were not lost
        stage.check_logs()
