"""`fanout.hub` tells when so many bytes were written: the bound of what is unread asks for it."""

from prometheus_client import CollectorRegistry

from allibe_gateway.fanout.hub import Hub
from allibe_services.telemetry import GatewayMetrics
from tests.unit.gateway.fakes import ROOM, FakeBus, FakeLog, Subscriber, TextView, settle
from tests.unit.gateway.fanout.feeds import LIMITS


async def test_it_calls_when_so_much_was_written_to_all_together() -> None:
    """A frame counts once for each that it was written to, in each group."""
    log = FakeLog()
    hub = Hub(FakeBus(), log, LIMITS, GatewayMetrics(CollectorRegistry()))
    sizes, calls = [12, 4, 1000], 0

    def look() -> int:
        nonlocal calls
        calls += 1
        return sizes.pop(0)

    hub.when_written(look)
    await hub.open()
    for view in ("a", "a", "b"):
        await hub.join(ROOM, TextView(view), Subscriber().outbox, None)
    seen = []
    for _ in range(4):  # "a:1;" to three: 12 bytes each
        hub.on_events(log.commit())
        await settle()
        seen.append(calls)
    assert seen == [2, 3, 3, 3]
    await hub.close()
