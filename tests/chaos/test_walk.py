"""All faults, again and again, in random order; and what needs a cluster of another kind.

    ALLIBE_CHAOS_SEED=1234 ALLIBE_CHAOS_ROUNDS=200 make chaos ARGS='-k random'

A round is a fault, or two at a time; after each five of them all is healed, and must be quiet, and
is checked.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chaos.faults import MORE_FAULTS, Fault, settle
from tests.chaos.load import Load, judge, told, under_load
from tests.chaos.stage import Stage, seed_of_this_run, staged
from tests.chaos.walk import Step, go, steps
from tests.support.clients import Clients

ROUNDS = int(os.environ.get("ALLIBE_CHAOS_ROUNDS", "40"))
ROUND_SECONDS = 60
"""For the time limit; a round takes about eight."""

LAP = 5
"""Rounds between two checks."""

CLOCK_ROUNDS = 6

pytestmark = [pytest.mark.long, pytest.mark.timeout(300 + ROUNDS * ROUND_SECONDS)]


async def test_a_random_walk_over_all_faults(
    tmp_path: Path, postgres_template: Path, clients: Clients
) -> None:
    """I1 to I8, whatever comes after what."""
    seed = seed_of_this_run()
    print(f"ALLIBE_CHAOS_SEED={seed} ALLIBE_CHAOS_ROUNDS={ROUNDS}")
    with staged(tmp_path / "stage", postgres_template) as stage:
        settle()
        walk = list(steps(MORE_FAULTS, ROUNDS, seed))
        for number in range(0, ROUNDS, LAP):
            await _lap(walk[number : number + LAP], stage, clients, f"{seed} {number}")


async def test_one_of_three_rabbitmq_nodes_is_killed(
    tmp_path: Path, postgres_template: Path, clients: Clients
) -> None:
    """Each in its turn, and each comes back: two of three are enough."""
    seed = seed_of_this_run()
    with staged(tmp_path / "stage", postgres_template, nodes=3) as stage:
        settle()
        faults = [_node_killed(number) for number in range(3)]
        await _lap(list(steps(faults, 3, seed)), stage, clients, seed)


async def test_clocks_are_an_hour_apart(
    tmp_path: Path, postgres_template: Path, clients: Clients
) -> None:
    """A gateway ahead, a worker behind, and what makes them repeat and take over."""
    seed = seed_of_this_run()
    with staged(tmp_path / "stage", postgres_template, clocks_apart=True) as stage:
        settle()
        faults = [one for one in MORE_FAULTS if one.subject in ("gateway", "worker", "redis")]
        await _lap(list(steps(faults, CLOCK_ROUNDS, seed)), stage, clients, seed)


async def _lap(walk: Sequence[Step], stage: Stage, clients: Clients, seed: str) -> None:
    done: list[str] = []

    def story() -> str:
        return "\n".join((f"ALLIBE_CHAOS_SEED={seed.partition(' ')[0]}", *done))

    async with under_load(Load(stage, clients, seed), story) as load:
        for step in walk:
            done.append(str(step))
            print(step, flush=True)
            await go(step, stage, load)
        run = await load.finish()
        print(f"  {told(run)}", flush=True)
        judge(run, story())
        stage.check_logs()


def _node_killed(number: int) -> Fault:
    return Fault(
        f"RabbitMQ node {number + 1} of 3 killed",
        "bus",
        lambda stage: stage.cluster.nodes[number].kill(),
        lambda stage: stage.cluster.nodes[number].start(),
        longest=8.0,
    )
