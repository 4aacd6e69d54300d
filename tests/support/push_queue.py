"""Steps with `store.base.PushQueue` that tests of several kinds take."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from allibe_services.contracts.ids import RoomId, UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.notifications import DeadPush
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import WEBHOOK, DuePush, PushEnd, Scheduling
from allibe_services.store.base import Store

HOUR = timedelta(hours=1)


class Turn(msgspec.Struct, frozen=True):
    """One user's claimed turn."""

    claim: str
    push: DuePush

    def end(self, **how: object) -> PushEnd:
        """Return its end; over, unless `again_at` is given."""
        return PushEnd(user=self.push.user, claim=self.claim, push=self.push, **how)  # type: ignore[arg-type]


def dead_push(number: int, *, at: datetime | None = None, way: str = WEBHOOK) -> DeadPush:
    """Return one that ended undeliverable."""
    return DeadPush(
        at=at or now(),
        push_id=f"01955b3c-7a45-7c21-9f8e-{number:012}",
        user=UserId("bob"),
        room_id=RoomId("1"),
        offset=number,
        way=way,
        service="https://push.example.net",
        reason=PushReason.GAVE_UP,
        last=PushReason.UNAVAILABLE,
        tries=8,
    )


async def decide_all(
    store: Store,
    room_id: RoomId,
    *,
    due_at: Mapping[UserId, datetime] | None = None,
    reasons: Mapping[UserId, PushReason] | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Account for every member of the room: those of `due_at` are scheduled for then."""
    due_at, reasons = due_at or {}, reasons or {}
    while (page := await store.push_queue.page(room_id, most=500)) is not None:
        decided = [
            Scheduling(one.user, reasons.get(one.user, PushReason.SCHEDULED), due_at.get(one.user))
            for one in page.candidates
        ]
        done = await store.push_queue.schedule(page, decided, expires_at=expires_at or now() + HOUR)
        assert done


async def turn(store: Store, *, length: timedelta = HOUR) -> Turn:
    """Claim the one user who is due, and return the push."""
    claim = await store.push_queue.claim(most=10, length=length)
    (push,) = await store.push_queue.due(claim.users)
    return Turn(claim.claim, push)
