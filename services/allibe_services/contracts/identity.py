"""Who a connection or request speaks for: what a verified token said."""

import msgspec

from allibe_services.contracts.ids import UserId


class Identity(msgspec.Struct, frozen=True):
    """Who a valid token speaks for. Times are in seconds since 1970.

    `issued_at` and `token_id` (`iat`, `jti`) are what a revocation may mean; None: unknown.
    """

    user_id: UserId
    expires_at: float
    name: str | None = None
    scopes: frozenset[str] = frozenset()
    issued_at: float | None = None
    token_id: str | None = None
