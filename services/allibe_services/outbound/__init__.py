"""Requests to addresses that others name: what a user or a setting says, never our own parts.

A user could name an address inside our network, and have us ask there in our name (server-side
request forgery). So the URL is checked, then the address that is dialled, whatever a name resolved
to a moment before.

addresses  which IP addresses are anybody's to ask, and which are inside
rules      which URLs: scheme, port, host
errors     what can go wrong
troubles   who cannot be reached, and why, for the log
client     one pool of connections under such rules; POST, and nothing else
"""

from allibe_services.outbound.client import Answer, OutboundClient, TimeLimits, outbound_client
from allibe_services.outbound.errors import (
    AddressRefused,
    OutboundError,
    TimedOut,
    Unreachable,
    Untrusted,
    UrlRefused,
)
from allibe_services.outbound.rules import LoopbackForTests, Rules

__all__ = [
    "AddressRefused",
    "Answer",
    "LoopbackForTests",
    "OutboundClient",
    "OutboundError",
    "Rules",
    "TimeLimits",
    "TimedOut",
    "Unreachable",
    "Untrusted",
    "UrlRefused",
    "outbound_client",
]
