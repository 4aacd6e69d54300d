"""Tokens in, identities out.

One key, one algorithm family, both fixed at start; what the token's header says about algorithms
and keys is never believed (RFC 8725 §3.1). `exp` and `sub` are required, `aud` and `iss` are
checked when they are configured.
"""

import time
from collections.abc import Callable
from typing import Any

import jwt

from allibe_services.auth.claims import Identity, identity_of
from allibe_services.auth.keys import verification_key
from allibe_services.contracts.errors import TokenExpired, TokenInvalid, TokenRequired

TOKEN_BYTES = 8192
"""Longest token looked at; one STOMP header line holds no more."""

LEEWAY_SECONDS = 0.0
"""How far an issuer's clock may be ahead of ours for `nbf` and `iat`; never stretches `exp`."""


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
        self._key = verification_key(algorithm, key)
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
        identity = identity_of(self._claims(token))
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


def bare(token: str) -> str:
    """Return the token without blanks around it and without `Bearer `."""
    scheme, _, rest = token.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else token.strip()
