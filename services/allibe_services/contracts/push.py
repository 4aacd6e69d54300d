"""Pushes outside of our connections: which browser, and why one was or was not pushed."""

import re
from base64 import urlsafe_b64decode
from enum import StrEnum

import msgspec

ENDPOINT_LENGTH = 2048
"""Characters of an endpoint; push services have a few hundred."""

_ENDPOINT = re.compile(rf"[!-~]{{1,{ENDPOINT_LENGTH}}}").fullmatch
_POINT = re.compile(r"[A-Za-z0-9_-]{87}=?", re.ASCII).fullmatch
_SECRET = re.compile(r"[A-Za-z0-9_-]{22}(==)?", re.ASCII).fullmatch
"""65 and 16 bytes in base64url."""


class Subscription(msgspec.Struct, frozen=True):
    """Where one browser is reached, as its `PushSubscription` says: RFC 8030 §4, RFC 8291 §3.2.

    `p256dh` is the browser's public key, `auth` its secret. Raises `ValueError` for what cannot be
    one; whether the endpoint may be asked, and the key is on its curve, shows when it is used.
    The endpoint is a secret too: who knows it could spend the browser's quota.
    """

    endpoint: str
    p256dh: str
    auth: str

    def __post_init__(self) -> None:
        if _ENDPOINT(self.endpoint) is None:
            raise ValueError("endpoint is a URL of at most 2048 characters")
        if _POINT(self.p256dh) is None or urlsafe_b64decode(self.p256dh[:87] + "=")[0] != 4:
            raise ValueError("p256dh is 65 bytes in base64url, an uncompressed point")
        if _SECRET(self.auth) is None:
            raise ValueError("auth is 16 bytes in base64url")


class PushReason(StrEnum):
    """Why a push was sent, put off or given up: in metrics, and kept for a day."""

    SCHEDULED = "scheduled"
    """The member is not looking: it is due now, or after the delay."""
    OWN = "own"
    """The member has sent all that is new."""
    READ = "read"
    """The member has read all that is new."""
    LOOKING = "looking"
    """The room is on the member's screen."""
    MUTED = "muted"
    """The member has muted the room."""
    NOT_A_MEMBER = "not_a_member"
    """The user has left the room since."""
    NO_SUBSCRIPTION = "no_subscription"
    """No browser of the member's is known, and there is no webhook."""
    QUIET_HOURS = "quiet_hours"
    """Put off to the end of the user's quiet hours."""
    RATE_LIMITED = "rate_limited"
    """Put off: the user has had many."""
    SERVICE_BUSY = "service_busy"
    """Put off, not tried: the push service has as many of ours as it may, and is slow or hangs."""
    IN_ORDER = "in_order"
    """Put off, not tried: the webhook is to get another push of the user's first."""

    SENT = "sent"
    """The push service, or the webhook, has taken it."""
    GONE = "gone"
    """The push service no longer knows the subscription; it is deleted."""

    THROTTLED = "throttled"
    """Too many: the push service says when to try again (429)."""
    UNAVAILABLE = "unavailable"
    """The other side has a fault (5xx and the like); tried again."""
    UNREACHABLE = "unreachable"
    """No name, no connection or no HTTP; tried again."""
    UNTRUSTED = "untrusted"
    """TLS: no certificate that is believed; tried again. The log says what is wrong."""
    TIMED_OUT = "timed_out"
    """No answer in time; tried again. It may have arrived."""

    URL_REFUSED = "url_refused"
    """The endpoint's URL is against our rules: not https, another port, a host not on the list."""
    ADDRESS_REFUSED = "address_refused"
    """The endpoint's host leads into a network that is not for asking: private, link-local, …"""
    BAD_KEYS = "bad_keys"
    """The subscription's keys cannot be encrypted for."""
    TOO_LARGE = "too_large"
    """It does not fit into what push services take, or they said so (413)."""
    UNAUTHORIZED = "unauthorized"
    """The push service does not take our VAPID key for this subscription (401, 403)."""
    REDIRECTED = "redirected"
    """The answer points elsewhere; that is not followed."""
    REJECTED = "rejected"
    """Another refusal (4xx)."""

    EXPIRED = "expired"
    """It would have come too late to be of use."""
    GAVE_UP = "gave_up"
    """Tried as often as is allowed."""
