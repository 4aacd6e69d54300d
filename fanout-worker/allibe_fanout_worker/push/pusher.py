"""Pushes that are due: claimed, looked at once more, sent, and kept as what they came to.

No more users are claimed than can be sent to at once, so that what was looked at is sent right
then. Push services may be as slow as they like: nothing else waits for them, nor does any other
push service, and what they are late with waits in the store.
"""

import asyncio
from datetime import timedelta

import structlog

from allibe_fanout_worker.push.deciding import Over, Wait, at_its_time
from allibe_fanout_worker.push.endings import Endings
from allibe_fanout_worker.push.retries import RetryPolicy
from allibe_fanout_worker.push.sending import sent
from allibe_fanout_worker.push.shares import Shares
from allibe_fanout_worker.push.turns import Turns
from allibe_fanout_worker.push.ways import Ways
from allibe_services.contracts.errors import Unavailable
from allibe_services.contracts.ids import UserId
from allibe_services.contracts.messages import now
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import DeadWay, DuePush, PushClaim, PushEnd
from allibe_services.presence.base import Presence, Screens
from allibe_services.rates.rate import Rate
from allibe_services.runtime import Tasks
from allibe_services.store.base import Store
from allibe_services.telemetry import PushMetrics

CLAIM = timedelta(seconds=60)
"""How long a user is this worker's: longer than a try and keeping its end take together. After a
worker's death its users wait for the rest of it."""

POLL_SECONDS = 1.0
"""Pause before the store is asked again who is due: others schedule, too."""

GATHER_SECONDS = 0.02
"""Pause between claims: who has become free meanwhile is claimed for in one."""

SPACE_SECONDS = 0.002
"""Pause between users: encrypting for all of them in one go would hold up chat in this process."""

RETRY = timedelta(seconds=2)
"""Pause after the store or presence was away."""

FINISH_SECONDS = 3.0
"""How long a process that ends waits for what is under way."""

NEWER = timedelta(seconds=1)
"""Least time between two pushes of one room to one user."""

log = structlog.get_logger(__name__)


class Pusher:
    """Sends what is due. `delay`: before a room is told of again, but at least `NEWER`."""

    def __init__(
        self,
        store: Store,
        presence: Presence,
        ways: Ways,
        metrics: PushMetrics,
        tasks: Tasks,
        *,
        delay: timedelta,
        rate: Rate | None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._queue = store.push_queue
        self._presence = presence
        self._ways = ways
        self._metrics = metrics
        self._tasks = tasks
        self._rate = rate
        self._policy = policy or RetryPolicy()
        self._endings = Endings(store.push_queue, max(delay, NEWER))
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_put_off = False
        self._woken = asyncio.Event()
        self._turns = Turns(self._woken.set)
        self._shares = Shares(asyncio.get_running_loop().time)

    def wake(self) -> None:
        """Say that somebody may be due, or that there is room for somebody."""
        self._woken.set()

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            self._woken.clear()
            if await self._take():
                await asyncio.sleep(GATHER_SECONDS)
            else:
                await self._until_woken()

    async def finish(self) -> None:
        """Wait for what is under way, after the end of `run`; what takes longer is given up.

        Its users are free for others when the claim is over.
        """
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=FINISH_SECONDS)
        if late:
            log.warning("pushes_cut_off", tasks=len(late), seconds=FINISH_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.wait(late)

    async def _until_woken(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _take(self) -> bool:
        """Claim as many users as there is room for, and serve them; tell whether there were any."""
        room = self._turns.room
        if not room:
            return False
        try:
            claim = await self._queue.claim(most=room, length=CLAIM)
        except Unavailable as error:
            if not self._is_put_off:
                log.warning("push_claims_put_off", code=error.code)
            self._is_put_off = True
            await asyncio.sleep(RETRY.total_seconds())
            return False
        self._is_put_off = False
        self._metrics.late.set(claim.late_seconds)
        if claim.users:
            self._turns.begin(len(claim.users))
            task = self._tasks.start(self._serve(claim), name="pushes")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return bool(claim.users)

    async def _serve(self, claim: PushClaim) -> None:
        """Let every user of the claim have their turn."""
        try:
            due = {push.user: push for push in await self._queue.due(claim.users)}
            screens = await self._presence.screens(list(due))
        except Unavailable as error:
            log.warning("pushes_put_off", code=error.code, users=len(claim.users))
            until = now() + RETRY
            ends = [PushEnd(user=one, claim=claim.claim, held_until=until) for one in claim.users]
            await asyncio.gather(*(self._endings.keep(end) for end in ends))
            self._turns.end(len(ends))
            return
        async with asyncio.TaskGroup() as turns:
            for user in claim.users:
                turns.create_task(self._turn(claim.claim, user, due.get(user), screens))
                await asyncio.sleep(SPACE_SECONDS)

    async def _turn(self, claim: str, user: UserId, push: DuePush | None, screens: Screens) -> None:
        with self._turns.under_way():
            if push is None:
                end = PushEnd(user=user, claim=claim)
            else:
                end = await self._push(claim, push, looks=push.room_id in screens.get(user, ()))
            await self._endings.keep(end)
            self._count(end)

    async def _push(self, claim: str, push: DuePush, *, looks: bool) -> PushEnd:
        ways = self._ways.to(push.browsers)
        verdict = at_its_time(push, looks=looks, has_ways=bool(ways), rate=self._rate, now=now())
        if isinstance(verdict, Over):
            return _over(claim, push, verdict.reason)
        if isinstance(verdict, Wait):
            return PushEnd(
                user=push.user,
                claim=claim,
                push=push,
                again_at=verdict.until,
                tries=push.tries,
                done=push.done,
                held_until=verdict.until if verdict.holds else None,
                reasons=(verdict.reason,),
            )
        return await sent(
            claim,
            push,
            ways,
            shares=self._shares,
            policy=self._policy,
            free_at=verdict.free_at,
        )

    def _count(self, end: PushEnd) -> None:
        for reason in end.reasons:
            self._metrics.count(reason)
        for one in end.dead:
            self._metrics.count_dead(one.reason, one.last)


def _over(claim: str, push: DuePush, reason: PushReason) -> PushEnd:
    dead = (DeadWay(reason, reason),) if reason is PushReason.EXPIRED else ()
    return PushEnd(
        user=push.user, claim=claim, push=push, tries=push.tries, reasons=(reason,), dead=dead
    )
