"""Signatures of webhooks, as Standard Webhooks 1.0 has them: most languages have a library for it.

The receiver computes HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, compares it in
constant time with each `v1,<base64>` in `webhook-signature`, and takes the request if one fits.
It refuses a timestamp more than `REPLAY_SECONDS` from its own clock, and drops an id that it has
seen: what somebody recorded is then of no use to them. Every try has a timestamp of its own.

To change the secret: put the new one first, and keep the old one behind it until the receiver
knows the new one. Meanwhile each request is signed with both.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

REPLAY_SECONDS = 300
"""How far a timestamp may be from the receiver's clock."""

SECRETS = 4
"""Most secrets at a time."""

_PREFIX = "whsec_"
_SECRET_BYTES = range(24, 65)


def read_secrets(texts: Sequence[str]) -> tuple[bytes, ...]:
    """Return the secrets: base64 of 24 to 64 bytes each, `whsec_` before it or not.

    Raises `ValueError`, without a secret's text.
    """
    if not 1 <= len(texts) <= SECRETS:
        raise ValueError(f"a webhook has 1 to {SECRETS} secrets")
    return tuple(_secret(text.removeprefix(_PREFIX)) for text in texts)


def signed(secrets: Sequence[bytes], *, webhook_id: str, body: bytes, now: float) -> dict[str, str]:
    """Return the three headers. `now`: seconds since 1970."""
    timestamp = str(int(now))
    content = f"{webhook_id}.{timestamp}.".encode() + body
    signatures = (hmac.digest(secret, content, hashlib.sha256) for secret in secrets)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{b64encode(one).decode()}" for one in signatures),
    }


def _secret(text: str) -> bytes:
    try:
        secret = b64decode(text, validate=True)
    except ValueError:
        secret = b""
    if len(secret) not in _SECRET_BYTES:
        raise ValueError("a webhook's secret is base64 of 24 to 64 bytes")
    return secret
