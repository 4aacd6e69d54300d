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
from allibe_fanout_worker.push.ways import WEBHOOK
from allibe_services.contracts.messages import milliseconds, moment, now
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import DuePush, PushEnd

log = structlog.get_logger(__name__)


class Tried(msgspec.Struct, frozen=True):
    """What a try over one way came to."""

    outcome: Outcome
    next: Again | Dead | None


async def sent(
    claim: str,
    due: DuePush,
    ways: Mapping[str, PushProvider],
    *,
    policy: RetryPolicy,
    free_at: datetime,
) -> PushEnd:
    """Try each way that is left, all at once; return how the turn ended.

    The push waits where a way is to be tried again: for the longest that one of them asks for. It
    holds the user's other pushes back where that way is the webhook, which has them in order.
    """
    left = {name: way for name, way in ways.items() if name not in due.done}
    push = told(due, now=now())
    outcomes = await asyncio.gather(*(_try(way, push) for way in left.values()))
    tried = {
        name: Tried(outcome, _next(outcome, due, policy))
        for name, outcome in zip(left, outcomes, strict=True)
    }
    again = {name: one.next.at for name, one in tried.items() if isinstance(one.next, Again)}
    again_at = moment(int(max(again.values()) * 1000)) if again else None
    return PushEnd(
        user=due.user,
        claim=claim,
        push=due,
        again_at=again_at,
        tries=due.tries + 1,
        done=due.done | (tried.keys() - again.keys()),
        held_until=again_at if WEBHOOK in again else None,
        free_at=free_at,
        gone=tuple(name for name, one in tried.items() if isinstance(one.outcome, Gone)),
        reasons=tuple(reason for one in tried.values() for reason in _reasons(one)),
    )


async def _try(way: PushProvider, push: Push) -> Outcome:
    try:
        return await way.send(push)
    except Exception:
        # A fault of ours, with this push or this browser: it must not end the worker, again and
        # again, and all others' pushes with it.
        log.exception("push_failed")
        return Failed(retryable=True, reason=PushReason.UNAVAILABLE)


def _next(outcome: Outcome, due: DuePush, policy: RetryPolicy) -> Again | Dead | None:
    return next_try(
        outcome,
        policy=policy,
        tried=due.tries + 1,
        now=milliseconds(now()) / 1000,
        expires_at=milliseconds(due.expires_at) / 1000,
        random=random.random,
    )


def _reasons(one: Tried) -> tuple[PushReason, ...]:
    """Return what is counted: the outcome and, where it was the last, why."""
    if isinstance(one.outcome, Delivered) or not isinstance(one.next, Dead):
        return (one.outcome.reason,)
    return (
        (one.next.last, one.next.reason)
        if one.next.reason is not one.next.last
        else (one.next.reason,)
    )
