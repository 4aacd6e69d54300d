"""`python chat_load.py on|off <folder> <port>`: how long messages take, in phases.

One process as `allibe serve` is one: store, bus, worker. Pushes go to `https://localhost:<port>`,
under a certificate in `<folder>/localhost.pem`. For each line that it reads, the seconds of a
phase, it posts messages for so long and prints the 99th percentile and the median of the
milliseconds from post to commit, how many tries got no answer until then, and the processor's time
that the phase took, in milliseconds for each second.
"""

import asyncio
import os
import ssl
import statistics
import sys
import time
from contextlib import suppress
from pathlib import Path

from allibe_services.bus.inprocess import InProcessBus
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.push import PushReason
from allibe_services.logs import configure_logging
from allibe_services.outbound import LoopbackForTests, Rules, outbound_client
from allibe_services.store.migrate import migrate
from allibe_services.store.sql import SqlStore
from allibe_services.store.sqlite import SqliteDatabase
from tests.support.push_browser import PushBrowser
from tests.support.push_service import PushService
from tests.support.pushing import PushWorld

MEMBERS = 200
A_SECOND = 100


async def main(pushes: bool, folder: Path, port: int) -> None:
    """Serve phases until the input ends."""
    url = f"sqlite:///{folder}/{'on' if pushes else 'off'}.db"
    migrate(url)
    store, bus = SqlStore(SqliteDatabase(url)), InProcessBus()
    trust = ssl.create_default_context(cafile=folder / "localhost.pem")
    async with outbound_client(Rules(loopback=LoopbackForTests(trust))) as client:
        world = PushWorld(store, bus, PushService(), client)
        members = [UserId(f"member-{number}") for number in range(MEMBERS)]
        await world.room(*members)
        for member in members:
            endpoint = f"https://localhost:{port}/{member}"
            await store.pushes.subscribe(member, PushBrowser().subscription(endpoint))
        async with world.worker(pushes=pushes):
            while seconds := await asyncio.to_thread(sys.stdin.readline):
                print(*await _phase(world, float(seconds)), flush=True)
    await bus.close()
    await store.close()


async def _phase(world: PushWorld, seconds: float) -> tuple[float, float, float, float]:
    worked = time.process_time()
    took = await _said(world, seconds)
    worked = time.process_time() - worked
    p99, p50 = statistics.quantiles(took, n=100)[98], statistics.median(took)
    hung = world.counted(PushReason.TIMED_OUT)
    return p99 * 1000, p50 * 1000, hung, worked / seconds * 1000


async def _said(world: PushWorld, seconds: float) -> list[float]:
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def say() -> None:
        started = loop.time()
        await world.say("hello")
        took.append(loop.time() - started)

    begun = loop.time()
    async with asyncio.TaskGroup() as saying:
        for number in range(int(A_SECOND * seconds)):
            await asyncio.sleep(max(0.0, begun + number / A_SECOND - loop.time()))
            saying.create_task(say())
    return took


if __name__ == "__main__":
    # Others on the machine are not what is measured: they are to wait, where that is allowed.
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    configure_logging("error", as_json=False)
    asyncio.run(main(sys.argv[1] == "on", Path(sys.argv[2]), int(sys.argv[3])))
