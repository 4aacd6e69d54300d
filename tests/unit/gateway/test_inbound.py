"""`inbound`: a connection that speaks too fast is read more slowly, and told only when it must."""

import pytest
from prometheus_client import CollectorRegistry

from allibe_gateway.inbound import Inbound
from allibe_services.rates.limiter import Limiter
from allibe_services.rates.policy import Policy
from allibe_services.rates.rate import Rate
from allibe_services.telemetry import LimitMetrics


class Clock:
    def __init__(self) -> None:
        self.now = 9_000.0

    def __call__(self) -> float:
        return self.now


class Line:
    """One connection's inbound side, and the figures."""

    def __init__(self, **policy: object) -> None:
        self.clock, self.registry = Clock(), CollectorRegistry()
        metrics = LimitMetrics(self.registry)
        self.limiter = Limiter(Policy(**policy), metrics, clock=self.clock)  # type: ignore[arg-type]
        self.inbound = Inbound(self.limiter)

    def exceeded(self, limit: str, enforced: str = "true") -> float | None:
        labels = {"limit": limit, "enforced": enforced}
        return self.registry.get_sample_value("allibe_limit_exceeded_total", labels)


def test_a_burst_is_read_at_once() -> None:
    line = Line(connection_frames=Rate(10, 20), connection_bytes=Rate(100, 1000))
    assert not any(line.inbound.pause(1, 50) for _ in range(20))


def test_frames_beyond_it_cost_the_time_that_they_take_at_the_rate() -> None:
    line = Line(connection_frames=Rate(10, 20))
    assert line.inbound.pause(25, 10**9) == pytest.approx(0.5)
    line.clock.now += 0.5
    assert line.inbound.pause(1, 0) == pytest.approx(0.1)
    assert line.exceeded("connection_frames") == 2


def test_what_holds_no_frame_counts_as_one() -> None:
    """Pings, empty messages, parts of a frame: each has to be read all the same."""
    line = Line(connection_frames=Rate(10, 20))
    assert not any(line.inbound.pause(0, 0) for _ in range(20))
    assert line.inbound.pause(0, 0) == pytest.approx(0.1)


def test_bytes_beyond_it_too_and_the_longer_pause_counts() -> None:
    line = Line(connection_frames=Rate(10, 20), connection_bytes=Rate(100, 1000))
    assert line.inbound.pause(21, 1200) == pytest.approx(2.0)
    assert line.exceeded("connection_bytes") == 1
    assert line.exceeded("connection_frames") == 1


def test_who_was_silent_for_long_has_no_more_than_a_burst() -> None:
    line = Line(connection_frames=Rate(10, 20))
    line.inbound.pause(1, 0)
    line.clock.now += 1_000
    assert line.inbound.pause(30, 0) == pytest.approx(1.0)


def test_a_dry_run_counts_and_pauses_nothing() -> None:
    line = Line(connection_frames=Rate(10, 20), dry_run=frozenset({"connection_frames"}))
    assert line.inbound.pause(1_000, 0) == 0
    assert line.exceeded("connection_frames", "false") == 1
    line.clock.now += 1
    assert line.inbound.pause(5, 0) == 0
    assert line.exceeded("connection_frames", "false") == 1  # what went before is forgiven


def test_without_limits_nothing_is_counted() -> None:
    line = Line()
    assert line.inbound.pause(10**6, 10**9) == 0
