"""`connection`: who speaks too fast is read more slowly."""

import asyncio
import time

import pytest
from prometheus_client import CollectorRegistry

from allibe_gateway.inbound import LONGEST_PAUSE
from allibe_services.contracts import disconnects
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics
from tests.support.raw_socket import PING, PONG, frame
from tests.support.until import until
from tests.unit.gateway.fakes import settle
from tests.unit.gateway.lines import END, Line, text


def hasty(rate: Rate) -> Line:
    """A connection that may send so many frames."""
    limiter = Limiter(Policy(connection_frames=rate), LimitMetrics(CollectorRegistry()))
    return Line(limiter=limiter)


class TestSpeakingTooFast:
    """It is read more slowly; nothing of what it sends is lost."""

    async def test_it_is_not_read_for_a_while(self) -> None:
        line = hasty(Rate(20, 1))
        began = time.monotonic()
        line.begin()
        line.hear(*(text(b"a") for _ in range(4)), END)
        await line.end()
        assert line.door.received == [b"a"] * 4
        assert time.monotonic() - began > 0.12
        assert line.door.failed == []

    @pytest.mark.parametrize("kind", [PING, PONG])
    async def test_control_frames_count_as_others(self, kind: int) -> None:
        line = hasty(Rate(0.2, 1))
        line.begin()
        line.hear(*(frame(b"", kind) for _ in range(2)), text(b"a"))
        await settle()
        assert not line.transport.is_reading()
        assert line.door.received == []
        line.it.disconnect(disconnects.RESTART)
        await line.end()

    async def test_its_silence_meanwhile_is_no_silence(self) -> None:
        line = hasty(Rate(0.2, 1))
        line.it.expect_heart_beats(send_seconds=0, receive_seconds=0.1)
        line.begin()
        line.hear(text(b"a"), text(b"b"))
        await until(lambda: len(line.door.received) == 2)
        await settle()
        line.it.beat(asyncio.get_running_loop().time() + 100)
        assert not line.it.closing
        line.it.disconnect(disconnects.RESTART)
        await line.end()

    async def test_a_close_does_not_wait(self) -> None:
        line = hasty(Rate(0.2, 1))
        line.begin()
        line.hear(text(b"a"), text(b"b"))
        await until(lambda: len(line.door.received) == 2)
        await settle()
        line.it.disconnect(disconnects.RESTART)
        await line.end()
        assert line.closed == [(1012, b"service restart: resume")]
        assert line.door.closed == 1

    async def test_who_would_not_be_read_for_long_is_told_and_closed(self) -> None:
        line = hasty(Rate(1 / (2 * LONGEST_PAUSE), 1))
        line.begin()
        line.hear(text(b"a"), text(b"b"))
        await line.end()
        [error] = line.door.failed
        assert error.code == "rate_limited"
        assert error.retry_after_ms == pytest.approx(2 * LONGEST_PAUSE * 1000, abs=1000)
        assert line.closed == [(4429, b"rate limited: slow down")]
