"""Revocations: tokens that are refused from now on, though they are signed and not over."""

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["user", "token"]


class Revocation(msgspec.Struct, frozen=True):
    """Of a user: all tokens issued up to `revoked_at`; of a token: the one of that id (`jti`).

    It may be forgotten at `expires_at`: what it refuses is over by then. A later one has a
    higher `number`.
    """

    kind: Kind
    subject: str
    revoked_at: datetime
    expires_at: datetime
    number: int
