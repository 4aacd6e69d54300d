"""The algorithms, and keys that fit them: secrets and PEM text, as settings give them.

A key that does not fit raises `ValueError`, so that a wrong configuration ends the start and not
the first request. `Keys` is where a verifier has its keys from: here one for good, in
`jwks_keys` those that an issuer publishes.
"""

import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.algorithms import HMACAlgorithm

SECRET_BYTES = 32
"""Shortest HS256 secret: as long as the hash (RFC 7518 §3.2)."""

KEY_KINDS: dict[
    str,
    tuple[
        type[RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey],
        type[RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey],
    ],
] = {
    "RS256": (RSAPrivateKey, RSAPublicKey),
    "ES256": (EllipticCurvePrivateKey, EllipticCurvePublicKey),
    "EdDSA": (Ed25519PrivateKey, Ed25519PublicKey),
}
"""The algorithms with a key pair, and what kinds of keys they take. HS256 takes a secret."""

ALGORITHMS = ("HS256", *KEY_KINDS)

PrivateKey = str | RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
PublicKey = str | RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
"""What signs, and what verifies. Text is a secret: of HS256, both."""


class _HS256(HMACAlgorithm):
    """PyJWT's HS256. It looks anew with each token whether the secret is a key in PEM, DER, SSH or
    JSON, which is a quarter of the time for a token; here once for each secret."""

    prepare_key = lru_cache(maxsize=4)(HMACAlgorithm.prepare_key)


jwt.unregister_algorithm("HS256")
jwt.register_algorithm("HS256", _HS256(HMACAlgorithm.SHA256))


class KeyUnknown(LookupError):
    """The token names a key that is not known: perhaps not yet."""


class Keys(Protocol):
    """The keys of one algorithm, which verify tokens."""

    def for_token(self, token: str) -> PublicKey:
        """Return the key that has to have signed this token. Waits for nothing.

        Raises `KeyUnknown`, and `TokenInvalid` or what PyJWT raises for a token that names none.
        """
        ...

    async def look_for_more(self) -> None:
        """Return when the issuer's keys were looked at anew; `for_token` may know more then.

        Raises `KeysUnavailable` when they were not.
        """
        ...

    async def run(self) -> None:
        """Keep the keys fresh, for as long as that needs doing."""
        ...

    async def ping(self) -> None:
        """Raise `KeysUnavailable` while no key is known."""
        ...


class OneKey:
    """`Keys` where there is one, whatever tokens say of it."""

    def __init__(self, key: PublicKey) -> None:
        self._key = key

    def for_token(self, token: str) -> PublicKey:
        return self._key

    async def look_for_more(self) -> None:
        return

    async def run(self) -> None:
        return

    async def ping(self) -> None:
        return


class Secrets(OneKey):
    """`Keys` of HS256 while its secret is changed: tokens of the former one are taken, too.

    Raises `ValueError` for one that does not fit.
    """

    def __init__(self, secret: str, former: str) -> None:
        super().__init__(verification_key("HS256", secret))
        self._former = _secret(former)

    def for_token(self, token: str) -> PublicKey:
        return self._former if _is_signed(token, self._former) else super().for_token(token)


def read_key(path: Path) -> str:
    """Return a key file's text. Raises `ValueError` with the path, never with the contents."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read the key file {path}: {type(error).__name__}") from None


def verification_key(algorithm: str, key: str) -> PublicKey:
    """Return the secret, or the public key in PEM text. Raises `ValueError`."""
    if algorithm == "HS256":
        return _secret(key)
    _, kind = key_kinds(algorithm)
    try:
        public = load_pem_public_key(key.encode())
    except ValueError:
        raise ValueError(f"{algorithm} needs a PEM public key") from None
    if not isinstance(public, kind) or not fits(algorithm, public):
        raise ValueError(f"this key is not for {algorithm}")
    return public


def signing_key(algorithm: str, key: str) -> PrivateKey:
    """Return the secret, or the private key in PEM text. Raises `ValueError`."""
    if algorithm == "HS256":
        return _secret(key)
    kind, _ = key_kinds(algorithm)
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError(f"signing with {algorithm} needs a PEM private key") from None
    if not isinstance(private, kind) or not fits(algorithm, private):
        raise ValueError(f"this key is not for {algorithm}")
    return private


def fits(algorithm: str, key: PublicKey | PrivateKey) -> bool:
    """Tell whether PyJWT would take the key: its kind, curve, size."""
    checker = jwt.get_algorithm_by_name(algorithm)
    try:
        return checker.check_key_length(checker.prepare_key(key)) is None
    except jwt.InvalidKeyError:
        return False


def _secret(key: str) -> str:
    if len(key.encode()) < SECRET_BYTES:
        raise ValueError(f"an HS256 secret has at least {SECRET_BYTES} bytes")
    if "-----BEGIN" in key or not fits("HS256", key):
        raise ValueError("a PEM, SSH or JSON key is no HS256 secret")
    return key


def _is_signed(token: str, secret: str) -> bool:
    """Tell whether the secret has signed it (RFC 7515 §5.2)."""
    signed, _, signature = token.rpartition(".")
    right = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return hmac.compare_digest(urlsafe_b64encode(right).rstrip(b"="), signature.encode())


def key_kinds(
    algorithm: str,
) -> tuple[
    type[RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey],
    type[RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey],
]:
    """Return the kinds of the private and the public key. Raises `ValueError`: there is no pair."""
    if algorithm not in KEY_KINDS:
        raise ValueError(f"unknown algorithm {algorithm!r}: {', '.join(ALGORITHMS)}")
    return KEY_KINDS[algorithm]
