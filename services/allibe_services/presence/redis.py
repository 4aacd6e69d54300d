"""Presence in Redis, seen by all processes. Time is Redis' own: machines' clocks may differ.

Keys, each after `PREFIX`, none of which outlives the last lease in it:

lease:<connection>  the user and the rooms of the connection's lease, as words
user:<user>         the user's connections, sorted by when their leases end
room:<room>         the same of who has the room on the screen, as `<connection> <user>`

When leases end is in milliseconds of Unix time. Whoever writes to a user or room drops what has
ended there, so that a busy room does not keep what gateways left behind that died. Ids of users and
rooms have no blanks.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.presence.base import (
    COUNTED,
    DEVICES,
    LEASE_SECONDS,
    Lease,
    Lookers,
    Screens,
)
from allibe_services.redis_link import NOW, Argument, RedisLink

BATCH = 500
"""Entries of users and rooms that one script writes: Redis does nothing else meanwhile,
for 3 ms at most."""

ENDS = 100
"""Leases that one script ends, each of which may have many rooms."""

USERS = 100
"""Users whose screens one script tells, at worst `DEVICES` connections of each: 4 ms."""

ROOMS = 5
"""Rooms whose lookers one script tells, at worst `COUNTED` in each: 4 ms."""

_Id = TypeVar("_Id", bound=str)

_LEASE_MS = round(LEASE_SECONDS * 1000)

_FORGET = """
local function forget(connection, lease)
    local user
    for word in string.gmatch(lease, '%S+') do
        if user then
            redis.call('ZREM', prefix .. 'room:' .. word, connection .. ' ' .. user)
        else
            user = word
            redis.call('ZREM', prefix .. 'user:' .. user, connection)
        end
    end
end
"""

# ARGV: the length of a lease, then connection and lease by turns, no connection twice.
# Entries are gathered by key: a batch of one room's leases costs one ZADD, not one each.
_RENEW = (
    "local prefix, length = KEYS[1], tonumber(ARGV[1])"
    + NOW
    + _FORGET
    + """
local entries = {}
local function add(key, member)
    local ours = entries[key] or {}
    ours[#ours + 1] = now + length
    ours[#ours + 1] = member
    entries[key] = ours
end
for i = 2, #ARGV, 2 do
    local connection, lease = ARGV[i], ARGV[i + 1]
    local known = redis.call('SET', prefix .. 'lease:' .. connection, lease, 'PX', length, 'GET')
    if known and known ~= lease then
        forget(connection, known)
    end
    local user
    for word in string.gmatch(lease, '%S+') do
        if user then
            add(prefix .. 'room:' .. word, connection .. ' ' .. user)
        else
            user = word
            add(prefix .. 'user:' .. user, connection)
        end
    end
end
for key, ours in pairs(entries) do
    redis.call('ZADD', key, unpack(ours))
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    redis.call('PEXPIRE', key, length)
end
"""
)

# ARGV: connections.
_END = (
    "local prefix = KEYS[1]"
    + _FORGET
    + """
for _, connection in ipairs(ARGV) do
    local known = redis.call('GETDEL', prefix .. 'lease:' .. connection)
    if known then
        forget(connection, known)
    end
end
"""
)

# ARGV: how many connections of a user are looked at, then users. Returns for each who is connected
# which of them that is, then the leases.
_SCREENS = (
    "local prefix, most = KEYS[1], ARGV[1]"
    + NOW
    + """
local found = {}
for i = 2, #ARGV do
    local key = prefix .. 'user:' .. ARGV[i]
    local living = redis.call('ZREVRANGEBYSCORE', key, '+inf', '(' .. now, 'LIMIT', 0, most)
    if #living > 0 then
        local leases = {i - 1}
        for _, connection in ipairs(living) do
            leases[#leases + 1] = redis.call('GET', prefix .. 'lease:' .. connection) or ''
        end
        found[#found + 1] = leases
    end
end
return found
"""
)

# ARGV: how many connections are looked at, and how many users named; then rooms. Returns for each
# the number, and then the users unless they are too many.
_LOOKERS = (
    "local counted, most = tonumber(ARGV[1]), tonumber(ARGV[2])"
    + NOW
    + """
local answers = {}
for i = 3, #ARGV do
    local key = KEYS[1] .. 'room:' .. ARGV[i]
    local answer = {redis.call('ZCOUNT', key, '(' .. now, '+inf')}
    if answer[1] <= counted then
        local known = {}
        for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. now, '+inf')) do
            local user = string.match(member, '%S+$')
            if not known[user] then
                known[user] = true
                answer[#answer + 1] = user
            end
        end
        answer[1] = #answer - 1
        if answer[1] > most then
            answer = {answer[1]}
        end
    end
    answers[#answers + 1] = answer
end
return answers
"""
)


class RedisPresence:
    """`Presence` over a link, which its owner closes."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def renew(self, leases: Sequence[Lease]) -> None:
        last = {lease.connection_id: lease for lease in leases}
        await self._link.run(_RENEW, *_renewals(last.values()))

    async def end(self, connection_ids: Collection[str]) -> None:
        await self._link.run(_END, *_batches(connection_ids, ENDS))

    async def screens(self, users: Collection[UserId]) -> Screens:
        batches = list(_batches(users, USERS))
        calls: list[list[Argument]] = [[DEVICES, *batch] for batch in batches]
        answers = await self._link.run(_SCREENS, *calls)
        return {
            batch[place - 1]: frozenset().union(*map(_rooms_of, leases))
            for batch, found in zip(batches, answers, strict=True)
            for place, *leases in found
        }

    async def lookers(self, rooms: Collection[RoomId], *, most: int) -> dict[RoomId, Lookers]:
        batches = list(_batches(rooms, ROOMS))
        calls: list[list[Argument]] = [[COUNTED, most, *batch] for batch in batches]
        answers = await self._link.run(_LOOKERS, *calls)
        return {
            room_id: _lookers_of(count, users, named=count <= most)
            for batch, told in zip(batches, answers, strict=True)
            for room_id, (count, *users) in zip(batch, told, strict=True)
        }

    async def ping(self) -> None:
        await self._link.ping()

    async def close(self) -> None:
        return


def _rooms_of(lease: bytes) -> list[RoomId]:
    return [RoomId(word) for word in lease.decode().split(" ")[1:]]


def _lookers_of(count: int, users: Iterable[bytes], *, named: bool) -> Lookers:
    return Lookers(count, frozenset(UserId(user.decode()) for user in users) if named else None)


def _renewals(leases: Iterable[Lease]) -> Iterator[list[Argument]]:
    """Yield the arguments of renewals of about `BATCH` entries each, and of at least one lease."""
    batch: list[Argument] = [_LEASE_MS]
    entries = 0
    for lease in leases:
        cost = 1 + len(lease.rooms)
        if entries and entries + cost > BATCH:
            yield batch
            batch, entries = [_LEASE_MS], 0
        batch += (lease.connection_id, " ".join((lease.user_id, *lease.rooms)))
        entries += cost
    if entries:
        yield batch


def _batches(ids: Collection[_Id], most: int) -> Iterator[list[_Id]]:
    each = list(ids)
    for start in range(0, len(each), most):
        yield each[start : start + most]
