"""Tokens in, identities out.

One algorithm, fixed at start, and the keys for it; what the token's header says about algorithms
is never believed, and of keys it may only name one of ours (RFC 8725 §3.1). `exp` and `sub` are
required, `aud` and `iss` are checked when they are configured.
"""

import time
from collections.abc import Callable
from typing import Any

import jwt

from allibe_services.auth.claims import identity_of
from allibe_services.auth.keys import Keys, KeyUnknown, OneKey, verification_key
from allibe_services.auth.revoked import Revoked
from allibe_services.contracts.errors import TokenExpired, TokenInvalid, TokenRequired
from allibe_services.contracts.identity import Identity

TOKEN_BYTES = 8192
"""Longest token looked at; one STOMP header line holds no more."""

LEEWAY_SECONDS = 0.0
"""How far an issuer's clock may be ahead of ours for `nbf` and `iat`; never stretches `exp`."""


class TokenVerifier:
    """Turns tokens into identities with the keys of one algorithm.

    `key` is the secret (HS256), a PEM public key, or where keys come from. Raises `ValueError` for
    one that does not fit the algorithm, so that a wrong configuration ends the start and not the
    first request. What `revoked` knows is refused.
    """

    def __init__(
        self,
        algorithm: str,
        key: str | Keys,
        *,
        audience: str | None = None,
        issuer: str | None = None,
        revoked: Revoked | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._algorithm = algorithm
        self.keys = OneKey(verification_key(algorithm, key)) if isinstance(key, str) else key
        self._revoked = revoked
        self._audience = audience
        self._issuer = issuer
        self._clock = clock

    async def verified(self, token: str) -> Identity:
        """Return the token's identity, as `verify`; waits only for a key that is not known yet.

        Raises as `verify`, and `KeysUnavailable`.
        """
        try:
            return self._verified(token)
        except KeyUnknown:
            await self.keys.look_for_more()
        return self.verify(token)

    def verify(self, token: str) -> Identity:
        """Return the token's identity; a leading `Bearer ` is dropped.

        Raises `TokenRequired` (empty), `TokenExpired`, `TokenRevoked`, `TokenInvalid` for
        everything else, and as `Revoked.check`.
        """
        try:
            return self._verified(token)
        except KeyUnknown:
            raise TokenInvalid from None

    def check(self, identity: Identity) -> None:
        """Raise `TokenExpired` or `TokenRevoked` for what was an identity once; see `verify`."""
        if self._clock() >= identity.expires_at:
            raise TokenExpired
        if self._revoked is not None:
            self._revoked.check(identity)

    def _verified(self, token: str) -> Identity:
        token = bare(token)
        if not token:
            raise TokenRequired
        if len(token) > TOKEN_BYTES:
            raise TokenInvalid("The token is too long.")
        identity = identity_of(self._claims(token))
        self.check(identity)
        return identity

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self.keys.for_token(token),
                algorithms=[self._algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": ["exp", "sub"],
                    "verify_aud": self._audience is not None,
                    "verify_exp": False,  # by `check`: with our clock, exact, without leeway
                },
            )
        # PyJWT raises these for what its own checks did not foresee (numbers out of range, …).
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise TokenInvalid from None


def bare(token: str) -> str:
    """Return the token without blanks around it and without `Bearer `."""
    scheme, _, rest = token.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else token.strip()
