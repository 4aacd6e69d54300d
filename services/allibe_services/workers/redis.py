"""Worker membership in Redis, by Redis' own time: machines' clocks may differ.

One key, `PREFIX` and `workers`: the ids, sorted by when their leases end, in milliseconds of Unix
time. It does not outlive the last lease in it.
"""

from allibe_services.redis_link import NOW, RedisLink
from allibe_services.workers.base import LEASE_SECONDS

_LEASE_MS = round(LEASE_SECONDS * 1000)

# ARGV: the length of a lease, the worker. Returns all workers.
_ANNOUNCE = (
    NOW
    + """
local key, length, worker = KEYS[1] .. 'workers', tonumber(ARGV[1]), ARGV[2]
redis.call('ZADD', key, now + length, worker)
redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
redis.call('PEXPIRE', key, length)
return redis.call('ZRANGE', key, 0, -1)
"""
)

# ARGV: the worker.
_LEAVE = "redis.call('ZREM', KEYS[1] .. 'workers', ARGV[1])"


class RedisWorkers:
    """`Workers` over a link, which its owner closes."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def announce(self, worker_id: str) -> set[str]:
        [workers] = await self._link.run(_ANNOUNCE, [_LEASE_MS, worker_id])
        return {worker.decode() for worker in workers}

    async def leave(self, worker_id: str) -> None:
        await self._link.run(_LEAVE, [worker_id])

    async def ping(self) -> None:
        await self._link.ping()
