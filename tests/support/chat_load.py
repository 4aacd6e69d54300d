"""`python chat_load.py on|off <folder> <port> <seconds>`: how long messages take.

One process as `allibe serve` is one: store, bus, worker. Pushes go to `https://localhost:<port>`,
under a certificate in `<folder>/localhost.pem`. Prints 99th percentile and median of the
milliseconds from post to commit, and the number of tries that got no answer.
"""

import asyncio
import ssl
import statistics
import sys
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


async def main(pushes: bool, folder: Path, port: int, seconds: int) -> None:
    """Say so many messages, and print how long they took."""
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
            took = await _said(world, seconds)
    await bus.close()
    await store.close()
    p99, p50 = statistics.quantiles(took, n=100)[98], statistics.median(took)
    print(p99 * 1000, p50 * 1000, world.counted(PushReason.TIMED_OUT))


async def _said(world: PushWorld, seconds: int) -> list[float]:
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def say() -> None:
        started = loop.time()
        await world.say("hello")
        took.append(loop.time() - started)

    begun = loop.time()
    async with asyncio.TaskGroup() as saying:
        for number in range(A_SECOND * seconds):
            await asyncio.sleep(max(0.0, begun + number / A_SECOND - loop.time()))
            saying.create_task(say())
    return took


if __name__ == "__main__":
    configure_logging("error", as_json=False)
    asyncio.run(main(sys.argv[1] == "on", Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
