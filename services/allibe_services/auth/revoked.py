"""The revocations that live, in the memory of each process that verifies tokens.

Asked for each verification, so kept in two dicts. The store is asked for new ones every
`POLL_SECONDS`, over no other way than the one by which they are made: while the database is
away, nobody can revoke anything either, and what was revoked before is still known here.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from allibe_services.contracts.errors import StoreUnavailable, TokenRevoked, Unavailable
from allibe_services.contracts.identity import Identity
from allibe_services.contracts.revocations import Revocation
from allibe_services.store.base import Revocations

POLL_SECONDS = 1.0
"""Half of the two seconds in which a revocation is to be everywhere."""

SWEEP_SECONDS = 600.0
"""How often what is over is forgotten: it costs only memory until then."""

PAGE = 1000
"""Revocations read at once."""

log = structlog.get_logger(__name__)

Told = Callable[[Sequence[Revocation]], None]


class Revoked:
    """Knows what is revoked. Nothing is let in before all that live were read once."""

    def __init__(
        self,
        store: Revocations,
        *,
        clock: Callable[[], float] = time.time,
        observe: Callable[[int], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._observe = observe
        self._users: dict[str, tuple[float, float]] = {}
        self._tokens: dict[str, float] = {}
        self._last = 0
        self._loaded = False
        self._told: list[Told] = []
        self._sweep_at = clock() + SWEEP_SECONDS

    def check(self, identity: Identity) -> None:
        """Raise `TokenRevoked` for a revoked identity.

        Raises `StoreUnavailable` as long as it is not known which are. A token that does not say
        when it was issued counts as issued before any revocation of its user.
        """
        if not self._loaded:
            raise StoreUnavailable
        if identity.token_id is not None and identity.token_id in self._tokens:
            raise TokenRevoked
        revoked = self._users.get(identity.user_id)
        if revoked is not None and (identity.issued_at or 0.0) <= revoked[0]:
            raise TokenRevoked

    def tell(self, told: Told) -> None:
        """Call this for each new revocations, once `check` knows them. It raises nothing."""
        self._told.append(told)

    async def run(self) -> None:
        """Learn of new revocations, for ever."""
        while True:
            # What failed is in the log already, by whom the store runs its SQL.
            with suppress(Unavailable):
                await self.catch_up()
            await asyncio.sleep(POLL_SECONDS)

    async def catch_up(self) -> None:
        """Learn of all revocations that are in the store now. Raises `StoreUnavailable`."""
        found: list[Revocation] = []
        while True:
            newest, page = await self._store.after(self._last, most=PAGE)
            if newest < self._last:  # a restored database: it counts from an earlier number
                self._last = 0
                continue
            found += page
            self._learn(page)
            if len(page) < PAGE:
                break
        self._loaded = True
        self._sweep()
        if found:
            for told in self._told:
                told(found)

    def _learn(self, revocations: Sequence[Revocation]) -> None:
        for one in revocations:
            expires_at = one.expires_at.timestamp()
            if one.kind == "user":
                self._users[one.subject] = (one.revoked_at.timestamp(), expires_at)
            else:
                self._tokens[one.subject] = expires_at
            self._last = one.number
        if revocations:
            self._count()

    def _sweep(self) -> None:
        now = self._clock()
        if now < self._sweep_at:
            return
        self._sweep_at = now + SWEEP_SECONDS
        self._users = {user: one for user, one in self._users.items() if one[1] > now}
        self._tokens = {token: until for token, until in self._tokens.items() if until > now}
        self._count()

    def _count(self) -> None:
        if self._observe is not None:
            self._observe(len(self._users) + len(self._tokens))
