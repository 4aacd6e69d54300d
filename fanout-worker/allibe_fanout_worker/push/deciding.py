"""Whether somebody is pushed something, and why. Pure: the caller has the clock and the leases.

Twice: when a room has news, for each member; and when a push is due, by what holds then.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec

from allibe_fanout_worker.push.base import Push, topic_of
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import Candidate, DuePush, NewsPage, Scheduling
from allibe_services.rates.rate import Rate


class MemberRules(msgspec.Struct, frozen=True, kw_only=True):
    """What decides for members of a room with news.

    `delay`: how long a member who is connected elsewhere has, to come and look.
    """

    delay: timedelta
    reaches_everybody: bool

    def decide(
        self,
        page: NewsPage,
        *,
        looking: Collection[UserId],
        connected: Collection[UserId],
        now: datetime,
    ) -> list[Scheduling]:
        """Return a decision for each candidate of the page, in order."""
        decided = []
        for one in page.candidates:
            reason = self._reason(one, page, one.user in looking)
            due_at = None
            if reason is PushReason.SCHEDULED:
                due_at = now + self.delay if one.user in connected else now
            decided.append(Scheduling(one.user, reason, due_at))
        return decided

    def _reason(self, one: Candidate, page: NewsPage, looks: bool) -> PushReason:
        if one.read_offset >= page.target:
            return PushReason.READ
        if one.user == page.sole_sender:
            return PushReason.OWN
        if one.is_muted:
            return PushReason.MUTED
        if looks:
            return PushReason.LOOKING
        if not (one.is_subscribed or self.reaches_everybody):
            return PushReason.NO_SUBSCRIPTION
        return PushReason.SCHEDULED


class Send(msgspec.Struct, frozen=True):
    """Send it now. `free_at`: what is left of the user's rate afterwards."""

    free_at: datetime


class Wait(msgspec.Struct, frozen=True):
    """Not now. With `holds` nothing of the user's is sent until then."""

    until: datetime
    reason: PushReason
    holds: bool = False


class Over(msgspec.Struct, frozen=True):
    """Not at all."""

    reason: PushReason


def at_its_time(
    push: DuePush, *, looks: bool, has_ways: bool, rate: Rate | None, now: datetime
) -> Send | Wait | Over:
    """Return what is to be done with a push that is due, by what is known of it now.

    Quiet hours put it off to their end. The user's rate counts pushes, not tries.
    """
    reason = _why_not(push, looks=looks, has_ways=has_ways, now=now)
    if reason is not None:
        return Over(reason)
    quiet_until = None if push.quiet_hours is None else push.quiet_hours.end_of(now)
    if quiet_until is not None:
        return Wait(quiet_until, PushReason.QUIET_HOURS)
    if push.tries or rate is None:
        return Send(push.free_at)
    # GCRA: `free_at` runs ahead of the clock by what was spent, at most by the burst.
    free_at = max(push.free_at, now) + timedelta(seconds=rate.interval)
    possible_at = free_at - timedelta(seconds=rate.interval * rate.burst)
    if possible_at > now:
        return Wait(possible_at, PushReason.RATE_LIMITED, holds=True)
    return Send(free_at)


def _why_not(push: DuePush, *, looks: bool, has_ways: bool, now: datetime) -> PushReason | None:
    reasons = (
        (not push.is_member, PushReason.NOT_A_MEMBER),
        (push.messages == 0, PushReason.READ),
        (push.is_muted, PushReason.MUTED),
        (looks, PushReason.LOOKING),
        (push.expires_at <= now, PushReason.EXPIRED),
        (not has_ways, PushReason.NO_SUBSCRIPTION),
    )
    return next((reason for holds, reason in reasons if holds), None)


def told(due: DuePush, *, now: datetime) -> Push:
    """Return what is sent: the one message, or how many there are."""
    if due.messages == 1 and due.newest is not None:
        sender, content = due.newest
        body = f"{sender}: {content}"
    else:
        noun = "message" if due.messages == 1 else "messages"
        body = f"{due.messages} new {noun} in {due.room_name}"
    return Push(
        # What is sent again after a worker's death may tell of more: that is no repeat.
        push_id=f"{due.push_id}-{due.told_offset}",
        user=due.user,
        room_id=due.room_id,
        offset=due.told_offset,
        title=due.room_name,
        body=body,
        messages=due.messages,
        unread_count=due.unread_count,
        ttl=max(0, int((due.expires_at - now).total_seconds())),
        topic=topic_of(due.room_id),
    )
