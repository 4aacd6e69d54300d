"""Planted bugs on the real system: the checker must find each, under its invariant.

What the checker does not find here it would not find in the product either.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.cluster.parts import DATABASE
from deploy.cluster.service import Service
from tests.chaos.checker import check
from tests.chaos.load import Load, told, under_load
from tests.chaos.stage import Stage, seed_of_this_run, staged
from tests.support.clients import Clients

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

QUIET_SECONDS = 20.0
"""What a planted bug has lost does not come, however long one waits; what a worker that was killed
leaves to another does."""

LOAD_SECONDS = 1.5


@dataclass(frozen=True)
class Bug:
    """What every gateway or worker is ordered to do wrong, the fault that shows it, and how the
    checker is to put it."""

    found: str
    orders: tuple[str, ...]
    whose: Callable[[Stage], list[Service]]
    fault: Callable[[Stage], None] = lambda _: None

    def __str__(self) -> str:
        return self.orders[0]


def _gateways(stage: Stage) -> list[Service]:
    return stage.cluster.gateways


def _workers(stage: Stage) -> list[Service]:
    return stage.cluster.workers


def _kill_the_workers(stage: Stage) -> None:
    for worker in stage.cluster.workers:
        worker.kill()
    for worker in stage.cluster.workers:
        worker.start()


def _drop_the_keys(stage: Stage) -> None:
    for statement in (
        "ALTER TABLE messages DROP CONSTRAINT uq_messages_message_id_room_id",
        "DROP INDEX uq_messages_room_id_sender_client_message_id",
    ):
        stage.cluster.postgres.sql(statement, DATABASE)


BUGS = [
    Bug("I1: receipted and not stored", ("ack before commit",), _workers, _kill_the_workers),
    Bug("I3: ", ("no gap filling", "lose events"), _gateways),
    Bug("I1: offset ", ("offsets from a sequence", "hand over twice"), _workers),
    Bug(
        "I1: stored twice", ("no unique key", "hand over twice"), _workers, _drop_the_keys
    ),  # the last one
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, postgres_template: Path) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), postgres_template) as stage:
        yield stage


@pytest.mark.parametrize("bug", BUGS, ids=str)
async def test_the_checker_finds_it(bug: Bug, stage: Stage, clients: Clients) -> None:
    seed = seed_of_this_run()
    story = f"ALLIBE_CHAOS_SEED={seed}: planted: {bug}"
    load = Load(stage, clients, seed, quiet_seconds=QUIET_SECONDS)
    async with under_load(load, lambda: story):
        for service in bug.whose(stage):
            stage.order(*bug.orders, service=service)
        try:
            await load.for_a_while(LOAD_SECONDS)
            await asyncio.to_thread(bug.fault, stage)
            await load.for_a_while(LOAD_SECONDS)
        finally:
            for service in bug.whose(stage):
                stage.order(service=service)
        run = await load.finish()
    found = [str(violation) for violation in check(run)]
    print(f"{story}: {told(run)}; {len(found)} violations, such as {found[:1]}")
    assert any(one.startswith(bug.found) for one in found), (story, found[:20])
