"""What connections cost Redis, alone: `python -m bench.leases`. Nothing is recorded.

A private Redis, which says itself how much processor time and memory it has used; so it does not
matter much what else the machine does.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import Lease
from allibe_services.presence.redis import RedisPresence
from allibe_services.redis_link import RedisLink
from deploy.cluster.servers import Redis

CONNECTIONS = 100_000
ROOM_SIZE = 100
CALL = 5_000
"""Leases that are renewed at once: as many as a gateway of that many connections has."""


def leases(*, looking: bool) -> list[Lease]:
    """Return a lease for each connection: of a user of its own, who looks at a room or at none."""
    return [
        Lease(
            f"gateway-1-{number}",
            UserId(f"user-{number}"),
            (RoomId(f"room-{number // ROOM_SIZE}"),) if looking else (),
        )
        for number in range(CONNECTIONS)
    ]


async def measured(redis: Redis, what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Print what a piece of work over all connections has cost Redis for each."""
    cpu, memory = used(redis)
    await work()
    cpu_now, memory_now = used(redis)
    each = (cpu_now - cpu) / CONNECTIONS * 1e6
    grown = (memory_now - memory) / CONNECTIONS
    print(f"{what}: {each:.1f} us of CPU, {grown:.0f} bytes for a connection", flush=True)


def used(redis: Redis) -> tuple[float, int]:
    """Return the CPU-seconds and the bytes that Redis has used."""
    told = dict(
        line.split(":", 1)
        for line in (redis.command("INFO", "cpu") + "\n" + redis.command("INFO", "memory")).split()
        if ":" in line
    )
    cpu = float(told["used_cpu_user"]) + float(told["used_cpu_sys"])
    return cpu, int(told["used_memory"])


async def main(redis: Redis) -> None:
    link = RedisLink(redis.url(), call_seconds=60)
    presence = RedisPresence(link)
    for what, looking in (("looking at no room", False), ("looking at one room", True)):
        all_of_them = leases(looking=looking)

        async def renew(all_of_them: list[Lease] = all_of_them) -> None:
            for start in range(0, CONNECTIONS, CALL):
                await presence.renew(all_of_them[start : start + CALL])

        redis.flush()
        await measured(redis, f"{what}, first lease", renew)
        await measured(redis, f"{what}, renewal", renew)
        await measured(redis, f"{what}, renewal", renew)
    await link.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, Redis(Path(folder) / "redis") as redis:
        asyncio.run(main(redis))
