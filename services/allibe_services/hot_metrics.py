"""Metrics for what happens at each message, of one thread.

Those of prometheus_client lock, and a histogram's walks through its buckets: 180 instructions of
the interpreter for an observation, 45 for an increment. These take 20 and 10.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class HotCounter(Collector):
    """A counter that is incremented by one."""

    def __init__(self, name: str, text: str, *, registry: CollectorRegistry) -> None:
        self._name, self._text = name, text
        self._value = 0
        registry.register(self)

    def inc(self) -> None:
        """Count one."""
        self._value += 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the figure."""
        yield CounterMetricFamily(self._name, self._text, self._value)

    describe = collect


class HotHistogram(Collector):
    """A histogram of seconds; `buckets` are upper bounds, ascending, to which `+Inf` is added."""

    def __init__(
        self, name: str, text: str, *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._text = name, text
        self._bounds = tuple(buckets)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, seconds: float) -> None:
        """Count one. Less than 0, which clocks of two machines may say, counts as 0: a sum that
        falls looks like a restart."""
        if seconds < 0:
            seconds = 0.0
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the figures."""
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self._counts)), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets, self._sum)

    describe = collect
