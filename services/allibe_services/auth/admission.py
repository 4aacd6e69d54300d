"""All that says who somebody is, for whom lets connections in."""

from dataclasses import dataclass

from allibe_services.auth.revoked import Revoked
from allibe_services.auth.verifier import TokenVerifier
from allibe_services.tickets.base import Tickets


@dataclass(frozen=True, slots=True)
class Admission:
    """Tokens, those that are refused before their time, and tickets in their place.

    `verifier` refuses what `revoked` knows.
    """

    verifier: TokenVerifier
    revoked: Revoked
    tickets: Tickets
