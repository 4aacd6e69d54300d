"""Makes tokens: for the command line and the demo. In production the owner's issuer does."""

import time

import jwt

from allibe_services.auth.keys import signing_key
from allibe_services.contracts.ids import is_user_id


class TokenSigner:
    """Signs with one key. `key`: the secret, or a PEM private key. Raises `ValueError`."""

    def __init__(
        self, algorithm: str, key: str, *, audience: str | None = None, issuer: str | None = None
    ) -> None:
        self._algorithm = algorithm
        self._key = signing_key(algorithm, key)
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
