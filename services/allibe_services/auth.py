"""Identity from a JWT: who is it, until when, with which scopes.

One key, one algorithm family, both fixed at start; what the token's header says about algorithms
and keys is never believed (RFC 8725 §3.1). `exp` and `sub` are required, `aud` and `iss` are
checked when they are configured.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from allibe_services.contracts.errors import TokenExpired, TokenInvalid, TokenRequired
from allibe_services.contracts.ids import UserId, is_user_id

TOKEN_BYTES = 8192
"""Longest token looked at; one STOMP header line holds no more."""

SECRET_BYTES = 32
"""Shortest HS256 secret: as long as the hash (RFC 7518 §3.2)."""

LEEWAY_SECONDS = 0.0
"""How far an issuer's clock may be ahead of ours for `nbf` and `iat`; never stretches `exp`."""

NAME_LENGTH = 100
"""Longest display name kept from the `name` claim, in characters."""

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

_PrivateKey = str | RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
_PublicKey = str | RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class Identity(msgspec.Struct, frozen=True):
    """Who a valid token speaks for. `expires_at` is in seconds since 1970."""

    user_id: UserId
    expires_at: float
    name: str | None = None
    scopes: frozenset[str] = frozenset()


class TokenVerifier:
    """Turns tokens into identities with one key and one algorithm.

    `key` is the secret (HS256) or a PEM public key. Raises `ValueError` for a key that does not
    fit the algorithm, so that a wrong configuration ends the start and not the first request.
    """

    def __init__(
        self,
        algorithm: str,
        key: str,
        *,
        audience: str | None = None,
        issuer: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._algorithm = algorithm
        self._key = _verification_key(algorithm, key)
        self._audience = audience
        self._issuer = issuer
        self._clock = clock

    def verify(self, token: str) -> Identity:
        """Return the token's identity; a leading `Bearer ` is dropped.

        Raises `TokenRequired` (empty), `TokenExpired`, or `TokenInvalid` for everything else.
        """
        token = bare(token)
        if not token:
            raise TokenRequired
        if len(token) > TOKEN_BYTES:
            raise TokenInvalid("The token is too long.")
        identity = _identity(self._claims(token))
        if self._clock() >= identity.expires_at:
            raise TokenExpired
        return identity

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self._key,
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": ["exp", "sub"],
                    "verify_aud": self._audience is not None,
                    "verify_exp": False,  # by `verify`: with our clock, exact, without leeway
                },
            )
        # PyJWT raises these for what its own checks did not foresee (numbers out of range, …).
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise TokenInvalid from None


class TokenSigner:
    """Makes tokens, for the command line and the demo. `key`: the secret, or a PEM private key."""

    def __init__(
        self, algorithm: str, key: str, *, audience: str | None = None, issuer: str | None = None
    ) -> None:
        self._algorithm = algorithm
        self._key = _signing_key(algorithm, key)
        self._registered = {"aud": audience, "iss": issuer}

    def sign(
        self,
        user_id: str,
        *,
        ttl: float,
        name: str | None = None,
        scopes: frozenset[str] = frozenset(),
    ) -> str:
        """Return a token for the user that is good for `ttl` seconds. Raises `ValueError`."""
        if not is_user_id(user_id):
            raise ValueError("a user id is 1 to 128 printable ASCII without space, '#' and '*'")
        now = time.time()
        claims = {"sub": user_id, "iat": int(now), "exp": now + ttl, "name": name}
        claims |= self._registered
        if scopes:
            claims["scope"] = " ".join(sorted(scopes))
        return jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            self._key,
            algorithm=self._algorithm,
        )


def bare(token: str) -> str:
    """Return the token without blanks around it and without `Bearer `."""
    scheme, _, rest = token.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else token.strip()


def read_key(path: Path) -> str:
    """Return a key file's text. Raises `ValueError` with the path, never with the contents."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read the key file {path}: {type(error).__name__}") from None


def _identity(claims: dict[str, Any]) -> Identity:
    subject, name, scope = claims["sub"], claims.get("name"), claims.get("scope", "")
    if not isinstance(subject, str) or not is_user_id(subject):
        raise TokenInvalid("The token's subject cannot be a user id.")
    return Identity(
        user_id=UserId(subject),
        expires_at=_moment(claims["exp"]),
        name=_display_name(name),
        scopes=frozenset(scope.split()) if isinstance(scope, str) else frozenset(),
    )


def _moment(number: object) -> float:
    """Return a NumericDate (RFC 7519 §2), which is a JSON number. Raises `TokenInvalid`."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TokenInvalid
    try:
        moment = float(number)
    except OverflowError:
        raise TokenInvalid from None
    if not math.isfinite(moment):
        raise TokenInvalid
    return moment


def _display_name(name: object) -> str | None:
    # The name goes into rows and frames: nothing that a store or a screen would choke on.
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        return None
    return name.strip()[:NAME_LENGTH]


def _verification_key(algorithm: str, key: str) -> _PublicKey:
    if algorithm == "HS256":
        return _secret(key)
    _, kind = _key_kinds(algorithm)
    try:
        public = load_pem_public_key(key.encode())
    except ValueError:
        raise ValueError(f"{algorithm} needs a PEM public key") from None
    if not isinstance(public, kind) or not _fits(algorithm, public):
        raise ValueError(f"this key is not for {algorithm}")
    return public


def _signing_key(algorithm: str, key: str) -> _PrivateKey:
    if algorithm == "HS256":
        return _secret(key)
    kind, _ = _key_kinds(algorithm)
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        raise ValueError(f"signing with {algorithm} needs a PEM private key") from None
    if not isinstance(private, kind) or not _fits(algorithm, private):
        raise ValueError(f"this key is not for {algorithm}")
    return private


def _secret(key: str) -> str:
    if len(key.encode()) < SECRET_BYTES:
        raise ValueError(f"an HS256 secret has at least {SECRET_BYTES} bytes")
    if "-----BEGIN" in key or not _fits("HS256", key):
        raise ValueError("a PEM, SSH or JSON key is no HS256 secret")
    return key


def _fits(algorithm: str, key: _PublicKey | _PrivateKey) -> bool:
    """Tell whether PyJWT would take the key: its kind, curve, size."""
    checker = jwt.get_algorithm_by_name(algorithm)
    try:
        return checker.check_key_length(checker.prepare_key(key)) is None
    except jwt.InvalidKeyError:
        return False


def _key_kinds(
    algorithm: str,
) -> tuple[
    type[RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey],
    type[RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey],
]:
    if algorithm not in KEY_KINDS:
        raise ValueError(f"unknown algorithm {algorithm!r}: {', '.join(ALGORITHMS)}")
    return KEY_KINDS[algorithm]
