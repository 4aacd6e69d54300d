"""What a request to somebody else's server ends in, besides an answer.

OutboundError
├── UrlRefused      our rules: scheme, port, host or form; nothing was asked, nobody was looked up
├── AddressRefused  our rules: the name resolves to addresses that are not to be asked
├── Unreachable     no such name, no connection, or no answer that is HTTP
├── Untrusted       TLS: the certificate is none that is believed, or another's, or there is no TLS
└── TimedOut        too slow

Messages hold no URL: the paths of push services are secrets.
"""


class OutboundError(Exception):
    """There is no answer."""


class UrlRefused(OutboundError):
    """The URL is against the rules."""


class AddressRefused(OutboundError):
    """The address is against the rules."""


class Unreachable(OutboundError):
    """Nobody answered, or nobody who speaks HTTP."""


class Untrusted(OutboundError):
    """Who answered has not shown that the name is theirs; the message says what is wrong."""


class TimedOut(OutboundError):
    """No complete answer in time."""
