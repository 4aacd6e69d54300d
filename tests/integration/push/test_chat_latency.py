"""Chat while a push service hangs: as fast as without pushes.

`python -m pytest tests/integration/push/test_chat_latency.py -m long -s` prints the figures.
"""

import asyncio
import statistics
from pathlib import Path

import pytest

from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.ids import UserId
from allibe_services.outbound import OutboundClient
from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from tests.support.push_service import PushService
from tests.support.pushing import PushWorld

MEMBERS = 200
A_SECOND = 100
SECONDS = 6
ROUNDS = 5


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_push_service_that_hangs_does_not_slow_chat(
    tmp_path: Path, service: PushService, client: OutboundClient
) -> None:
    """p99 from post to commit, in alternation: the machine's other work hits both alike."""
    service.hangs()
    ratios, without, hanging = [], [], []
    for number in range(ROUNDS):
        off = await _p99(tmp_path / f"off-{number}", service, client, pushes=False)
        on = await _p99(tmp_path / f"on-{number}", service, client, pushes=True)
        ratios.append(on / off)
        without.append(off)
        hanging.append(on)
        print(f"p99 {off * 1000:.2f} ms without pushes, {on * 1000:.2f} ms with: {on / off:.3f}")
    asked = service.asked
    ratio = statistics.median(hanging) / statistics.median(without)
    print(f"ratio of medians {ratio:.3f}; the push service was asked {asked} times")
    assert asked > ROUNDS * 10
    assert ratio < 1.1


async def _p99(
    folder: Path, service: PushService, client: OutboundClient, *, pushes: bool
) -> float:
    url = f"sqlite:///{folder}/allibe.db"
    await asyncio.to_thread(migrate, url)
    store, bus = SqlStore(SqliteDatabase(url)), InProcessBus()
    world = PushWorld(store, bus, service, client)
    members = [UserId(f"member-{number}") for number in range(MEMBERS)]
    await world.room(*members)
    await world.subscribe(*members)
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def say() -> None:
        started = loop.time()
        await world.say("hello")
        took.append(loop.time() - started)

    async with world.worker(pushes=pushes):
        await say()
        took.clear()
        begun = loop.time()
        saying = []
        for number in range(A_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, begun + number / A_SECOND - loop.time()))
            saying.append(asyncio.create_task(say()))
        await asyncio.gather(*saying)
    await bus.close()
    await store.close()
    return statistics.quantiles(took, n=100)[98]
