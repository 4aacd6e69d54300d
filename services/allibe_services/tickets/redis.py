"""Tickets in Redis, seen by all processes.

ticket:<hash>  the identity, as JSON, and who has used the ticket, once somebody has

A script may be run twice when a connection is lost, so a used ticket is marked and not removed:
the second run finds its own mark.
"""

from secrets import token_hex

import msgspec

from allibe_services.contracts.errors import TicketInvalid
from allibe_services.contracts.identity import Identity
from allibe_services.redis_link import RedisLink
from allibe_services.tickets.base import TICKET_SECONDS, new_ticket, place_of

_TICKET_MS = round(TICKET_SECONDS * 1000)

# ARGV: the hash of the ticket, the identity, the length of its life.
_ISSUE = """
local key = KEYS[1] .. 'ticket:' .. ARGV[1]
redis.call('HSET', key, 'identity', ARGV[2])
redis.call('PEXPIRE', key, ARGV[3])
"""

# ARGV: the hash of the ticket, who uses it. Returns the identity, or nothing.
_REDEEM = """
local key = KEYS[1] .. 'ticket:' .. ARGV[1]
if redis.call('EXISTS', key) == 0 then
    return false
end
redis.call('HSETNX', key, 'by', ARGV[2])
if redis.call('HGET', key, 'by') ~= ARGV[2] then
    return false
end
return redis.call('HGET', key, 'identity')
"""

_decode = msgspec.json.Decoder(Identity).decode


class RedisTickets:
    """`Tickets` over a link, which its owner closes."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link

    async def issue(self, identity: Identity) -> str:
        ticket = new_ticket()
        kept = msgspec.json.encode(identity).decode()
        await self._link.run(_ISSUE, [place_of(ticket), kept, _TICKET_MS])
        return ticket

    async def redeem(self, ticket: str) -> Identity:
        [identity] = await self._link.run(_REDEEM, [place_of(ticket), token_hex(16)])
        if identity is None:
            raise TicketInvalid
        return _decode(identity)
