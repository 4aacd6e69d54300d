"""From a SEND over a WebSocket to what a browser decrypts, and not for who looks."""

from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from allibe_fanout_worker.push.pushing import Pushing
from allibe_fanout_worker.push.ways import Ways
from allibe_fanout_worker.push.webpush import WebPush
from allibe_services.contracts.push import PushReason
from allibe_services.telemetry import PushMetrics
from allibe_services.vapid import VapidKey
from tests.integration.gateway import BOB, ONE, Site, running
from tests.support.presences import looking
from tests.support.push_service import PushService
from tests.support.pushing import until


async def test_a_send_becomes_a_push_unless_its_reader_looks(
    tmp_path: Path, quickly: None, service: PushService, web_push: WebPush, key: VapidKey
) -> None:
    push = Pushing(
        ways=Ways(web_push, None),
        metrics=PushMetrics(CollectorRegistry()),
        delay=timedelta(seconds=0.2),
        rate=None,
    )
    async with running(tmp_path, push=push) as site:
        await site.store.pushes.subscribe(BOB, service.subscribe(key.public_key))
        alice = await site.stomp_user("alice")
        bob = await site.stomp_user("bob")
        await bob.subscribe()
        await until(lambda: _looks(site))
        await alice.post("while he looks")
        await bob.messages(1)
        await until(lambda: _decided(site, PushReason.LOOKING))
        await bob.app("visibility", {"visible": False})
        await until(lambda: _looks(site, does=False))
        await alice.post("while he does not")
        await until(lambda: _decided(site, PushReason.SENT))
    assert service.problems == []
    (pushed,) = service.pushed
    assert pushed.json["body"] == "Alice: while he does not"
    assert pushed.json["messages"] == 1


async def _looks(site: Site, *, does: bool = True) -> bool:
    return (BOB in await looking(site.presence, ONE)) is does


async def _decided(site: Site, reason: PushReason) -> bool:
    return reason in {one.reason for one in await site.store.notifications.decisions(BOB)}
