"""One try of a push, over all ways that are left, and what it comes to."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime

import msgspec
import structlog

from allibe_fanout_worker.push.base import Delivered, Failed, Gone, Outcome, Push, PushProvider
from allibe_fanout_worker.push.deciding import told
from allibe_fanout_worker.push.retries import Again, Dead, RetryPolicy, next_try
from allibe_fanout_worker.push.shares import PAUSE_SECONDS, Share, Shares
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import WEBHOOK, DeadWay, DuePush, PushEnd

SERVICES = 5
"""Services that a user's browsers are tried over at a time: as many as there are. Anybody can name
some of their own; of twenty whose names are never resolved one user would take all lookups."""

log = structlog.get_logger(__name__)


class PutOff(msgspec.Struct, frozen=True):
    """Not tried, for so many seconds."""

    seconds: float
    reason: PushReason


class Tried(msgspec.Struct, frozen=True):
    """What a turn over one way came to."""

    outcome: Outcome | PutOff
    next: Again | Dead | None

    @property
    def was_made(self) -> bool:
        """Whether it was tried at all."""
        return not isinstance(self.outcome, PutOff)


async def sent(
    claim: str,
    due: DuePush,
    ways: Mapping[str, PushProvider],
    *,
    shares: Shares,
    policy: RetryPolicy,
    free_at: datetime,
) -> PushEnd:
    """Try each way that is left, all at once; return how the turn ended.

    The push waits where a way is to be tried again: for the longest that one of them asks for,
    those that were put off only if there are no others. A turn in which all were put off changes
    nothing of the push: it tells of what comes meanwhile as well, and is no try. One that has been
    tried tells of no more, and gives way to news where only ways are left that were put off.
    """
    left = {name: way for name, way in ways.items() if name not in due.done}
    outcomes = await _outcomes(left, due, shares)
    tried = {name: Tried(one, _next(one, due, policy)) for name, one in outcomes.items()}
    made = [one for one in tried.values() if one.was_made]
    again = {name for name, one in tried.items() if isinstance(one.next, Again)}
    return PushEnd(
        user=due.user,
        claim=claim,
        push=due,
        again_at=_again_at(made) or _again_at([*tried.values()]),
        # What other browsers have got must not keep news from them until this one is reached.
        gives_way=bool(due.tries or made) and not any(tried[name].was_made for name in again),
        tries=due.tries + (1 if made else 0),
        done=due.done | (tried.keys() - again),
        free_at=free_at if made else None,
        dead=tuple(
            DeadWay(one.next.reason, one.next.last, name, left[name].service)
            for name, one in tried.items()
            if isinstance(one.next, Dead)
        ),
        gone=tuple(name for name, one in tried.items() if isinstance(one.outcome, Gone)),
        reasons=tuple(reason for one in tried.values() for reason in _reasons(one)),
    )


async def _outcomes(
    ways: Mapping[str, PushProvider], due: DuePush, shares: Shares
) -> dict[str, Outcome | PutOff]:
    found: dict[str, Outcome | PutOff] = {}
    services: dict[str, dict[str, PushProvider]] = {}
    for name, way in ways.items():
        if name == WEBHOOK and due.webhook_after is not None:
            seconds = (due.webhook_after - now()).total_seconds()
            found[name] = PutOff(max(0.0, seconds), PushReason.IN_ORDER)
        elif name != WEBHOOK and way.service not in services and len(services) >= SERVICES:
            found[name] = PutOff(PAUSE_SECONDS, PushReason.SERVICE_BUSY)
        else:
            services.setdefault(way.service, {})[name] = way
    push = told(due, now=now())
    over = (_over(shares.of(service), some, push) for service, some in services.items())
    for part in await asyncio.gather(*over):
        found |= part
    return {name: found[name] for name in ways}


async def _over(
    share: Share, ways: Mapping[str, PushProvider], push: Push
) -> dict[str, Outcome | PutOff]:
    """Try the ways over one service, if it has a place for the user."""
    seconds = share.take()
    if seconds is not None:
        return dict.fromkeys(ways, PutOff(seconds, PushReason.SERVICE_BUSY))
    answered = None
    try:
        outcomes = await asyncio.gather(*(_try(way, push) for way in ways.values()))
        answered = any(one.reason is not PushReason.TIMED_OUT for one in outcomes)
    finally:
        share.give_back(answered=answered)
    return dict(zip(ways, outcomes, strict=True))


async def _try(way: PushProvider, push: Push) -> Outcome:
    try:
        return await way.send(push)
    except Exception:
        # A fault of ours, with this push or this browser: it must not end the worker, again and
        # again, and all others' pushes with it.
        log.exception("push_failed", user=push.user, room=push.room_id)
        return Failed(retryable=True, reason=PushReason.UNAVAILABLE)


def _next(outcome: Outcome | PutOff, due: DuePush, policy: RetryPolicy) -> Again | Dead | None:
    present, expires_at = milliseconds(now()) / 1000, milliseconds(due.expires_at) / 1000
    if isinstance(outcome, PutOff):
        if present + outcome.seconds >= expires_at:
            return Dead(PushReason.EXPIRED, outcome.reason)
        return Again(present + outcome.seconds)
    return next_try(
        outcome,
        policy=policy,
        tried=due.tries + 1,
        now=present,
        expires_at=expires_at,
        random=random.random,
    )


def _again_at(tried: list[Tried]) -> datetime | None:
    times = [one.next.at for one in tried if isinstance(one.next, Again)]
    return moment(int(max(times) * 1000)) if times else None


def _reasons(one: Tried) -> tuple[PushReason, ...]:
    """Return what is counted: the outcome and, where it was the last, why."""
    if isinstance(one.outcome, Delivered) or not isinstance(one.next, Dead):
        return (one.outcome.reason,)
    return (
        (one.next.last, one.next.reason)
        if one.next.reason is not one.next.last
        else (one.next.reason,)
    )
