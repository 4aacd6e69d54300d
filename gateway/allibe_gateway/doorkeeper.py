"""Who may connect at all: asked once for each WebSocket, or session of another transport.

Browsers cannot read an answer that refuses a WebSocket. So one is refused by its door, which says
why and when to come back, and closed; and by HTTP when so many are being closed already.
"""

import random
from collections.abc import Callable
from math import ceil
from typing import Final

import msgspec
from aiohttp import web

from allibe_gateway.addresses import Addresses
from allibe_gateway.inbound import Inbound
from allibe_services.contracts.errors import AllibeError, Overloaded, RateLimited
from allibe_services.rates.limiter import CONNECTIONS_RETRY_MS, Limiter

MOST_REFUSED = 1000
"""Connections that are being told and closed at a time, each some 7 KiB for 3 s at most."""

LEAST_HINT, LONGEST_HINT = 1.0, 30.0
"""Seconds after which a client is told to come back."""

UNSIGNED_SPREAD = 10.0
"""Seconds over which those come back who met too many that had not signed in: by then they have."""


_BY_ADDRESS: Final = "address_connections"


class Place(msgspec.Struct, frozen=True):
    """A connection's; its address only where that counts. `tells` is whether one that is refused
    is told so by its door."""

    address: str | None = None
    refusal: AllibeError | None = None
    tells: bool = True


class Doorkeeper:
    """Limits at the door of one process. `jitter` returns 0 (included) to 1 (excluded)."""

    def __init__(
        self,
        limiter: Limiter,
        addresses: Addresses,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._limiter = limiter
        self._addresses = addresses
        self._jitter = jitter
        self._due = 0.0
        self._promised = 0.0
        self._refused = 0

    def inbound(self) -> Inbound:
        """Return what measures how fast a new connection speaks."""
        return Inbound(self._limiter)

    def enter(self, request: web.BaseRequest) -> Place:
        """Count a connection, or one that is told that it is refused, until `leave`."""
        limited = _BY_ADDRESS in self._limiter.holdings
        address = self._addresses.of(request) if limited else None
        refusal = self._too_many_from(address) or self._too_many_unsigned() or self._too_fast()
        if refusal is not None:
            self._refused += 1
        else:
            self._limiter.arrive()
            if address is not None:
                self._limiter.holdings[_BY_ADDRESS].add(address)
        return Place(address, refusal, self._refused <= MOST_REFUSED)

    def leave(self, place: Place) -> None:
        """Count it no longer: nobody is signed in on it any more."""
        if place.refusal is not None:
            self._refused -= 1
            return
        self._limiter.leave()
        if place.address is not None:
            self._limiter.holdings[_BY_ADDRESS].remove(place.address)

    def _too_many_from(self, address: str | None) -> AllibeError | None:
        holdings = self._limiter.holdings.get(_BY_ADDRESS)
        full = address is not None and holdings is not None and holdings.is_full(address)
        if not full or not self._limiter.exceeds(_BY_ADDRESS):
            return None
        text = "There are too many connections from your address."
        return RateLimited(text, retry_after_ms=CONNECTIONS_RETRY_MS)

    def _too_many_unsigned(self) -> AllibeError | None:
        most = self._limiter.policy.unsigned_connections
        full = most is not None and self._limiter.unsigned >= most
        if not full or not self._limiter.exceeds("unsigned_connections"):
            return None
        seconds = LEAST_HINT + self._jitter() * UNSIGNED_SPREAD
        return Overloaded(retry_after_ms=ceil(seconds * 1000))

    def _too_fast(self) -> AllibeError | None:
        rate, now = self._limiter.policy.new_connections, self._limiter.clock()
        if rate is None:
            return None
        due = max(self._due, now) + rate.interval
        wait = due - now - rate.seconds
        if wait <= 0 or not self._limiter.exceeds("new_connections"):
            self._due = min(due, now + rate.seconds)
            return None
        # Each is given a moment of its own, as fast as they can be taken then.
        self._promised = max(self._promised, now + wait + LEAST_HINT) + rate.interval
        self._promised = min(self._promised, now + LONGEST_HINT)
        return Overloaded(retry_after_ms=ceil((self._promised - now) * 1000))
