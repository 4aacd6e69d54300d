"""Tickets: an identity left at the cloakroom, handed out once, to whoever brings the ticket.

A ticket stands in an address, where proxies and histories may keep it: so it is good for
`TICKET_SECONDS` and for one connection. The identity is kept, never the token that it came from.
"""

import hashlib
import secrets
from typing import Protocol

from allibe_services.contracts.errors import TicketInvalid
from allibe_services.contracts.identity import Identity

TICKET_SECONDS = 30.0
"""Enough for a client on a slow network to connect with what it has just asked for."""

TICKET_LENGTH = 43
"""Characters of a ticket: 32 random bytes."""


class Tickets(Protocol):
    """Identities in, tickets out, and back.

    Every call ends within the publish time limit (`ALLIBE_PUBLISH_SECONDS`), or raises
    `Unavailable` (retryable). All tickets may be lost at any moment: clients ask for another.
    """

    async def issue(self, identity: Identity) -> str:
        """Return a new ticket for the identity. Raises `Overloaded` where too many live."""
        ...

    async def redeem(self, ticket: str) -> Identity:
        """Return the ticket's identity: once, over all processes. Raises `TicketInvalid`.

        The identity is what it was: whether it is over, or revoked meanwhile, is for the
        caller to check.
        """
        ...


def new_ticket() -> str:
    """Return a ticket that nobody can guess."""
    return secrets.token_urlsafe(32)


def place_of(ticket: str) -> str:
    """Return under what a ticket is kept: who reads what is kept can use none of it.

    Raises `TicketInvalid` for what cannot be a ticket.
    """
    if len(ticket) != TICKET_LENGTH or not ticket.isascii():
        raise TicketInvalid
    return hashlib.sha256(ticket.encode()).hexdigest()
