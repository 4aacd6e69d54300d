"""Tickets in the memory of one process."""

import time
from collections.abc import Callable

from allibe_services.contracts.errors import Overloaded, TicketInvalid
from allibe_services.contracts.identity import Identity
from allibe_services.tickets.base import TICKET_SECONDS, new_ticket, place_of

MOST = 20_000
"""Tickets that live at once: 700 new ones a second, in 10 MB."""


class InProcessTickets:
    """`Tickets` for one process. `clock` is in seconds, any origin."""

    def __init__(self, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._kept: dict[str, tuple[Identity, float]] = {}

    async def issue(self, identity: Identity) -> str:
        self._forget()
        if len(self._kept) >= self._most:
            raise Overloaded(retry_after_ms=1000)
        ticket = new_ticket()
        self._kept[place_of(ticket)] = (identity, self._clock() + TICKET_SECONDS)
        return ticket

    async def redeem(self, ticket: str) -> Identity:
        identity, until = self._kept.pop(place_of(ticket), (None, 0.0))
        if identity is None or until <= self._clock():
            raise TicketInvalid
        return identity

    def _forget(self) -> None:
        """Forget what is over: all live equally long, so the oldest come first."""
        now = self._clock()
        while self._kept:
            place, (_, until) = next(iter(self._kept.items()))
            if until > now:
                return
            del self._kept[place]
