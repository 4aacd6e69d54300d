"""A random walk over all faults: which, in which order, for how long, two at a time now and then.

All of it follows from the seed. What the servers do meanwhile does not.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.faults import Fault
from tests.chaos.load import Load
from tests.chaos.stage import Stage

TOGETHER = 0.3
"""How often a second fault comes while the first is there."""

LONGEST_REST = 2.0
"""Seconds between steps."""

INFRASTRUCTURE = ("bus", "database", "redis")
"""These subjects are well again first: services that start wait for them."""


@dataclass(frozen=True)
class Step:
    """Faults that are there together: each is begun, in order, and left alone for its seconds."""

    faults: tuple[tuple[Fault, float], ...]
    rest: float

    def __str__(self) -> str:
        return " + ".join(f"{fault} ({seconds:.1f} s)" for fault, seconds in self.faults)


def steps(faults: list[Fault], count: int, seed: str) -> Iterator[Step]:
    """Return so many steps. Each fault comes once before any comes again."""
    choose = random.Random(seed)
    deck: list[Fault] = []
    for _ in range(count):
        if not deck:
            deck = choose.sample(faults, len(faults))
        chosen = [deck.pop()]
        if choose.random() < TOGETHER:
            others = [one for one in deck if one.subject != chosen[0].subject]
            if others:
                chosen.append(choose.choice(others))
                deck.remove(chosen[1])
        lasting = tuple((fault, choose.uniform(0, fault.longest)) for fault in chosen)
        yield Step(lasting, choose.uniform(0, LONGEST_REST))


async def go(step: Step, stage: Stage, load: Load) -> None:
    """Let it happen; everything is well again afterwards."""
    begun: list[Fault] = []
    try:
        for fault, seconds in step.faults:
            await asyncio.to_thread(fault.begin, stage)
            begun.append(fault)
            await load.for_a_while(seconds)
    finally:
        for fault in sorted(begun, key=lambda one: one.subject not in INFRASTRUCTURE):
            await asyncio.to_thread(fault.end, stage)
    await load.for_a_while(step.rest)
