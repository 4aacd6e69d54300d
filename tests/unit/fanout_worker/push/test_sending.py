"""`push.sending`: one user's browsers over many services; more of it in `integration/push`."""

import asyncio
from collections.abc import Mapping

import msgspec

from allibe_fanout_worker.push.base import Delivered, Outcome, Push
from allibe_fanout_worker.push.retries import RetryPolicy
from allibe_fanout_worker.push.sending import SERVICES, sent
from allibe_fanout_worker.push.shares import Shares
from allibe_services.contracts.messages import now
from allibe_services.contracts.push import PushReason
from allibe_services.contracts.push_queue import WEBHOOK, DuePush, PushEnd
from tests.unit.fanout_worker.push.test_deciding import HOUR, due


class Asked:
    """How many are asked at a time."""

    present = most = 0


class Way:
    """Takes what comes."""

    def __init__(self, service: str, asked: Asked) -> None:
        self.service = service
        self._asked = asked

    async def send(self, push: Push) -> Outcome:
        self._asked.present += 1
        self._asked.most = max(self._asked.most, self._asked.present)
        await asyncio.sleep(0.001)
        self._asked.present -= 1
        return Delivered()


async def tried(push: DuePush, ways: Mapping[str, Way]) -> PushEnd:
    shares = Shares(asyncio.get_running_loop().time)
    return await sent(
        "claim", push, ways, shares=shares, policy=RetryPolicy(), free_at=push.free_at
    )


async def test_a_users_browsers_are_tried_over_few_services_at_a_time() -> None:
    """The others come next; the webhook is none of these."""
    asked = Asked()
    ways = {f"b-{n}": Way(f"https://{n}.example", asked) for n in range(SERVICES + 2)}
    ways[WEBHOOK] = Way("https://hook.example", asked)
    push = due(expires_at=now() + HOUR)
    first = await tried(push, ways)
    assert asked.most == SERVICES + 1
    assert first.again_at is not None
    assert sorted(ways.keys() - first.done) == [f"b-{SERVICES}", f"b-{SERVICES + 1}"]
    assert first.reasons.count(PushReason.SERVICE_BUSY) == 2
    rest = await tried(msgspec.structs.replace(push, tries=first.tries, done=first.done), ways)
    assert rest.again_at is None
    assert rest.done == ways.keys()


async def test_over_one_service_all_are_tried_at_once() -> None:
    asked = Asked()
    ways = {f"b-{n}": Way("https://one.example", asked) for n in range(20)}
    end = await tried(due(expires_at=now() + HOUR), ways)
    assert asked.most == 20
    assert end.again_at is None
