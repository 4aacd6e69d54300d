"""What a verified token says, as an identity. Nothing here looks at keys or clocks."""

import math
from typing import Any

from allibe_services.contracts.errors import TokenInvalid
from allibe_services.contracts.identity import Identity
from allibe_services.contracts.ids import UserId, is_token_id, is_user_id

NAME_LENGTH = 100
"""Longest display name kept from the `name` claim, in characters."""

_NO_SCOPES: frozenset[str] = frozenset()
"""One for all: each empty frozenset is another object, of 216 bytes for each connection."""


def identity_of(claims: dict[str, Any]) -> Identity:
    """Return whom the claims speak for; they hold `sub` and `exp`. Raises `TokenInvalid`."""
    subject, name, scope = claims["sub"], claims.get("name"), claims.get("scope", "")
    issued_at, token_id = claims.get("iat"), claims.get("jti")
    if not isinstance(subject, str) or not is_user_id(subject):
        raise TokenInvalid("The token's subject cannot be a user id.")
    return Identity(
        user_id=UserId(subject),
        expires_at=_moment(claims["exp"]),
        name=_display_name(name),
        scopes=_scopes(scope),
        issued_at=None if issued_at is None else _moment(issued_at),
        token_id=token_id if isinstance(token_id, str) and is_token_id(token_id) else None,
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


def _scopes(scope: object) -> frozenset[str]:
    return frozenset(scope.split()) or _NO_SCOPES if isinstance(scope, str) else _NO_SCOPES


def _display_name(name: object) -> str | None:
    # The name goes into rows and frames: nothing that a store or a screen would choke on.
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        return None
    return name.strip()[:NAME_LENGTH]
