"""VAPID (RFC 8292): the key pair by which push services know this server, and what it signs.

Browsers subscribe with the public key, and their push service takes only what the private key of
the same pair has signed: whoever loses the pair loses all subscriptions.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

LONGEST_SECONDS = 24 * 3600
"""A push service may refuse what says that it is good for longer (RFC 8292 §2)."""

_SCALAR = re.compile(r"[A-Za-z0-9_-]{43}=?", re.ASCII).fullmatch
"""32 bytes in base64url."""

_SUBJECT = re.compile(
    r"mailto:[^\s@<>]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/\S*)?",
    re.ASCII,
).fullmatch
_SUBJECT_LENGTH = 255


class VapidKey:
    """A key pair on P-256, the only curve there is (RFC 8292 §3.2).

    `public_key` is what browsers subscribe with (`applicationServerKey`): the uncompressed point,
    65 bytes, in base64url. Raises `ValueError`, without the key's text, for a key on another curve.
    """

    def __init__(self, private: EllipticCurvePrivateKey) -> None:
        if not isinstance(private.curve, SECP256R1):
            raise ValueError(_EXPECTED)
        self._private = private
        point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = _base64url(point)

    @classmethod
    def generate(cls) -> "VapidKey":
        """Return a new pair."""
        return cls(generate_private_key(SECP256R1()))

    @classmethod
    def read(cls, text: str) -> "VapidKey":
        """Return the pair of a private key: PEM text, or 32 bytes in base64url.

        Raises `ValueError`, without the key's text.
        """
        private = _from_pem(text) if "-----BEGIN" in text else _from_scalar(text.strip())
        return cls(private)

    @property
    def private_key(self) -> str:
        """The private key, as `read` takes it: 32 bytes in base64url."""
        return _base64url(self._private.private_numbers().private_value.to_bytes(32, "big"))

    def authorization(self, *, audience: str, subject: str, expires_at: float) -> str:
        """Return the `Authorization` header (RFC 8292 §3) for the push service of that origin.

        `expires_at`: seconds since 1970, at most `LONGEST_SECONDS` from now.
        """
        claims = {"aud": audience, "exp": int(expires_at), "sub": subject}
        token = jwt.encode(claims, self._private, algorithm="ES256")
        return f"vapid t={token}, k={self.public_key}"


def checked_subject(text: str) -> str:
    """Return whom push services may turn to (RFC 8292 §2.1). Raises `ValueError`.

    Of a real domain: Apple's refuses `mailto:me@localhost`.
    """
    if len(text) > _SUBJECT_LENGTH or _SUBJECT(text) is None:
        raise ValueError("a VAPID subject is `mailto:` an address or an `https://` page of yours")
    return text


_EXPECTED = "a VAPID private key is a P-256 key: PEM, or 32 bytes in base64url"


def _from_pem(text: str) -> EllipticCurvePrivateKey:
    try:
        private = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError(_EXPECTED) from None
    if not isinstance(private, EllipticCurvePrivateKey):
        raise ValueError(_EXPECTED)
    return private


def _from_scalar(text: str) -> EllipticCurvePrivateKey:
    if _SCALAR(text) is None:
        raise ValueError(_EXPECTED)
    scalar = int.from_bytes(urlsafe_b64decode(text[:43] + "="), "big")
    try:
        return derive_private_key(scalar, SECP256R1())
    except ValueError:  # zero, or beyond the curve's order
        raise ValueError(_EXPECTED) from None


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
