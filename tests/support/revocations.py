"""Revocations in memory: `store.base.Revocations` for tests without a database."""

from datetime import datetime, timedelta

from allibe_services.contracts.errors import StoreUnavailable
from allibe_services.contracts.messages import now
from allibe_services.contracts.revocations import Kind, Revocation


class MemoryRevocations:
    """Keeps them all. `away` makes it unavailable; `last` may be set back, as by a restore.

    They are made as if `ago` seconds earlier.
    """

    def __init__(self) -> None:
        self.kept: list[Revocation] = []
        self.last = 0
        self.away = False
        self.ago = 0.0
        self.reads = 0

    async def revoke(self, kind: Kind, subject: str, *, expires_at: datetime) -> Revocation:
        if self.away:
            raise StoreUnavailable
        self.last += 1
        made_at = now() - timedelta(seconds=self.ago)
        self.kept.append(Revocation(kind, subject, made_at, expires_at, self.last))
        return self.kept[-1]

    async def after(self, number: int, *, most: int) -> tuple[int, list[Revocation]]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable
        return self.last, [one for one in self.kept if one.number > number][:most]
