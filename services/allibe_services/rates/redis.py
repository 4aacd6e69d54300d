"""Debts and counts in Redis, by Redis' own time: machines' clocks may differ.

Keys, each after `PREFIX`, none of which outlives what it says:

rate:<key>  when the debt is paid back, in milliseconds of Unix time with three decimals
held:<key>  a hash: process to `<count> <end of its lease in milliseconds>`
"""

from collections.abc import Iterator, Mapping

from allibe_services.rates.base import LEASE_SECONDS, Spent
from allibe_services.redis_link import NOW, Argument, RedisLink

BATCH = 500
"""Keys of one script: Redis does nothing else meanwhile, for some milliseconds at most."""

_LEASE_MS = round(LEASE_SECONDS * 1000)

# ARGV: key, debt and age in microseconds, by turns. Returns the debts, in microseconds.
_SPEND = (
    NOW
    + """
local debts = {}
for i = 1, #ARGV, 3 do
    local key = KEYS[1] .. 'rate:' .. ARGV[i]
    local due = tonumber(redis.call('GET', key) or '0')
    due = math.max(due, now - ARGV[i + 2] / 1000) + ARGV[i + 1] / 1000
    local left = math.ceil(due - now)
    if left > 0 then
        redis.call('SET', key, string.format('%.3f', due), 'PX', left)
    end
    debts[#debts + 1] = math.max(0, math.floor((due - now) * 1000))
end
return debts
"""
)

# ARGV: the process, the length of its lease, then key and count by turns. Returns what others hold.
_HOLD = (
    NOW
    + """
local holder, length = ARGV[1], tonumber(ARGV[2])
local counts = {}
for i = 3, #ARGV, 2 do
    local key, others = KEYS[1] .. 'held:' .. ARGV[i], 0
    local held = redis.call('HGETALL', key)
    for j = 1, #held, 2 do
        local count, ends = string.match(held[j + 1], '(%d+) (%d+)')
        if held[j] ~= holder then
            if tonumber(ends) > now then
                others = others + count
            else
                redis.call('HDEL', key, held[j])
            end
        end
    end
    if ARGV[i + 1] == '0' then
        redis.call('HDEL', key, holder)
    else
        redis.call('HSET', key, holder, ARGV[i + 1] .. ' ' .. string.format('%.0f', now + length))
        redis.call('PEXPIRE', key, length)
    end
    counts[#counts + 1] = others
end
return counts
"""
)


class RedisRates:
    """`Rates` over a link, which its owner closes."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def spend(self, spent: Mapping[str, Spent]) -> dict[str, float]:
        flat: list[list[Argument]] = [
            [key, round(one.debt * 1e6), round(one.age * 1e6)] for key, one in spent.items()
        ]
        answers = await self._link.run(_SPEND, *_batches(flat, []))
        return {key: debt / 1e6 for key, debt in zip(spent, _flat(answers), strict=True)}

    async def hold(self, holder: str, counts: Mapping[str, int]) -> dict[str, int]:
        flat: list[list[Argument]] = [[key, count] for key, count in counts.items()]
        answers = await self._link.run(_HOLD, *_batches(flat, [holder, _LEASE_MS]))
        return dict(zip(counts, _flat(answers), strict=True))


def _batches(each: list[list[Argument]], head: list[Argument]) -> Iterator[list[Argument]]:
    for start in range(0, len(each), BATCH):
        yield head + [word for words in each[start : start + BATCH] for word in words]


def _flat(answers: list[list[int]]) -> list[int]:
    return [one for answer in answers for one in answer]
